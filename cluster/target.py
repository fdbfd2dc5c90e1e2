"""The clusters on which setup.sh can run Urumi, behind one protocol: local, node, kind, current."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cluster.doctor.finding import Finding
from cluster.place import Place


@dataclass(frozen=True, slots=True)
class Options:
    """The arguments of `up` besides the name of the cluster."""

    values: tuple[Path, ...] = ()
    yes: bool = False


class Target(Protocol):
    """A cluster and Urumi on it."""

    @property
    def name(self) -> str:
        """The name after `--cluster`."""

    def obstacles(self, place: Place) -> Sequence[Finding]:
        """Return what prevents `up`, before it creates anything; a problem ends the run, a note is printed."""

    def up(self, place: Place, options: Options) -> None:
        """Start everything that is not running, and print the URL, the token and the next commands.

        Each stage can be run again and does only what is missing. It calls `place.remember` when it starts to change
        something.

        Raises:
            ClusterError: a stage failed; the next run continues from there.
        """

    def down(self, place: Place, purge: bool) -> None:
        """Stop the server and the cluster; with `purge`, also delete their data."""

    def is_up(self, place: Place) -> bool:
        """Return whether it is running. Quick, and prints nothing."""

    def status(self, place: Place) -> int:
        """Print rows, and return the exit code: 0 up, 1 degraded, 3 down."""
