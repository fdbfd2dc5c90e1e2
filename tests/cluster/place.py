"""A place for tests: a checkout folder, a state folder, and a console that keeps what is printed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cluster.place import Place


@dataclass
class Transcript:
    """A console that keeps every line."""

    lines: list[str] = field(default_factory=list)

    def say(self, text: str = "") -> None:
        """Keep a line."""
        self.lines.append(text)

    def row(self, name: str, text: str) -> None:
        """Keep a row as a line."""
        self.say(f"{name:<25}{text}")

    @contextmanager
    def ticker(self) -> Iterator[None]:
        """Print nothing."""
        yield


def make_place(folder: Path, console: Transcript | None = None) -> Place:
    """Return a place below a folder; its Python is the one of the tests."""
    return Place(folder / "checkout", folder / "state", console or Transcript(), Path(sys.executable))
