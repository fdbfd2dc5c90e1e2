"""What the leader remembers about one store during its term.

It covers the time until the informers show what was just written, and limits the rate of drift corrections. Nothing
else depends on it: a new leader starts with an empty one and reads everything from the cluster.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from reconciler.backoff import Backoff

# How long the informers may take to show what this process did; observed lags are a hundredth of it.
SETTLE_SECONDS = 3.0
CORRECTION_BACKOFF = Backoff(first_seconds=10.0, longest_seconds=600.0)
# After this long without drift the waits between corrections start from the first again.
CALM_SECONDS = 1800.0


@dataclass(slots=True)
class TermState:
    """The last actions of this process on one store, as times of the monotonic clock."""

    has_foundation: bool = False
    revision: int = 0
    digest: str = ""
    corrections: int = 0
    written_at: float = float("-inf")
    reported_at: float = float("-inf")
    corrected_at: float = float("-inf")

    def note_write(self) -> None:
        """Record that objects of the store were written just now."""
        self.written_at = time.monotonic()

    def settles_in_seconds(self) -> float:
        """Return how long until the informers are trusted to show the last write, 0 if they are now."""
        return max(0.0, self.written_at + SETTLE_SECONDS - time.monotonic())

    def note_correction(self) -> None:
        """Count a drift correction."""
        now = time.monotonic()
        self.corrections = 1 if now - self.corrected_at > CALM_SECONDS else self.corrections + 1
        self.corrected_at = now

    @property
    def correction_interval_seconds(self) -> float:
        """Return the time between two corrections, which doubles with every correction up to a limit."""
        return CORRECTION_BACKOFF.wait_seconds(self.corrections - 1)

    def correctable_in_seconds(self) -> float:
        """Return how long until the next drift correction may start, 0 if it may now."""
        return max(0.0, self.corrected_at + self.correction_interval_seconds - time.monotonic())
