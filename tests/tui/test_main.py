"""`urumi-tui` as a process: help, version, invalid usage, no terminal, and a real terminal."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from testing.peer.server import Peer
from testing.stores import make_store
from urumi import __version__

PATIENCE_SECONDS = 60.0
COMMAND = [sys.executable, "-W", "error", "-m", "tui.main"]


def environ(home: Path, **more: str) -> dict[str, str]:
    """Return an environment without settings of this machine."""
    given = {"PATH": os.environ["PATH"], "HOME": str(home), "URUMI_STATE_DIR": str(home / "state"), "LANG": "C.UTF-8"}
    return {**given, "URUMI_CONFIG": str(home / "config.toml"), "TERM": "xterm-256color", **more}


def run(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run it without a terminal."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environ(home, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


class Terminal:
    """The command in its own terminal."""

    def __init__(self, home: Path, *arguments: str, command: Sequence[str] = tuple(COMMAND), **more: str) -> None:
        self.written = b""
        self._descriptor, terminal = pty.openpty()
        self.process = subprocess.Popen(
            [*command, *arguments], env=environ(home, **more), stdin=terminal, stdout=terminal, stderr=terminal
        )
        os.close(terminal)

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._descriptor, keys)

    def until(self, words: bytes) -> None:
        """Wait until it writes a text."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while words not in self.written:
            assert time.monotonic() < deadline, f"waited for {words!r}, saw {self.written[-3000:]!r}"
            if not self._read():
                raise AssertionError(f"it ended, waiting for {words!r}; it wrote {self.written[-3000:]!r}")

    def end(self) -> int:
        """Wait for its end and return the exit code."""
        while self._read():
            pass
        return self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        """End it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_SECONDS)
        os.close(self._descriptor)

    def _read(self) -> bool:
        readable, _, _ = select.select([self._descriptor], [], [], PATIENCE_SECONDS)
        assert readable, f"nothing written for {PATIENCE_SECONDS:g} s; before that: {self.written[-3000:]!r}"
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:  # the other end is closed
            return False
        self.written += data
        return bool(data)


Open = Callable[..., Terminal]


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator[Open]:
    """Start it in a terminal; every process is ended after the test."""
    opened: list[Terminal] = []

    def start(*arguments: str, **more: Any) -> Terminal:
        opened.append(Terminal(tmp_path, *arguments, **more))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.kill()


def test_help_names_every_flag_and_the_file(tmp_path: Path) -> None:
    done = run(tmp_path, "--help")
    assert done.returncode == 0
    for words in (
        "--url",
        "--token",
        "--read-only",
        "--ascii",
        "--theme",
        "--version",
        "urumi/config.toml",
        "Press ? in the dashboard",
    ):
        assert words in done.stdout


def test_version(tmp_path: Path) -> None:
    assert run(tmp_path, "--version").stdout == f"urumi-tui {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["--url", "nonsense"], "The server URL must be like", id="url"),
        pytest.param(["--token", "with blank"], "The token must be printable ASCII", id="token"),
        pytest.param(["--colour"], "unrecognized arguments: --colour", id="flag"),
    ],
)
def test_a_wrong_argument_is_one_sentence_and_exit_code_2(
    open_terminal: Open, arguments: list[str], words: str
) -> None:
    terminal = open_terminal(*arguments)
    assert terminal.end() == 2
    assert words.encode() in terminal.written
    assert b"Traceback" not in terminal.written


def test_a_wrong_setting_in_the_file_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("tehme = 1")
    done = run(tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Did you mean 'theme'?" in done.stderr


def test_without_a_terminal_the_error_names_alternatives(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "urumi-tui: The dashboard needs a terminal. Run `urumi list` or `urumi watch` in a pipe or a script.\n"
    )


@pytest.mark.parametrize("keys", [b"q", b"\x11", b"\x03"], ids=["q", "ctrl-q", "ctrl-c"])
def test_it_runs_in_a_terminal_and_exits_with_code_0(peer: Peer, open_terminal: Open, keys: bytes) -> None:
    peer.put(make_store("shop-1"))
    terminal = open_terminal(URUMI_URL=peer.url, URUMI_TOKEN=peer.token)
    terminal.until(b"shop-1")
    terminal.press(keys)
    assert terminal.end() == 0
    assert b"Traceback" not in terminal.written


def test_a_defect_ends_it_with_a_message_that_names_a_file(tmp_path: Path, open_terminal: Open) -> None:
    code = (
        "import sys; from tui.screens.stores import StoresScreen;"
        "StoresScreen.action_new = lambda self: 1 / 0;"
        "from tui.main import main; sys.exit(main())"
    )
    terminal = open_terminal("--url", "http://127.0.0.1:9", command=[sys.executable, "-c", code])
    terminal.until(b"Urumi")
    terminal.press(b"n")
    assert terminal.end() == 1
    said = terminal.written.decode()
    assert "urumi-tui: The dashboard ended with an internal error: ZeroDivisionError('division by zero')." in said
    assert "Traceback" not in said
    assert "ZeroDivisionError" in (tmp_path / "state" / "dashboard-error.log").read_text()


@pytest.mark.parametrize(
    ("module", "late"),
    [
        pytest.param("tui.model.settings", ("textual", "rich", "pydantic", "httpx2", "websockets"), id="help"),
        pytest.param("tui.app", ("pydantic", "httpx2", "websockets"), id="first-paint"),
    ],
)
def test_modules_are_loaded_only_when_they_are_needed(tmp_path: Path, module: str, late: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print([name for name in {late} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ(tmp_path), capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_it_prints_completion_for_a_shell(tmp_path: Path, shell: str) -> None:
    done = run(tmp_path, "--print-completion", shell)
    assert done.returncode == 0
    assert done.stderr == ""
    for flag in ("url", "token", "read-only", "ascii", "theme"):
        assert f"--{flag}" in done.stdout or f"-l {flag}" in done.stdout


def test_bash_completes_its_flags(tmp_path: Path) -> None:
    (tmp_path / "completion").write_text(run(tmp_path, "--print-completion", "bash").stdout)
    code = (
        f"source {tmp_path}/completion; COMP_WORDS=(urumi-tui --re); COMP_CWORD=1; COMP_LINE='urumi-tui --re';"
        "_shtab_urumi_tui urumi-tui --re urumi-tui; echo ${COMPREPLY[@]}"
    )
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "--read-only\n"
