"""How long an informer waits: longer each time, never all at once, and as long as the API asks for."""

import pytest

from reconciler.cache.timing import Backoff, Pace
from urumi.errors import ClusterError, ClusterUnreachable

PACE = Pace()
AWAY = ClusterUnreachable("away")


def refusal(status: int, retry_after_seconds: float | None = None) -> ClusterError:
    """Return a refusal of the API."""
    return ClusterError("no", status=status, retry_after_seconds=retry_after_seconds)


def waits(error: ClusterError | None, failures: int) -> list[float]:
    """Return the waits after failures in a row."""
    backoff, found = Backoff(PACE), []
    for _ in range(failures):
        backoff.count(0.1, was_heard=False, error=error)
        found.append(backoff.wait_seconds(error))
    return found


@pytest.mark.parametrize("error", [AWAY, refusal(500), None], ids=["away", "failed", "clean end"])
def test_waits_double_up_to_half_a_minute(error: ClusterError | None) -> None:
    for wait, full in zip(waits(error, 8), (1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30), strict=True):
        assert full / 2 <= wait <= full


@pytest.mark.parametrize("status", [403, 404])
def test_refusals_wait_longer_sooner(status: int) -> None:
    for wait, full in zip(waits(refusal(status), 5), (1.6, 6.4, 25.6, 60, 60), strict=True):
        assert full / 2 <= wait <= full


def test_waits_are_not_the_same_for_everybody() -> None:
    assert len({waits(AWAY, 10)[-1] for _ in range(20)}) > 10


def test_the_api_is_given_the_time_it_asks_for_up_to_a_minute() -> None:
    assert waits(refusal(429, retry_after_seconds=20), 1) == [20]
    assert waits(refusal(429, retry_after_seconds=0), 1)[0] >= 0.8
    assert waits(refusal(503, retry_after_seconds=3600), 1) == [60]


def test_a_stream_that_lived_and_was_heard_ends_the_row() -> None:
    backoff = Backoff(PACE)
    for _ in range(4):
        backoff.count(0.1, was_heard=False, error=None)
    backoff.count(60, was_heard=True, error=None)
    assert backoff.wait_seconds(None) == 0
    backoff.count(60, was_heard=True, error=AWAY)
    assert backoff.wait_seconds(AWAY) <= 1.6


def test_a_stream_that_lived_without_a_word_does_not_end_the_row() -> None:
    backoff = Backoff(PACE)
    for _ in range(5):
        backoff.count(75, was_heard=False, error=AWAY)
    assert backoff.wait_seconds(AWAY) >= 12.8


def test_every_third_failure_in_a_row_is_stuck() -> None:
    backoff, stuck = Backoff(PACE), []
    for _ in range(7):
        backoff.count(0.1, was_heard=True, error=None)
        stuck.append(backoff.is_stuck())
    assert stuck == [False, False, True, False, False, True, False]
