"""tmux with one program in it: sends keys, returns the screen as text, and records all output."""

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from testing.kubectl import wait_for

OPTIONS = """\
set -g status off
set -g mouse on
set -s set-clipboard on
"""
ENDED = "ended with"


class Tmux:
    """A tmux server with its own socket and settings, independent of the user's; a context manager.

    Args:
        folder: for its socket, its settings and what the program writes.
    """

    def __init__(
        self, folder: Path, command: Sequence[str], environ: Mapping[str, str], size: tuple[int, int] = (120, 40)
    ) -> None:
        self._command = command
        self._environ = environ
        self._size = size
        self._socket = folder / "tmux"
        self._settings = folder / "tmux.conf"
        self._written = folder / "written"

    def __enter__(self) -> Self:
        self._settings.write_text(OPTIONS)
        columns, lines = map(str, self._size)
        self._run(
            "new-session", "-d", "-x", columns, "-y", lines, f"{shlex.join(self._command)}; echo {ENDED} $?; exec cat"
        )
        self._run("pipe-pane", "-O", f"cat > {shlex.quote(str(self._written))}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run("kill-server")

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names for them."""
        self._run("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text."""
        self._run("send-keys", "-l", text)

    def resize(self, columns: int, lines: int) -> None:
        """Make the terminal larger or smaller."""
        self._run("resize-window", "-x", str(columns), "-y", str(lines))

    def lines(self) -> list[str]:
        """Return what the screen shows."""
        return self._run("capture-pane", "-p").splitlines()

    def until_shown(self, *words: str) -> None:
        """Wait until all texts are on the screen at the same time."""

        def is_shown() -> bool:
            shown = "\n".join(self.lines())
            return all(each in shown for each in words)

        try:
            wait_for(is_shown, f"{words} on the screen")
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *self.lines()])) from error

    def until_message(self, words: str) -> None:
        """Wait until a text was written, even if it is no longer on the screen."""
        wait_for(lambda: words in self._written.read_text(errors="replace"), f"{words!r} to be written")

    def copied(self) -> str:
        """Return the text that the program sent to the terminal's clipboard, empty before."""
        return self._run("show-buffer", may_fail=True)

    def until_ended(self, code: int) -> None:
        """Wait until the program has ended with that exit code."""
        self.until_shown(f"{ENDED} {code}")

    def _run(self, *arguments: str, may_fail: bool = False) -> str:
        done = subprocess.run(
            ["tmux", "-f", str(self._settings), "-S", str(self._socket), *arguments],
            env=dict(self._environ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert may_fail or done.returncode == 0, f"tmux {arguments}: {done.stderr}"
        return done.stdout
