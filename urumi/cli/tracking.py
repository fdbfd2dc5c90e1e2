"""One store, known by its uid, kept up to date from the live feed.

Another store of the same name is not this one. The server answers a creation before its own picture holds the store,
so a store that was never seen in the feed is not gone just because the picture lacks it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from urumi.live import Change, StoreSnapshot

if TYPE_CHECKING:
    from urumi.live import Heartbeat
    from urumi.wire import Store


class OneStore:
    """The store as last heard of; `is_seen` says whether the server's picture is known to hold it."""

    def __init__(self, store: Store, *, is_seen: bool) -> None:
        self.store = store
        self.is_seen = is_seen
        self.is_gone = False

    def apply(self, event: StoreSnapshot | Change | Heartbeat) -> bool:
        """Take news in; return whether they were about this store being there."""
        match event:
            case StoreSnapshot():
                found = next((store for store in event.stores if store.uid == self.store.uid), None)
                return self._take(found, says_gone=self.is_seen)
            case Change() if event.store_id == self.store.store_id:
                is_this = event.uid == self.store.uid
                return self._take(event.store if is_this else None, says_gone=is_this or self.is_seen)
        return False

    def _take(self, found: Store | None, *, says_gone: bool) -> bool:
        if found is None:
            self.is_gone = self.is_gone or says_gone
            return False
        self.store, self.is_seen = found, True
        return True
