"""One server: the cache of its stores, the state of the connection, and the client for calls.

`listen` yields updates without end. It imports the network packages in a thread, after the first paint; until then
there are no stores and the state is `connecting`. When a live connection was lost and is back, the session reports what
changed in between. If a local server moved or has another token, the session finds it again.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from urumi.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping
    from datetime import datetime

    from urumi.client import Client
    from urumi.config import Target
    from urumi.live import ConnectionState, FeedEvent, LiveFeed
    from urumi.store_cache import StoreCache
    from urumi.wire import Store

UNREMARKABLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Update:
    """What has changed: stores by id, the connection, and a message for the person if there is one."""

    changed: frozenset[str] = frozenset()
    is_connection: bool = False
    message: str = ""


class Session:
    """The stores of a server, and the connection to it.

    Attributes:
        target: the address and the token of the server.
        lost_at: when the connection was lost or first tried; None while it is live.
        reason: why the connection is lost.
        is_refused: whether the server refused the token.
        retry_at: the monotonic time of the next attempt, in seconds.
    """

    def __init__(self, find: Callable[[], Target], now: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self.target = find()
        self.lost_at: datetime | None = now()
        self.reason = ""
        self.is_refused = False
        self.retry_at = 0.0
        self._find = find
        self._now = now
        self._monotonic = monotonic
        self._cache: StoreCache | None = None
        self._feed: LiveFeed | None = None
        self._client: Client | None = None
        self._away: Mapping[str, Store] | None = None
        self._away_since = 0.0

    @property
    def stores(self) -> Mapping[str, Store]:
        """All stores by id, as last received."""
        return self._cache.stores if self._cache else {}

    @property
    def connection(self) -> ConnectionState | None:
        """The state of the connection; None before the first attempt."""
        return self._cache.connection if self._cache else None

    @property
    def is_live(self) -> bool:
        """Whether the connection is live."""
        return self.connection is not None and self.connection.state == "live"

    @property
    def age_seconds(self) -> float | None:
        """How old the data is; None before the first snapshot."""
        return self._cache.age_seconds() if self._cache else None

    @property
    def cluster_error(self) -> str:
        """Why the server cannot reach the cluster; empty if it can."""
        return self._cache.cluster_error if self._cache else ""

    @property
    def retry_seconds(self) -> float:
        """The time until the next attempt."""
        return max(0.0, self.retry_at - self._monotonic())

    def find(self, uid: str) -> Store | None:
        """Return the store with that uid, or None."""
        return self._cache.by_uid(uid) if self._cache else None

    def reconnect_now(self) -> None:
        """Make the next attempt now."""
        if self._feed:
            self._feed.reconnect_now()

    async def client(self) -> Client:
        """Return the client for calls to the server."""
        if self._client is None or self._client.target != self.target:
            await self.close()
            client = await asyncio.to_thread(import_module, "urumi.client")
            self._client = client.Client(self.target)
        return self._client

    async def close(self) -> None:
        """Close the client."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def listen(self) -> AsyncGenerator[Update, None]:
        """Yield updates without end."""
        await asyncio.to_thread(import_module, "urumi.store_cache")
        from urumi.live import LiveFeed
        from urumi.store_cache import StoreCache

        self._cache = self._cache or StoreCache(self._monotonic)
        self._feed = LiveFeed(self.target)
        async with aclosing(self._feed.events()) as events:
            async for event in events:
                yield self._apply(self._cache, event)

    def _apply(self, cache: StoreCache, event: FeedEvent) -> Update:
        from urumi.live import Heartbeat, StoreSnapshot

        was_live = self.is_live
        changed = frozenset(cache.apply(event))
        is_connection = was_live != self.is_live or cache.connection is event
        if is_connection:
            self._update_connection(was_live)
        # The first snapshot or heartbeat after `live` completes the data.
        is_complete = self.is_live and isinstance(event, StoreSnapshot | Heartbeat)
        return Update(changed, is_connection, self._return_message() if is_complete else "")

    def _update_connection(self, was_live: bool) -> None:
        connection = self.connection
        if connection is None or connection.state == "live":
            self.lost_at, self.reason, self.is_refused = None, "", False
            return
        self.lost_at = self.lost_at or self._now()
        self.reason = connection.detail or self.reason
        self.retry_at = self._monotonic() + connection.retry_seconds
        if was_live:
            self._away, self._away_since = dict(self.stores), self._monotonic()
        if connection.state != "connecting":
            self.is_refused = connection.state == "refused"
            with suppress(ConfigError):
                target = self._find()
                if self._feed and target != self.target:
                    self.target = self._feed.target = target

    def _return_message(self) -> str:
        if self._away is None:
            return ""
        before, self._away = self._away, None
        seconds = self._monotonic() - self._away_since
        old = {store.uid: store for store in before.values()}
        new = {store.uid: store for store in self.stores.values()}
        counts = {
            "new": len(new.keys() - old.keys()),
            "deleted": len(old.keys() - new.keys()),
            "changed": sum(old[uid] != new[uid] for uid in old.keys() & new.keys()),
        }
        difference = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
        if not difference and seconds < UNREMARKABLE_SECONDS:
            return ""
        return f"Reconnected after {seconds:.0f} s: {difference or 'no changes'}."
