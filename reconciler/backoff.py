"""Exponential backoff with jitter: the one formula of every wait that grows with failures.

The watches, the work queue, the storefront checks and the drift corrections use it, each with its own limits. Jitter
keeps replicas and stores from retrying at the same moment.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

# 2**16 first waits exceed every limit, and a larger exponent could overflow.
MAX_EXPONENT = 16


@dataclass(frozen=True, slots=True)
class Backoff:
    """A wait that is multiplied by `growth` with every failure in a row, up to a limit.

    Args:
        first_seconds: the wait after the first failure, before jitter.
        longest_seconds: the limit, before jitter.
        jitter: the range of the random factor.
    """

    first_seconds: float
    longest_seconds: float
    growth: float = 2.0
    jitter: tuple[float, float] = (1.0, 1.0)

    def wait_seconds(self, earlier_failures: int) -> float:
        """Return the wait after a failure that follows so many others in a row."""
        exponent = min(max(earlier_failures, 0), MAX_EXPONENT)
        wait = min(self.longest_seconds, self.first_seconds * self.growth**exponent)
        return wait * random.uniform(*self.jitter)  # noqa: S311 - jitter
