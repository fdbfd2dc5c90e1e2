"""How long a reflector waits before it lists or watches again, and when it lists instead of watching.

A stream that was short or ended with an error counts as a failure. A clean end of a short stream counts too: a broken
load balancer may end streams cleanly for hours. The wait doubles up to half a minute. A refusal (403, 404) is not over
within seconds: its wait grows by four, up to a minute. A Retry-After of the API server is a lower bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.backoff import Backoff

if TYPE_CHECKING:
    from reconciler.cache.timeouts import InformerTimeouts
    from urumi.errors import ClusterError

REFUSALS = (403, 404)
FAILURES_BEFORE_RELIST = 3
JITTER = (0.5, 1.0)


class WatchBackoff:
    """Counts the `failures` in a row of one reflector and returns the wait after each."""

    def __init__(self, timeouts: InformerTimeouts) -> None:
        self.failures = 0
        self._timeouts = timeouts
        # Jitter halves a wait at most, so the first one is never shorter than configured.
        first = timeouts.first_wait_seconds * 2
        self._failed = Backoff(first, timeouts.longest_wait_seconds, jitter=JITTER)
        self._refused = Backoff(first, timeouts.refused_wait_seconds, growth=4.0, jitter=JITTER)

    def count(self, lived_seconds: float, *, had_response: bool, error: ClusterError | None) -> None:
        """Record the end of a stream: its duration, whether it sent anything new, and its error."""
        is_short = lived_seconds < self._timeouts.short_seconds
        if had_response and not is_short:
            self.failures = 0
        if is_short or error is not None:
            self.failures += 1

    def reset(self) -> None:
        """Start from the first wait again."""
        self.failures = 0

    def should_relist(self) -> bool:
        """Return whether watching from the last version has failed so often that a new list is more promising."""
        return self.failures > 0 and self.failures % FAILURES_BEFORE_RELIST == 0

    def wait_seconds(self, error: ClusterError | None) -> float:
        """Return the wait before the next request."""
        if self.failures == 0:
            return 0.0
        backoff = self._refused if error is not None and error.status in REFUSALS else self._failed
        retry_after = (error.retry_after_seconds if error is not None else None) or 0.0
        wait = backoff.wait_seconds(self.failures - 1)
        return max(wait, min(retry_after, self._timeouts.refused_wait_seconds))

    def first_wait_seconds(self) -> float:
        """Return the wait after a first failure."""
        return self._failed.wait_seconds(0)
