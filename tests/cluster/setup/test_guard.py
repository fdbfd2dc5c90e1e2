"""Every way in which setup.sh ends is one sentence and an exit code."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.errors import SetupError
from cluster.setup.guard import guarded

ROOT = Path(__file__).resolve().parents[3]


def failing(error: BaseException) -> Callable[[], int]:
    """Return a command that fails."""

    def run() -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (SetupError("A is missing.", hint="Install A."), 1, "A is missing. Install A."),
        (
            KeyboardInterrupt(),
            130,
            "Interrupted. Run the same command again: it continues where this one stopped.",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "/a/b"),
            1,
            "The disk is full. /a/b could not be written. Free some space and run this again.",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/a/b"),
            1,
            "Permission denied: /a/b. Check who may write there.",
        ),
        (FileNotFoundError(errno.ENOENT, "No such file", "/a"), 1, "[Errno 2] No such file: '/a'"),
    ],
    ids=str,
)
def test_a_failure_is_one_sentence(
    error: BaseException, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(failing(error)) == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"setup.sh: {words}\n")


def test_a_command_returns_its_code() -> None:
    assert guarded(lambda: 3) == 3


def test_ctrl_c_ends_a_program_only_while_it_runs() -> None:
    code = "import os, signal, sys\nfrom cluster.setup.guard import run_program\n"
    code += "interrupt = lambda: os.kill(os.getpid(), signal.SIGINT)\n"
    code += "signal.signal(signal.SIGINT, signal.SIG_IGN)\ninterrupt()\n"
    code += "print(run_program(interrupt), flush=True)\ninterrupt()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGINT, "130\n")
    assert done.stderr.startswith("setup.sh: Interrupted.")
    assert "Traceback" not in done.stderr


def test_a_reader_that_closes_the_pipe_causes_no_message() -> None:
    code = "import sys\nfrom cluster.setup.guard import guarded\nfrom cluster.console import Terminal\n"
    code += "sys.exit(guarded(lambda: [Terminal().say('line') for _ in iter(int, 1)]))"
    reader, writer = os.pipe()
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        os.read(reader, 5)
        os.close(reader)
        _, messages = process.communicate(timeout=30)
    assert (process.returncode, messages) == (141, b"")
