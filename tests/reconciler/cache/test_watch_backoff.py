"""The waits of a reflector: they grow, differ between replicas, and respect Retry-After."""

import pytest

from reconciler.cache.timeouts import InformerTimeouts
from reconciler.cache.watch_backoff import WatchBackoff
from urumi.errors import ClusterError, ClusterUnreachable

TIMEOUTS = InformerTimeouts()
AWAY = ClusterUnreachable("away")


def refusal(status: int, retry_after_seconds: float | None = None) -> ClusterError:
    """Return an error of the API server."""
    return ClusterError("no", status=status, retry_after_seconds=retry_after_seconds)


def waits(error: ClusterError | None, failures: int) -> list[float]:
    """Return the waits after failures in a row."""
    backoff, found = WatchBackoff(TIMEOUTS), []
    for _ in range(failures):
        backoff.count(0.1, had_response=False, error=error)
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


def test_waits_differ() -> None:
    assert len({waits(AWAY, 10)[-1] for _ in range(20)}) > 10


def test_retry_after_is_respected_up_to_a_minute() -> None:
    assert waits(refusal(429, retry_after_seconds=20), 1) == [20]
    assert waits(refusal(429, retry_after_seconds=0), 1)[0] >= 0.8
    assert waits(refusal(503, retry_after_seconds=3600), 1) == [60]


def test_a_long_stream_with_a_response_resets_the_failures() -> None:
    backoff = WatchBackoff(TIMEOUTS)
    for _ in range(4):
        backoff.count(0.1, had_response=False, error=None)
    backoff.count(60, had_response=True, error=None)
    assert backoff.wait_seconds(None) == 0
    backoff.count(60, had_response=True, error=AWAY)
    assert backoff.wait_seconds(AWAY) <= 1.6


def test_a_long_stream_without_a_response_does_not_reset_them() -> None:
    backoff = WatchBackoff(TIMEOUTS)
    for _ in range(5):
        backoff.count(75, had_response=False, error=AWAY)
    assert backoff.wait_seconds(AWAY) >= 12.8


def test_every_third_failure_in_a_row_should_relist() -> None:
    backoff, relists = WatchBackoff(TIMEOUTS), []
    for _ in range(7):
        backoff.count(0.1, had_response=True, error=None)
        relists.append(backoff.should_relist())
    assert relists == [False, False, True, False, False, True, False]
