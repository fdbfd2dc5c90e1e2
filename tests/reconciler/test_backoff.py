"""The one backoff: it grows, is limited, and differs between callers."""

import pytest

from reconciler.backoff import Backoff


@pytest.mark.parametrize(("earlier_failures", "seconds"), [(0, 2), (1, 4), (3, 16), (4, 30), (10_000, 30), (-1, 2)])
def test_the_wait_doubles_up_to_the_limit(earlier_failures: int, seconds: float) -> None:
    assert Backoff(first_seconds=2, longest_seconds=30).wait_seconds(earlier_failures) == seconds


def test_the_growth_can_be_chosen() -> None:
    assert Backoff(first_seconds=1, longest_seconds=100, growth=4).wait_seconds(2) == 16


def test_jitter_keeps_waits_apart_and_in_range() -> None:
    waits = [Backoff(first_seconds=10, longest_seconds=10, jitter=(0.8, 1.2)).wait_seconds(0) for _ in range(50)]
    assert len(set(waits)) > 25
    assert 8 <= min(waits) <= max(waits) <= 12
