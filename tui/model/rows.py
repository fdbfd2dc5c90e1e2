"""Which stores the list shows, and in which order.

Rows are keyed by uid. A batch of changes touches only the rows it names. The order is kept by sorting rows that are
already sorted, which costs little. The row under the cursor is held: it keeps its place when its store is deleted or
stops matching the filter, so that a key never acts on a neighbour that moved under the cursor.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from tui.model.filter import Filter
from tui.model.order import BY_AGE, Order
from tui.model.phases import as_deleted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from urumi.store import Phase
    from urumi.wire import Store


@dataclass(slots=True, eq=False)
class Row:
    """A store in the list; `revision` increases with every change of the store."""

    store: Store
    key: tuple[object, ...]
    matches: bool
    revision: int = 0
    deleted: bool = False


class StoreRows:
    """The rows of the list, by uid, filtered and ordered.

    Attributes:
        visible: the rows that are shown, in order.
        order: what the rows are ordered by.
        backwards: whether the order is reversed.
        longest_id: the length of the longest store id, shown or not.
        counts: how many stores are in each phase, shown or not.
        simulated: how many of them have simulated containers.
    """

    def __init__(self) -> None:
        self.visible: list[Row] = []
        self.order: Order = BY_AGE
        self.backwards = False
        self.longest_id = 0
        self.counts: Counter[Phase] = Counter()
        self.simulated = 0
        self.filter = Filter()
        self._matches = self.filter.test()
        self._all: dict[str, Row] = {}
        self._uids: dict[str, str] = {}
        self._held = ""
        self._places: dict[str, int] | None = {}

    def __len__(self) -> int:
        return len(self.visible)

    @property
    def known(self) -> int:
        """The number of stores, shown or not."""
        return len(self._uids)

    @property
    def shown(self) -> int:
        """The number of stores that match; a row that is only held does not count."""
        held = self._all.get(self._held)
        return len(self.visible) - (held is not None and (held.deleted or not held.matches))

    def row(self, uid: str) -> Row | None:
        """Return the row of a store, shown or not."""
        return self._all.get(uid)

    def place(self, uid: str) -> int | None:
        """Return the index of a store among the rows that are shown."""
        if self._places is None:
            self._places = {row.store.uid: place for place, row in enumerate(self.visible)}
        return self._places.get(uid)

    def update(self, stores: Mapping[str, Store], changed: Iterable[str]) -> bool:
        """Apply the changed stores; return whether rows were added, removed or moved."""
        moved = [self._update(store_id, stores.get(store_id)) for store_id in changed]
        if any(moved):
            self._arrange()
            return True
        return False

    def narrow(self, wanted: Filter) -> None:
        """Show only the stores that match the filter."""
        self.filter = wanted
        self._matches = wanted.test()
        for row in self._all.values():
            row.matches = self._matches(row.store)
        self._held = ""
        self._arrange(reset=True)

    def sort(self, order: Order, *, backwards: bool = False) -> None:
        """Use another order, or its reverse."""
        self.order, self.backwards = order, backwards
        for row in self._all.values():
            row.key = order.key(row.store)
        self._arrange(reset=True)

    def hold(self, uid: str) -> None:
        """Keep the row of a store in its place, and release the row that was held before."""
        if uid == self._held:
            return
        released, self._held = self._all.get(self._held), uid
        if released is not None and (released.deleted or not released.matches):
            self._arrange()

    def _update(self, store_id: str, store: Store | None) -> bool:
        row = self._all.get(self._uids.get(store_id, ""))
        if row is not None and (store is None or row.store.uid != store.uid):
            del self._uids[store_id]
            self._count(row.store, -1)
            row.store, row.deleted = as_deleted(row.store), True
            row.revision += 1
        elif row is not None and store is not None:
            before = (row.key, row.matches)
            self._count(row.store, -1)
            self._count(store, 1)
            row.store, row.key, row.matches = store, self.order.key(store), self._matches(store)
            row.revision += 1
            return before != (row.key, row.matches)
        if store is not None:
            added = Row(store, self.order.key(store), self._matches(store))
            self._all[store.uid] = added
            self._uids[store_id] = store.uid
            self.visible.append(added)
            self._count(store, 1)
        return row is not None or store is not None

    def _count(self, store: Store, step: int) -> None:
        self.counts[store.phase] += step
        self.simulated += step * store.simulated

    def _arrange(self, *, reset: bool = False) -> None:
        for row in [row for row in self._all.values() if row.deleted and row.store.uid != self._held]:
            del self._all[row.store.uid]
        # Rows that were hidden may match now. The shown rows come first: they are in order, so sorting them is cheap.
        candidates = dict.fromkeys(() if reset else self.visible)
        candidates.update(dict.fromkeys(self._all.values()))
        self.visible = [row for row in candidates if row.store.uid == self._held or (row.matches and not row.deleted)]
        self.visible.sort(key=attrgetter("key"), reverse=self.backwards)
        self.longest_id = max(map(len, self._uids), default=0)
        self._places = None
