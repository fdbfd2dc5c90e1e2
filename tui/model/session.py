"""One server as the dashboard knows it: the cache of its stores, the line to it, and calls that change something.

`listen` yields news for ever. The packages of the network are imported there, in a thread, after the first paint; until
then there are no stores and the line is `connecting`. When a line that was live comes back, the session says what was
different meanwhile. A local server that came back elsewhere, or with another token, is found again.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
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
class News:
    """What has changed: stores by id, the line, and words worth saying to a person."""

    changed: frozenset[str] = frozenset()
    is_link: bool = False
    said: str = ""


class Session:
    """The stores of a server, and the line to it.

    Attributes:
        target: where the server is.
        lost_at: when the line was lost or first tried; None while it is live.
        reason: why the line was lost, while it is.
        is_refused: whether that is because the token was not accepted.
        retry_at: when the next attempt is made.
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
        """All stores by id, as last heard of."""
        return self._cache.stores if self._cache else {}

    @property
    def link(self) -> ConnectionState | None:
        """The line to the server; None before it was first tried."""
        return self._cache.connection if self._cache else None

    @property
    def is_live(self) -> bool:
        """Whether the line is up."""
        return self.link is not None and self.link.state == "live"

    @property
    def age_seconds(self) -> float | None:
        """How old the picture is; None before the first one."""
        return self._cache.age_seconds() if self._cache else None

    @property
    def cluster_error(self) -> str:
        """Why the server does not see the cluster; empty where nothing is known against it."""
        return self._cache.cluster_error if self._cache else ""

    @property
    def retry_seconds(self) -> float:
        """How long it is to the next attempt."""
        return max(0.0, self.retry_at - self._monotonic())

    def find(self, uid: str) -> Store | None:
        """Return the store with that uid, if it is there."""
        return self._cache.by_uid(uid) if self._cache else None

    def reconnect_now(self) -> None:
        """End the wait before the next attempt."""
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
        """Close what calls have left open."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def listen(self) -> AsyncGenerator[News, None]:
        """Yield what changes, for ever."""
        await asyncio.to_thread(import_module, "urumi.store_cache")
        from urumi.live import LiveFeed
        from urumi.store_cache import StoreCache

        self._cache = self._cache or StoreCache(self._monotonic)
        self._feed = LiveFeed(self.target)
        async with aclosing(self._feed.events()) as events:
            async for event in events:
                yield self._news(self._cache, event)

    def _news(self, cache: StoreCache, event: FeedEvent) -> News:
        from urumi.live import Heartbeat, StoreSnapshot

        was_live = self.is_live
        changed = frozenset(cache.apply(event))
        is_link = was_live != self.is_live or cache.connection is event
        if is_link:
            self._relink(was_live)
        # The first thing after `live` that is no single change completes the picture.
        is_complete = self.is_live and isinstance(event, StoreSnapshot | Heartbeat)
        return News(changed, is_link, self._returned() if is_complete else "")

    def _relink(self, was_live: bool) -> None:
        link = self.link
        if link is None or link.state == "live":
            self.lost_at, self.reason, self.is_refused = None, "", False
            return
        self.lost_at = self.lost_at or self._now()
        self.reason = link.detail or self.reason
        self.retry_at = self._monotonic() + link.retry_seconds
        if was_live:
            self._away, self._away_since = dict(self.stores), self._monotonic()
        if link.state != "connecting":
            self.is_refused = link.state == "refused"
            self._look_elsewhere()

    def _look_elsewhere(self) -> None:
        try:
            target = self._find()
        except ConfigError:
            return
        if self._feed and target != self.target:
            self.target = self._feed.target = target

    def _returned(self) -> str:
        if self._away is None:
            return ""
        before, self._away = self._away, None
        seconds = self._monotonic() - self._away_since
        words = _difference(before, self.stores)
        if not words and seconds < UNREMARKABLE_SECONDS:
            return ""
        return f"Back after {seconds:.0f} s: {words or 'nothing has changed'}."


def _difference(before: Mapping[str, Store], after: Mapping[str, Store]) -> str:
    old = {store.uid: store for store in before.values()}
    new = {store.uid: store for store in after.values()}
    counts = {
        "new": len(new.keys() - old.keys()),
        "gone": len(old.keys() - new.keys()),
        "changed": sum(old[uid] != new[uid] for uid in old.keys() & new.keys()),
    }
    return ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
