"""One background process of the cluster: started detached, found by any later command, stopped reliably.

A component does not depend on a terminal: a shell starts it in a new session, writes its pid and exits. The launch is
recorded before the process starts, so an interrupted command loses no process. Pids are reused, so a process counts as
the component only while its command line is the recorded one, and every such line contains this cluster's folder.

Not guaranteed: that a running process works; the caller checks that.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import psutil

from cluster.errors import StartError, StopError
from cluster.folders import StateFolder, write_private

MAX_LOG_BYTES = 10 * 1024**2
TAIL_BYTES = 64 * 1024
EXEC_SECONDS = 10.0
KILL_SECONDS = 10.0
POLL_SECONDS = 0.02
# The parent of every kernel thread of Linux; in a pid namespace this pid may be any process.
KTHREADD_PID, KTHREADD = 2, "kthreadd"

# Detaches "$@" with its output in the log, and writes its pid to the file "$0".
DETACH = '"$@" & echo $! > "$0"'


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start: the command line, a digest of the files that it reads at its start, and its environment."""

    argv: tuple[str, ...]
    digest: str
    environ: tuple[tuple[str, str], ...] = ()


class Component:
    """A process of the cluster, running or not."""

    def __init__(self, name: str, folder: StateFolder) -> None:
        self.name = name
        self.log = folder.logs / f"{name}.log"
        self._run_dir = folder.run
        self._pid_file = folder.run / f"{name}.pid"
        self._launch_file = folder.run / f"{name}.json"

    def pid(self) -> int | None:
        """Return the pid, None if it is not running."""
        launch = self._recorded()
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return None
        return pid if launch is not None and runs_as(pid, launch.argv) else None

    def runs(self, launch: Launch) -> bool:
        """Return whether it is running and was started with exactly this launch."""
        return self._recorded() == launch and self.pid() is not None

    def start(self, launch: Launch) -> None:
        """Start it in the background."""
        if self.log.exists() and self.log.stat().st_size > MAX_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        self._pid_file.unlink(missing_ok=True)
        write_private(self._launch_file, json.dumps(asdict(launch)))
        with os.fdopen(os.open(self.log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "ab") as log:
            subprocess.run(
                ["/bin/sh", "-c", DETACH, str(self._pid_file), *launch.argv],
                cwd=self._run_dir,
                # These programs must not read the user's configuration.
                env={"PATH": os.defpath, "HOME": str(self._run_dir), **dict(launch.environ)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                check=True,
            )
        # Until the shell's child has executed the program, its command line is still the shell's.
        pid = int(self._pid_file.read_text())
        expected = " ".join(launch.argv)
        wait_until(lambda: command_line(pid) == expected or not is_alive(pid), EXEC_SECONDS, POLL_SECONDS)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if it is running."""
        pid = self.pid()
        if pid is not None:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return

    def log_tail(self, lines: int = 8) -> str:
        """Return the last lines of its log."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL_BYTES))
                return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def failure(self, what: str) -> StartError:
        """Return an error about it, with the last lines of its log and the log's path."""
        return StartError(f"{self.name} {what}. Its log ends with:\n{self.log_tail()}\n", hint=f"See {self.log}")

    def _recorded(self) -> Launch | None:
        try:
            record = json.loads(self._launch_file.read_text())
            environ = tuple((name, value) for name, value in record.get("environ", ()))
            return Launch(tuple(record["argv"]), record["digest"], environ)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None


def stop_all(components: Sequence[Component], grace_seconds: float) -> None:
    """Stop components together: SIGTERM, a grace period, SIGKILL.

    Raises:
        StopError: a process survived.
    """
    for component in components:
        component.signal(signal.SIGTERM)
    if _all_gone(components, grace_seconds):
        return
    for component in components:
        component.signal(signal.SIGKILL)
    if not _all_gone(components, KILL_SECONDS):
        left = ", ".join(f"{component.name} (pid {component.pid()})" for component in components if component.pid())
        raise StopError(f"Processes survived SIGKILL: {left}.", hint="Check their state with ps.")


def runs_as(pid: int, argv: Sequence[str]) -> bool:
    """Return whether a process is alive and has this command line."""
    line = command_line(pid)
    # The line is empty for a moment during exec, and while a process exits but still holds its files.
    return line == " ".join(argv) or (line == "" and is_alive(pid))


def is_alive(pid: int) -> bool:
    """Return whether a user's process exists and has not ended."""
    try:
        process = psutil.Process(pid)
        if KTHREADD_PID in (pid, process.ppid()) and psutil.Process(KTHREADD_PID).name() == KTHREADD:
            return False
        return process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except (psutil.Error, ValueError):
        return False


def command_line(pid: int) -> str:
    """Return the command line of a process, empty if there is none."""
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except (psutil.Error, ValueError):
        return ""


def wait_until(look: Callable[[], bool], seconds: float, poll_seconds: float = 0.1) -> bool:
    """Poll until a condition holds, and return whether it did in time."""
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(poll_seconds)
    return True


def _all_gone(components: Sequence[Component], seconds: float) -> bool:
    return wait_until(lambda: all(component.pid() is None for component in components), seconds, POLL_SECONDS)
