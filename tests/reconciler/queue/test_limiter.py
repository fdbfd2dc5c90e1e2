"""The concurrency limiter: at most the limit, first in first out, no reservation is lost."""

import pytest

from reconciler.queue.limiter import ConcurrencyLimiter


@pytest.fixture
def turns() -> list[str]:
    """The keys that a slot was reserved for, in order."""
    return []


def test_no_more_than_the_limit_hold_a_slot(turns: list[str]) -> None:
    limiter = ConcurrencyLimiter(2, turns.append)
    assert [limiter.acquire(key) for key in "abc"] == [True, True, False]
    limiter.release("a")
    assert turns == ["c"]
    assert limiter.acquire("d") is False
    assert limiter.acquire("c") is True


def test_slots_are_reserved_in_the_order_of_the_queue(turns: list[str]) -> None:
    limiter = ConcurrencyLimiter(1, turns.append)
    assert limiter.acquire("a")
    for key in ("b", "c", "b"):
        assert not limiter.acquire(key)
    limiter.release("a")
    assert turns == ["b"]
    assert limiter.acquire("b")
    limiter.release("b")
    assert turns == ["b", "c"]


def test_a_key_that_leaves_the_queue_or_its_reservation_delays_no_other(turns: list[str]) -> None:
    limiter = ConcurrencyLimiter(1, turns.append)
    assert limiter.acquire("a")
    for key in ("b", "c", "d"):
        assert not limiter.acquire(key)
    limiter.release("b")
    limiter.release("a")
    assert turns == ["c"]
    limiter.release("c")
    assert turns == ["c", "d"]


def test_a_limit_below_one_is_refused(turns: list[str]) -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        ConcurrencyLimiter(0, turns.append)
