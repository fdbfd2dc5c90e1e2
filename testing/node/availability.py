"""A client that calls the platform continuously while its pods are replaced, and records every response."""

import http.client
import threading
import time
from types import TracebackType
from typing import Any, Self

from testing.caller import Caller

PAUSE_SECONDS = 0.1


class AvailabilityProbe:
    """Lists the stores in a thread; use as a context manager and read the results afterwards."""

    def __init__(self, caller: Caller) -> None:
        self.answers = 0
        self.broken: list[str] = []
        self.refusals: list[Any] = []
        self.longest_gap_seconds = 0.0
        self._caller = Caller(caller.url, caller.token, caller.namespace)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="availability")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def sentence(self) -> str:
        """Return a summary."""
        refused = f"{len(self.refusals)} of them refusals"
        gap = f"the longest gap was {self.longest_gap_seconds:.1f} s"
        return f"{self.answers} responses, {refused}, {len(self.broken)} broken connections; {gap}"

    def unexplained(self) -> list[Any]:
        """Return the refusals that are not a 503 with a detail."""
        return [each for each in self.refusals if each["status"] != 503 or not each["answer"]["detail"]]

    def _poll(self) -> None:
        last_response_at = time.monotonic()
        while not self._is_over.wait(PAUSE_SECONDS):
            try:
                status, answer = self._caller.call("GET", "/stores")
            except (OSError, http.client.HTTPException) as error:
                self.broken.append(str(error))
                continue
            self.answers += 1
            if status != 200:
                self.refusals.append({"status": status, "answer": answer})
            now = time.monotonic()
            self.longest_gap_seconds = max(self.longest_gap_seconds, now - last_response_at)
            last_response_at = now
