"""The output of setup.sh on a terminal or in a log: every line is flushed, because programs write between them."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

NAME_WIDTH = 25  # as in `urumi cluster status`


class Terminal:
    """Prints to standard output."""

    def __init__(self, tick_seconds: float = 15.0) -> None:
        self._tick_seconds = tick_seconds

    def say(self, text: str = "") -> None:
        """Print a line."""
        print(text, flush=True)  # noqa: T201

    def row(self, name: str, text: str) -> None:
        """Print a line of a status table; `urumi cluster status` has the same columns."""
        self.say(f"{name:<{NAME_WIDTH}}{text}")

    @contextmanager
    def ticker(self) -> Iterator[None]:
        """Print a line every 15 seconds while something quiet runs."""
        done = threading.Event()
        thread = threading.Thread(target=self._tick, args=(done,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _tick(self, done: threading.Event) -> None:
        waited = 0.0
        while not done.wait(self._tick_seconds):
            waited += self._tick_seconds
            self.say(f"      still running, {waited:.0f} s")


def report_error(text: str) -> None:
    """Print why setup.sh ends."""
    sys.stdout.flush()
    print(f"setup.sh: {text}", file=sys.stderr, flush=True)  # noqa: T201
