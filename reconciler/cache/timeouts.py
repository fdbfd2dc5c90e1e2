"""How patient an informer is: how long it listens, how long it waits before it asks again, when it starts over.

Every stream that was short or ended in an error is backed off, a clean end of a short one included, because a broken
load balancer ends streams cleanly for hours. The wait doubles up to half a minute, each time with jitter, so that the
informers of all replicas do not ask at the same moment. A refusal (403, 404) is of people's making and not over in
seconds: its wait grows twice as fast, to a minute. What the API itself asks for (Retry-After) is a lower bound.

From a fault's end to the next question passes at most one wait and one deadline: with these numbers below 90 s.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urumi.errors import ClusterError

REFUSALS = (403, 404)
FAILURES_BEFORE_RELIST = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """The patience of an informer; tests shorten it.

    Args:
        page_size: how many objects one answer of a list holds.
        answer_seconds: how long a watch may take to begin its answer.
        silence_seconds: how long a stream may say nothing; the API server sends a bookmark a minute.
        stream_seconds: after how long the server is asked to end a stream, from and to.
        short_seconds: a stream that lived less is a failure, however it ended.
        first_wait_seconds: the wait after the first failure.
        longest_wait_seconds: the longest one.
        refused_wait_seconds: the longest one after a refusal, or that Retry-After may ask for.
        audit_seconds: how long from one audit to the next, from and to.
    """

    page_size: int = 500
    answer_seconds: float = 20.0
    silence_seconds: float = 75.0
    stream_seconds: tuple[int, int] = (240, 480)
    short_seconds: float = 5.0
    first_wait_seconds: float = 0.8
    longest_wait_seconds: float = 30.0
    refused_wait_seconds: float = 60.0
    audit_seconds: tuple[float, float] = (1800.0, 3600.0)

    def new_stream_seconds(self) -> int:
        """Return for how long to ask for a stream."""
        return random.randint(*self.stream_seconds)  # noqa: S311 - jitter

    def new_first_wait_seconds(self) -> float:
        """Return how long to wait after a first failure."""
        return _jittered(self.first_wait_seconds * 2)

    def new_audit_seconds(self) -> float:
        """Return how long to wait for the next audit."""
        return random.uniform(*self.audit_seconds)  # noqa: S311 - jitter


class Backoff:
    """Counts the `failures` in a row of one informer and says how long to wait after each."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.failures = 0

    def count(self, lived_seconds: float, *, was_heard: bool, error: ClusterError | None) -> None:
        """Take the end of a stream that lived so long, and whether anything was heard meanwhile."""
        is_short = lived_seconds < self._pace.short_seconds
        if was_heard and not is_short:
            self.failures = 0
        if is_short or error is not None:
            self.failures += 1

    def is_stuck(self) -> bool:
        """Return whether going on from the last version has failed so often that listing is the better bet."""
        return self.failures > 0 and self.failures % FAILURES_BEFORE_RELIST == 0

    def wait_seconds(self, error: ClusterError | None) -> float:
        """Return how long to wait before asking again."""
        if self.failures == 0:
            return 0.0
        pace, is_refused = self._pace, error is not None and error.status in REFUSALS
        growth, longest = (4, pace.refused_wait_seconds) if is_refused else (2, pace.longest_wait_seconds)
        wait = _jittered(min(longest, pace.first_wait_seconds * 2 * float(growth) ** min(self.failures - 1, 16)))
        asked_for = error.retry_after_seconds if error is not None else None
        return max(wait, min(asked_for or 0.0, pace.refused_wait_seconds))


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
