"""Commands of other packages, found by entry point and imported only on request.

An extension is an object with `help`, `configure(parser)` and `run(args) -> int`. The help of the known ones is
repeated here, because reading it from them would import a web server.
"""

import argparse
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

from urumi.errors import UrumiError

GROUP = "urumi.commands"
KNOWN = {
    "serve": "run the server and the reconciler",
    "cluster": "a local Kubernetes without Docker: up, down, status",
}


class Extension(Protocol):
    """A command of another package."""

    help: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Run the command and return the exit code."""


def extensions() -> dict[str, EntryPoint]:
    """Return the entry points of the installed extensions by name, the known ones first."""
    found = {point.name: point for point in entry_points(group=GROUP)}
    order = [name for name in KNOWN if name in found] + sorted(found.keys() - KNOWN.keys())
    return {name: found[name] for name in order}


def load(point: EntryPoint) -> Extension:
    """Import an extension.

    Raises:
        UrumiError: if its package is missing or broken.
    """
    try:
        extension: Extension = point.load()
    except (ImportError, AttributeError) as error:
        raise UrumiError(
            f"Command {point.name!r} ({point.value}) cannot be loaded: {error}.",
            hint="Reinstall the package that provides it.",
        ) from error
    return extension
