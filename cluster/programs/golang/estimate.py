"""How long the compiler still needs, from what it has done on this machine so far.

A package's weight is the size of its source, which the time to compile it follows closely enough. Go prints a package
when it begins to compile it, and by then has everything that the package imports, compiled now or kept from before. So
the packages behind the printed ones are done, and the printed ones say how fast this machine is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Before this share is compiled, its speed says too little.
MINIMUM_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class Package:
    """A Go package: its weight, and the packages that it imports."""

    weight: float
    imports: tuple[str, ...]


class Estimate:
    """The state of one build.

    Args:
        packages: all packages of the programs, by import path.
        known_rate: the weight per second of an earlier build on this machine, 0 if there was none.
    """

    def __init__(self, packages: Mapping[str, Package], known_rate: float = 0.0) -> None:
        self._packages = packages
        self._known_rate = known_rate
        self._done: set[str] = set()
        self._compiled = 0.0
        self._left = sum(package.weight for package in packages.values())
        self._total = self._left

    def begins(self, path: str) -> None:
        """Record that Go begins to compile a package."""
        package = self._packages.get(path)
        if package is not None:
            self._compiled += package.weight
            self._finish(package.imports)

    def share(self) -> float:
        """Return how much of the source is compiled, from 0 to 1."""
        return 1 - self._left / self._total if self._total else 1.0

    def rate(self, elapsed_seconds: float) -> float:
        """Return the weight per second: measured in this build, at its beginning that of an earlier one, or 0."""
        if self._compiled < MINIMUM_SHARE * self._total:
            return self._known_rate
        return self._compiled / elapsed_seconds if elapsed_seconds else 0.0

    def seconds_left(self, elapsed_seconds: float) -> float | None:
        """Return the time that the rest needs, None while nothing is known."""
        rate = self.rate(elapsed_seconds)
        return self._left / rate if rate else None

    def _finish(self, paths: Iterable[str]) -> None:
        waiting = list(paths)
        while waiting:
            path = waiting.pop()
            if path not in self._done and path in self._packages:
                self._done.add(path)
                self._left -= self._packages[path].weight
                waiting.extend(self._packages[path].imports)


def duration(seconds: float) -> str:
    """Return a time as people say it: rounded up, the coarser the longer it is."""
    if seconds < 50:
        return f"{max(10, -(-int(seconds) // 10) * 10)} s"
    return f"{max(1, round(seconds / 60))} min"
