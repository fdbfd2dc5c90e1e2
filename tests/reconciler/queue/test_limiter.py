"""Slots: never more than the limit, first come first served, nobody stuck behind one who left."""

import pytest

from reconciler.queue.limiter import Slots


@pytest.fixture
def turns() -> list[str]:
    """The keys that were called back, in order."""
    return []


def test_no_more_than_the_limit_hold_a_slot(turns: list[str]) -> None:
    slots = Slots(2, turns.append)
    assert [slots.take(key) for key in "abc"] == [True, True, False]
    slots.leave("a")
    assert turns == ["c"]
    assert slots.take("d") is False
    assert slots.take("c") is True


def test_turns_come_in_the_order_of_the_line(turns: list[str]) -> None:
    slots = Slots(1, turns.append)
    assert slots.take("a")
    for key in ("b", "c", "b"):
        assert not slots.take(key)
    slots.leave("a")
    assert turns == ["b"]
    assert slots.take("b")
    slots.leave("b")
    assert turns == ["b", "c"]


def test_who_leaves_the_line_or_a_reservation_holds_nobody_up(turns: list[str]) -> None:
    slots = Slots(1, turns.append)
    assert slots.take("a")
    for key in ("b", "c", "d"):
        assert not slots.take(key)
    slots.leave("b")
    slots.leave("a")
    assert turns == ["c"]
    slots.leave("c")
    assert turns == ["c", "d"]


def test_a_limit_below_one_is_refused(turns: list[str]) -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        Slots(0, turns.append)
