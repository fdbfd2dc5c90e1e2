"""The live feed for a command: store events only, while connection problems are reported on standard error.

The first connection must succeed: a wrong address or token ends the command. After that the command waits for as long
as it takes to reconnect. A token that is rejected later also ends it, as waiting cannot fix that.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from urumi.cli.terminal import report
from urumi.errors import ServerUnreachable, Unauthorized
from urumi.live import Change, ConnectionState, Heartbeat, LiveFeed, StoreSnapshot
from urumi.text import SILENT_CLUSTER_SECONDS, printable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from urumi.config import Target


async def store_events(
    target: Target, store_ids: tuple[str, ...] | None = None
) -> AsyncGenerator[StoreSnapshot | Change | Heartbeat, None]:
    """Yield the feed's events about the stores with these ids, or about all stores.

    Raises:
        ServerUnreachable: if the first connection fails.
        Unauthorized: if the token is rejected.
    """
    reporter = _ConnectionReporter(target)
    async with aclosing(LiveFeed(target, store_ids=store_ids).events()) as events:
        async for event in events:
            if isinstance(event, ConnectionState):
                reporter.connection_changed(event)
                continue
            if isinstance(event, Heartbeat):
                reporter.heartbeat(event)
            yield event


class _ConnectionReporter:
    """Reports each change of the connection once."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._was_live = False
        self._is_lost = False
        self._is_stale = False

    def connection_changed(self, connection: ConnectionState) -> None:
        """Report a change of the connection, or end the command by raising."""
        match connection.state:
            case "live":
                if self._is_lost:
                    report("Reconnected.")
                self._was_live, self._is_lost = True, False
            case "refused":
                raise Unauthorized(401, {"detail": f"{self._target.url}: {connection.detail}."})
            case "reconnecting" if not self._was_live:
                raise ServerUnreachable(f"Cannot watch: {connection.detail}.")
            case "reconnecting":
                self._is_lost = True
                detail = printable(connection.detail)
                report(f"Reconnecting: {detail}. Attempt {connection.attempt} in {connection.retry_seconds:.1f} s.")

    def heartbeat(self, heartbeat: Heartbeat) -> None:
        """Report once when the server loses the cluster, and once when it reaches it again."""
        is_stale = bool(heartbeat.cluster_error) or heartbeat.age_seconds > SILENT_CLUSTER_SECONDS
        if is_stale and not self._is_stale:
            message = f"No response from the cluster for {heartbeat.age_seconds:.0f} s; this may be out of date."
            report(f"{message} {printable(heartbeat.cluster_error)}".rstrip())
        elif self._is_stale and not is_stale:
            report("The cluster responds again.")
        self._is_stale = is_stale
