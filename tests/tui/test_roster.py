"""The roster on its own: order, filter and the held row, against a plain reading of the same rules."""

import random
from collections import Counter
from datetime import timedelta

import pytest

from testing.stores import START, event, failed, make_store, provisioning
from tui.model.filter import Filter
from tui.model.rows import Roster
from tui.text.columns import COLUMNS, NAME, PHASE, Column, layout
from urumi.wire import Store


def ids(roster: Roster) -> list[str]:
    """Return the ids that are shown."""
    return [row.store.store_id for row in roster.rows]


def filled(*stores: Store) -> tuple[Roster, dict[str, Store]]:
    """Return a roster of those stores, and what it was made of."""
    roster, known = Roster(), {store.store_id: store for store in stores}
    roster.update(known, known)
    return roster, known


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.title)
@pytest.mark.parametrize("backwards", [False, True])
def test_batches_of_changes_leave_the_same_order_as_sorting_anew(column: Column, backwards: bool) -> None:
    chance = random.Random(7)
    roster, known = filled()
    roster.order(column, backwards=backwards)
    for _ in range(60):
        changed = {f"shop-{chance.randrange(30)}" for _ in range(5)}
        for name in changed:
            if chance.random() < 0.3:
                known.pop(name, None)
                continue
            made = START + timedelta(seconds=chance.randrange(1000))
            make = chance.choice((make_store, provisioning, failed))
            uid = f"{name}-{chance.randrange(2)}"
            known[name] = make(name, uid=uid, created_at=made, events=[event("A", at=chance.randrange(99))])
        roster.update(known, changed)
        assert roster.counts.total() == len(known)
        assert roster.counts == Counter(store.phase for store in known.values())
        expected = sorted(known.values(), key=column.key, reverse=backwards)
        assert ids(roster) == [store.store_id for store in expected]
        assert [roster.place(store.uid) for store in expected] == list(range(len(expected)))


def test_phases_are_ordered_by_how_much_they_matter() -> None:
    roster, _ = filled(make_store("a-1"), failed("b-2"), provisioning("c-3"), make_store("d-4", "Degraded"))
    roster.order(PHASE)
    assert ids(roster) == ["b-2", "d-4", "c-3", "a-1"]


def test_a_held_row_stays_when_its_store_goes_and_leaves_when_another_is_held() -> None:
    roster, known = filled(make_store("a-1"), make_store("b-2"))
    roster.order(NAME)
    roster.hold("uid-of-a-1")
    del known["a-1"]
    assert roster.update(known, ["a-1"])
    assert ids(roster) == ["a-1", "b-2"]
    assert (roster.shown, roster.known) == (1, 1)
    roster.hold("uid-of-b-2")
    assert ids(roster) == ["b-2"]
    assert roster.row("uid-of-a-1") is None


def test_a_held_row_stays_when_it_does_not_match_any_more() -> None:
    roster, known = filled(failed("a-1"), failed("b-2"))
    roster.narrow(Filter(failing=True))
    roster.hold("uid-of-a-1")
    known["a-1"] = make_store("a-1")
    roster.update(known, ["a-1"])
    assert sorted(ids(roster)) == ["a-1", "b-2"]
    assert roster.shown == 1


def test_a_change_that_moves_nothing_says_so() -> None:
    roster, known = filled(make_store("a-1"))
    known["a-1"] = make_store("a-1", attempts=2)
    assert not roster.update(known, ["a-1"])
    assert roster.rows[0].store.attempts == 2


@pytest.mark.parametrize("width", range(1, 260, 7))
def test_columns_fill_a_width_and_no_more(width: int) -> None:
    chosen = layout(width).columns
    taken = 2 + sum(size for _, size in chosen) + 2 * (len(chosen) - 1)
    assert taken == width - 1 if width > 70 else taken >= width - 1
    assert chosen[0][0] is NAME
