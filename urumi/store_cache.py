"""The cache of stores that a face keeps: every store by id, fed by the live feed, with no widget in sight.

`apply` folds one feed event in and says which ids changed, so that a face repaints only those. The cache never forgets
on a lost connection; it says how old its picture is instead.
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
    """All stores as last heard of, the link they came over, and when."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.stores: dict[str, Store] = {}
        self.link = ConnectionState("connecting")
        self.cluster_error = ""
        self._monotonic = monotonic
        self._heard_at: float | None = None
        self._cluster_silence_seconds = 0.0

    def apply(self, event: FeedEvent) -> set[str]:
        """Fold an event in; return the ids of the stores that are new, different or gone."""
        match event:
            case ConnectionState():
                self.link = event
                return set()
            case StoreSnapshot():
                self._hear(0.0)
                return self._replace(event.stores)
            case Change():
                self._hear(0.0)
                return self._change(event)
            case Heartbeat():
                self._hear(event.age_seconds)
                self.cluster_error = event.cluster_error
                return set()

    def by_uid(self, uid: str) -> Store | None:
        """Return the store with that uid, if it is still there."""
        return next((store for store in self.stores.values() if store.uid == uid), None)

    def counts(self) -> Counter[Phase]:
        """Return how many stores are in each phase."""
        return Counter(store.phase for store in self.stores.values())

    def age_seconds(self) -> float | None:
        """Return how old the picture is, the cluster's own silence included; None before the first picture."""
        if self._heard_at is None:
            return None
        return self._monotonic() - self._heard_at + self._cluster_silence_seconds

    def _hear(self, cluster_silence_seconds: float) -> None:
        self._heard_at = self._monotonic()
        self._cluster_silence_seconds = cluster_silence_seconds

    def _replace(self, stores: tuple[Store, ...]) -> set[str]:
        known, self.stores = self.stores, {store.store_id: store for store in stores}
        return {
            store_id
            for store_id in known.keys() | self.stores.keys()
            if known.get(store_id) != self.stores.get(store_id)
        }

    def _change(self, change: Change) -> set[str]:
        known = self.stores.get(change.store_id)
        if change.store is not None:
            self.stores[change.store_id] = change.store
        elif known is None or known.uid != change.uid:
            return set()
        else:
            del self.stores[change.store_id]
        return {change.store_id}
