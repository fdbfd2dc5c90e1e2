"""A client's cache of stores: every store by id, updated from the live feed.

`apply` applies one feed event and returns the ids that changed, so that a user interface repaints only those. A lost
connection does not clear the cache; `age_seconds` returns how old its contents are.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from urumi.live import Change, ConnectionState, FeedEvent, Heartbeat, StoreSnapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from urumi.store import Phase
    from urumi.wire import Store


class StoreCache:
    """The last known state of all stores and of the connection."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.stores: dict[str, Store] = {}
        self.connection = ConnectionState("connecting")
        self.cluster_error = ""
        self._monotonic = monotonic
        self._last_response_at: float | None = None
        self._cluster_age_seconds = 0.0

    def apply(self, event: FeedEvent) -> set[str]:
        """Apply an event; return the ids of the stores that were added, changed or deleted."""
        match event:
            case ConnectionState():
                self.connection = event
                return set()
            case StoreSnapshot():
                self._record_response(0.0)
                previous, self.stores = self.stores, {store.store_id: store for store in event.stores}
                store_ids = previous.keys() | self.stores.keys()
                return {store_id for store_id in store_ids if previous.get(store_id) != self.stores.get(store_id)}
            case Change():
                self._record_response(0.0)
                known = self.stores.get(event.store_id)
                if event.store is not None:
                    self.stores[event.store_id] = event.store
                elif known is not None and known.uid == event.uid:
                    del self.stores[event.store_id]
                else:
                    return set()
                return {event.store_id}
            case Heartbeat():
                self._record_response(event.age_seconds)
                self.cluster_error = event.cluster_error
                return set()

    def by_uid(self, uid: str) -> Store | None:
        """Return the store with this uid, None if there is none."""
        return next((store for store in self.stores.values() if store.uid == uid), None)

    def counts(self) -> Counter[Phase]:
        """Return the number of stores in each phase."""
        return Counter(store.phase for store in self.stores.values())

    def age_seconds(self) -> float | None:
        """Return the age of the cached state, including the age of the server's own; None before the first snapshot."""
        if self._last_response_at is None:
            return None
        return self._monotonic() - self._last_response_at + self._cluster_age_seconds

    def _record_response(self, cluster_age_seconds: float) -> None:
        self._last_response_at = self._monotonic()
        self._cluster_age_seconds = cluster_age_seconds
