"""The rows of the list: order, filter and the held row, compared with a simple implementation of the same rules."""

import random
from collections import Counter
from datetime import timedelta

import pytest

from testing.stores import START, event, failed, make_store, provisioning
from tui.model.filter import Filter
from tui.model.order import BY_NAME, BY_PHASE, ORDERS, Order
from tui.model.rows import StoreRows
from urumi.wire import Store


def ids(rows: StoreRows) -> list[str]:
    """Return the ids that are shown."""
    return [row.store.store_id for row in rows.visible]


def filled(*stores: Store) -> tuple[StoreRows, dict[str, Store]]:
    """Return the rows of those stores, and the stores by id."""
    rows, known = StoreRows(), {store.store_id: store for store in stores}
    rows.update(known, known)
    return rows, known


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
@pytest.mark.parametrize("backwards", [False, True])
def test_batches_of_changes_give_the_same_order_as_sorting_again(order: Order, backwards: bool) -> None:
    chance = random.Random(7)
    rows, known = filled()
    rows.sort(order, backwards=backwards)
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
        rows.update(known, changed)
        assert rows.counts.total() == len(known)
        assert rows.counts == Counter(store.phase for store in known.values())
        expected = sorted(known.values(), key=order.key, reverse=backwards)
        assert ids(rows) == [store.store_id for store in expected]
        assert [rows.place(store.uid) for store in expected] == list(range(len(expected)))


def test_phases_are_ordered_by_severity() -> None:
    rows, _ = filled(make_store("a-1"), failed("b-2"), provisioning("c-3"), make_store("d-4", "Degraded"))
    rows.sort(BY_PHASE)
    assert ids(rows) == ["b-2", "d-4", "c-3", "a-1"]


def test_a_held_row_stays_when_its_store_is_deleted_until_another_row_is_held() -> None:
    rows, known = filled(make_store("a-1"), make_store("b-2"))
    rows.sort(BY_NAME)
    rows.hold("uid-of-a-1")
    del known["a-1"]
    assert rows.update(known, ["a-1"])
    assert ids(rows) == ["a-1", "b-2"]
    assert (rows.shown, rows.known) == (1, 1)
    rows.hold("uid-of-b-2")
    assert ids(rows) == ["b-2"]
    assert rows.row("uid-of-a-1") is None


def test_a_held_row_stays_when_it_no_longer_matches() -> None:
    rows, known = filled(failed("a-1"), failed("b-2"))
    rows.narrow(Filter(failing=True))
    rows.hold("uid-of-a-1")
    known["a-1"] = make_store("a-1")
    rows.update(known, ["a-1"])
    assert sorted(ids(rows)) == ["a-1", "b-2"]
    assert rows.shown == 1


def test_a_change_that_moves_no_row_is_reported_as_such() -> None:
    rows, known = filled(make_store("a-1"))
    known["a-1"] = make_store("a-1", attempts=2)
    assert not rows.update(known, ["a-1"])
    assert rows.visible[0].store.attempts == 2
