"""The timeouts and intervals of an informer, with their defaults.

From the end of a fault to the next request passes at most one wait and one timeout: below 90 s with these numbers.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InformerTimeouts:
    """The timeouts of an informer; tests shorten them.

    Args:
        page_size: the number of objects in one page of a list.
        answer_seconds: the time until the response to a watch has to begin.
        silence_seconds: the longest time without a line; the API server sends a bookmark every minute.
        stream_seconds: the range of the duration that a watch is requested for.
        short_seconds: a stream that ends earlier is a failure, even without an error.
        first_wait_seconds: the shortest wait after the first failure.
        longest_wait_seconds: the longest wait after a failure.
        refused_wait_seconds: the longest wait after a refusal, and the longest Retry-After that is respected.
        check_seconds: the range of the interval between two consistency checks.
    """

    page_size: int = 500
    answer_seconds: float = 20.0
    silence_seconds: float = 75.0
    stream_seconds: tuple[int, int] = (240, 480)
    short_seconds: float = 5.0
    first_wait_seconds: float = 0.8
    longest_wait_seconds: float = 30.0
    refused_wait_seconds: float = 60.0
    check_seconds: tuple[float, float] = (1800.0, 3600.0)

    def new_stream_seconds(self) -> int:
        """Return the duration to request for the next watch."""
        return random.randint(*self.stream_seconds)  # noqa: S311 - jitter

    def new_check_seconds(self) -> float:
        """Return the time until the next consistency check."""
        return random.uniform(*self.check_seconds)  # noqa: S311 - jitter
