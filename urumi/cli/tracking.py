"""One store, identified by its uid and kept up to date from the live feed.

Another store with the same id is not this one. The server can respond to a creation before its own cache has the store,
so a store that the feed has not contained yet is not gone because a snapshot lacks it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from urumi.client import Client
from urumi.live import Change, StoreSnapshot

if TYPE_CHECKING:
    from urumi.config import Target
    from urumi.live import Heartbeat
    from urumi.wire import Store


async def get_store(target: Target, store_id: str) -> Store:
    """Return the current state of a store, with the uid to track."""
    async with Client(target) as client:
        return await client.get_store(store_id)


class TrackedStore:
    """The last known state of a store; `is_seen` is whether the feed has contained it."""

    def __init__(self, store: Store, *, is_seen: bool) -> None:
        self.store = store
        self.is_seen = is_seen
        self.is_gone = False

    def apply(self, event: StoreSnapshot | Change | Heartbeat) -> bool:
        """Apply an event; return whether it has a state of this store."""
        match event:
            case StoreSnapshot():
                found = next((store for store in event.stores if store.uid == self.store.uid), None)
                means_gone = self.is_seen
            case Change() if event.store_id == self.store.store_id:
                is_this = event.uid == self.store.uid
                found = event.store if is_this else None
                means_gone = is_this or self.is_seen
            case _:
                return False
        if found is None:
            self.is_gone = self.is_gone or means_gone
            return False
        self.store, self.is_seen = found, True
        return True
