"""Every way in which setup.sh ends: an exit code, one sentence instead of a traceback, or another program."""

import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from cluster.console import report_error
from cluster.errors import ClusterError

INTERRUPTED = 130
BROKEN_PIPE = 141


def guarded(run: Callable[[], int]) -> int:
    """Run a command and return its exit code; print why it failed."""
    try:
        return run()
    except KeyboardInterrupt:
        report_error("Interrupted. Run the same command again: it continues where this one stopped.")
        return INTERRUPTED
    except ClusterError as error:
        report_error(error.sentence())
    except BrokenPipeError:
        # The reader has closed the pipe, as `| head` does. Python would report it again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        report_error(_sentence(error))
    return 1


def run_program(run: Callable[[], int]) -> int:
    """Run a command as a whole program: ctrl-c causes no traceback, neither before nor after.

    setup.sh and `become` ignore SIGINT until here, because Python's own start cannot handle it.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return guarded(run)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def become(program: Path, *arguments: str, ignores_interrupts: bool = False) -> NoReturn:
    """Continue in another program, in the same process and on the same terminal."""
    sys.stdout.flush()
    if ignores_interrupts:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.execv(program, [str(program), *arguments])  # noqa: S606


def _sentence(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" {error.filename} could not be written." if error.filename else ""
        return f"The disk is full.{where} Free some space and run this again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{error.strerror}: {error.filename}. Check who may write there."
    return str(error)
