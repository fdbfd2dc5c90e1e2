"""What every part of setup.sh is given: the checkout, the state folder, and where to print."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Console(Protocol):
    """The output of setup.sh. A failure is not printed here but raised as a ClusterError."""

    def say(self, text: str = "") -> None:
        """Print a line to standard output."""

    def row(self, name: str, text: str) -> None:
        """Print a line of a status table."""

    def ticker(self) -> AbstractContextManager[None]:
        """Print a line every 15 seconds while something quiet runs."""


@dataclass(frozen=True, slots=True)
class Place:
    """The checkout in which setup.sh runs, and the folder of its state (`URUMI_STATE_DIR`).

    `python` is the environment's Python; the programs of the environment are beside it.
    """

    root: Path
    state: Path
    console: Console
    python: Path

    @property
    def token(self) -> Path:
        """The file with the access token."""
        return self.state / "token"

    @property
    def server_file(self) -> Path:
        """The file from which `urumi` and `urumi-tui` read the server's address."""
        return self.state / "server.json"

    def program(self, name: str) -> Path:
        """Return the path of a program of the environment."""
        return self.python.parent / name

    def remembered(self) -> tuple[str, str]:
        """Return the cluster of the last run and what it noted, both empty before the first run."""
        try:
            name, _, note = self._where.read_text(errors="replace").strip().partition(" ")
        except FileNotFoundError:
            return "", ""
        return name, note

    def remember(self, name: str, note: str = "") -> None:
        """Keep the name of the cluster for `down`, `status` and the next run, with a note such as a context."""
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._where.write_text(f"{name} {note}".rstrip() + "\n")

    def forget(self) -> None:
        """Delete what `remember` kept."""
        self._where.unlink(missing_ok=True)

    @property
    def lock(self) -> Path:
        """The file whose lock is held while `./setup.sh` or `./setup.sh down` changes something."""
        return self.state / "setup.lock"

    @property
    def _where(self) -> Path:
        return self.state / "where"
