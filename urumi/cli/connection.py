"""The live feed as a command wants it: news only, while every trouble with the line is told on standard error.

The first connection has to work: an address or a token that is wrong ends the command. After that a lost line is
waited out for as long as the command runs. A token that is refused later ends it too, as waiting does not mend that.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from urumi.cli.terminal import say
from urumi.errors import ServerUnreachable, Unauthorized
from urumi.live import Change, ConnectionState, Heartbeat, LiveFeed, StoreSnapshot
from urumi.text import SILENT_CLUSTER_SECONDS, printable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from urumi.config import Target

News = StoreSnapshot | Change | Heartbeat


async def news(
    target: Target, store_ids: tuple[str, ...] | None = None
) -> AsyncGenerator[StoreSnapshot | Change | Heartbeat, None]:
    """Yield what the feed says about the stores, about all of them where no ids are given.

    Raises:
        ServerUnreachable: where the first connection does not come up.
        Unauthorized: where the token is not accepted.
    """
    line = _Line(target)
    async with aclosing(LiveFeed(target, store_ids=store_ids).events()) as events:
        async for event in events:
            match event:
                case ConnectionState():
                    line.tell(event)
                case Heartbeat():
                    line.tell_sight(event)
                    yield event
                case _:
                    yield event


class _Line:
    """What has been told about the connection so far."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._was_live = False
        self._is_lost = False
        self._is_stale = False

    def tell(self, link: ConnectionState) -> None:
        """Tell a change of the connection, or end the command by raising."""
        match link.state:
            case "live":
                if self._is_lost:
                    say("Live again.")
                self._was_live, self._is_lost = True, False
            case "refused":
                raise Unauthorized(401, {"detail": f"{self._target.url}: {link.detail}."})
            case "reconnecting" if not self._was_live:
                raise ServerUnreachable(f"Cannot watch: {link.detail}.", hint="Is it running? Try: urumi serve")
            case "reconnecting":
                self._is_lost = True
                detail = printable(link.detail)
                say(f"Reconnecting: {detail}. Attempt {link.attempt} in {link.retry_seconds:.1f} s.")

    def tell_sight(self, heard: Heartbeat) -> None:
        """Tell when the server itself has lost the cluster, once."""
        is_stale = bool(heard.cluster_error) or heard.age_seconds > SILENT_CLUSTER_SECONDS
        if is_stale and not self._is_stale:
            age = f"The server has not heard from the cluster for {heard.age_seconds:.0f} s; this may be out of date."
            say(f"{age} {printable(heard.cluster_error)}".rstrip())
        elif self._is_stale and not is_stale:
            say("The server hears the cluster again.")
        self._is_stale = is_stale
