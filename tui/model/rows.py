"""The roster: which stores the list shows, and in which order; with no widget in sight.

Rows are known by uid. A batch of changes touches only the rows it names; the order is kept by sorting rows that are
sorted already, which is nearly free. The row under the cursor is held: it stays where it is when its store is gone or
does not match any more, so that no key ever lands on a neighbour that slipped under the cursor.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from tui.model.filter import Filter
from tui.text.columns import AGE, Column
from tui.text.values import gone

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from urumi.store import Phase
    from urumi.wire import Store


@dataclass(slots=True, eq=False)
class Row:
    """A store in the list; `revision` tells one drawing of it from the next."""

    store: Store
    key: tuple[object, ...]
    matches: bool
    revision: int = 0
    gone: bool = False


class Roster:
    """The rows of the list, by uid, narrowed and ordered.

    Attributes:
        rows: what is shown, in order.
        column: the column that orders them.
        backwards: whether its order is turned round.
        counts: how many stores are in each phase, shown or not.
        simulated: how many of them have simulated containers.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.column: Column = AGE
        self.backwards = False
        self.counts: Counter[Phase] = Counter()
        self.simulated = 0
        self.filter = Filter()
        self._matches = self.filter.test()
        self._all: dict[str, Row] = {}
        self._uids: dict[str, str] = {}
        self._held = ""
        self._places: dict[str, int] | None = {}

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def known(self) -> int:
        """How many stores there are, shown or not."""
        return len(self._uids)

    @property
    def shown(self) -> int:
        """How many stores match; a row that is only held does not count."""
        held = self._all.get(self._held)
        return len(self.rows) - (held is not None and (held.gone or not held.matches))

    def row(self, uid: str) -> Row | None:
        """Return the row of a store, shown or not."""
        return self._all.get(uid)

    def place(self, uid: str) -> int | None:
        """Return at which place a store is shown."""
        if self._places is None:
            self._places = {row.store.uid: place for place, row in enumerate(self.rows)}
        return self._places.get(uid)

    def update(self, stores: Mapping[str, Store], changed: Iterable[str]) -> bool:
        """Take over the changed stores; return whether rows came, went or moved."""
        moved = [self._update(store_id, stores.get(store_id)) for store_id in changed]
        if any(moved):
            self._arrange()
            return True
        return False

    def narrow(self, wanted: Filter) -> None:
        """Show only what the filter lets through."""
        self.filter = wanted
        self._matches = wanted.test()
        for row in self._all.values():
            row.matches = self._matches(row.store)
        self._held = ""
        self._arrange(anew=True)

    def order(self, column: Column, *, backwards: bool = False) -> None:
        """Order by another column, or the other way round."""
        self.column, self.backwards = column, backwards
        for row in self._all.values():
            row.key = column.key(row.store)
        self._arrange(anew=True)

    def hold(self, uid: str) -> None:
        """Keep the row of a store in its place, and let the one go that was held before."""
        if uid == self._held:
            return
        released, self._held = self._all.get(self._held), uid
        if released is not None and (released.gone or not released.matches):
            self._arrange()

    def _update(self, store_id: str, store: Store | None) -> bool:
        known = self._all.get(self._uids.get(store_id, ""))
        if store is None or (known is not None and known.store.uid != store.uid):
            self._leave(store_id)
        if store is None:
            return known is not None
        if known is None or known.store.uid != store.uid:
            return self._enter(store)
        before = (known.key, known.matches)
        self._count(known.store, -1)
        self._count(store, 1)
        known.store, known.key, known.matches = store, self.column.key(store), self._matches(store)
        known.revision += 1
        return before != (known.key, known.matches)

    def _enter(self, store: Store) -> bool:
        row = Row(store, self.column.key(store), self._matches(store))
        self._all[store.uid] = row
        self._uids[store.store_id] = store.uid
        self.rows.append(row)
        self._count(store, 1)
        return True

    def _leave(self, store_id: str) -> None:
        row = self._all.get(self._uids.pop(store_id, ""))
        if row is not None:
            self._count(row.store, -1)
            row.store, row.gone = gone(row.store), True
            row.revision += 1

    def _count(self, store: Store, step: int) -> None:
        self.counts[store.phase] += step
        self.simulated += step * store.simulated

    def _arrange(self, *, anew: bool = False) -> None:
        for row in [row for row in self._all.values() if row.gone and row.store.uid != self._held]:
            del self._all[row.store.uid]
        # Rows that were not shown may match by now; those shown are in order, so sorting them again costs little.
        shown = dict.fromkeys(() if anew else self.rows)
        shown.update(dict.fromkeys(self._all.values()))
        self.rows = [row for row in shown if self._is_shown(row)]
        self.rows.sort(key=attrgetter("key"), reverse=self.backwards)
        self._places = None

    def _is_shown(self, row: Row) -> bool:
        return row.store.uid == self._held or (row.matches and not row.gone)
