"""One background process of the cluster: started detached, found again by any later command, ended for certain.

A component belongs to nobody's terminal: a shell starts it in a session of its own, writes its pid and leaves. What was
started is written down before it is started, so an interrupted command loses no process. A pid alone proves nothing, as
pids are used again: a process is taken for the component only while its command line is the recorded one, and every
such line names this cluster's own folder.

Not guaranteed: that a process which runs does its work; that is for the caller to ask.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cluster.errors import StartError, StopError
from cluster.folders import StateFolder, write_private

MAX_LOG_BYTES = 10 * 1024**2
TAIL_BYTES = 64 * 1024
EXEC_SECONDS = 10.0
KILL_SECONDS = 10.0
POLL_SECONDS = 0.02
# States and a flag of /proc/PID/stat, see proc_pid_stat(5) and PF_KTHREAD.
ENDED_STATES = ("Z", "X")
KERNEL_THREAD = 0x00200000

# Detaches "$@" with its output in the log, and leaves its pid in the file "$0".
DETACH = '"$@" & echo $! > "$0"'


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start: the command line, and a digest of everything that it reads at its start."""

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
        """Return the pid, None where it does not run."""
        launch = self._recorded()
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return None
        return pid if launch is not None and runs_as(pid, launch.argv) else None

    def runs(self, launch: Launch) -> bool:
        """Return whether it runs, started in exactly this way."""
        return self._recorded() == launch and self.pid() is not None

    def start(self, launch: Launch) -> None:
        """Start it in the background."""
        self._rotate_log()
        self._pid_file.unlink(missing_ok=True)
        write_private(self._launch_file, json.dumps(asdict(launch)))
        with os.fdopen(os.open(self.log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "ab") as log:
            subprocess.run(
                ["/bin/sh", "-c", DETACH, str(self._pid_file), *launch.argv],
                cwd=self._run_dir,
                # Nothing of the user's own configuration is for these programs to read.
                env={"PATH": os.defpath, "HOME": str(self._run_dir), **dict(launch.environ)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                check=True,
            )
        self._wait_for_exec(launch)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal where it runs."""
        pid = self.pid()
        if pid is not None:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return

    def last_words(self, lines: int = 8) -> str:
        """Return the last lines of its log."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL_BYTES))
                return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def failure(self, what: str) -> StartError:
        """Return an error about it, with its last words and where its log is."""
        return StartError(f"{self.name} {what}. Its last words:\n{self.last_words()}\n", hint=f"The log: {self.log}")

    def _recorded(self) -> Launch | None:
        try:
            record = json.loads(self._launch_file.read_text())
            environ = tuple((name, value) for name, value in record.get("environ", ()))
            return Launch(tuple(record["argv"]), record["digest"], environ)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _rotate_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > MAX_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))

    def _wait_for_exec(self, launch: Launch) -> None:
        # Until the shell's child has become the program, its command line is still the shell's.
        pid = int(self._pid_file.read_text())
        deadline = time.monotonic() + EXEC_SECONDS
        while command_line(pid) != " ".join(launch.argv) and is_alive(pid) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)


def stop_all(components: Sequence[Component], grace_seconds: float) -> None:
    """End components together: TERM, a grace, KILL.

    Raises:
        StopError: where one survives.
    """
    for component in components:
        component.signal(signal.SIGTERM)
    if _all_gone(components, grace_seconds):
        return
    for component in components:
        component.signal(signal.SIGKILL)
    if not _all_gone(components, KILL_SECONDS):
        left = ", ".join(f"{component.name} (pid {component.pid()})" for component in components if component.pid())
        raise StopError(f"These processes survived SIGKILL: {left}.", hint="They may hang in the kernel; see ps.")


def runs_as(pid: int, argv: Sequence[str]) -> bool:
    """Return whether a process is alive and was started with a command line."""
    line = command_line(pid)
    # The line is empty for a moment while the program is exchanged, and while a process ends but still holds its files.
    return line == " ".join(argv) or (line == "" and is_alive(pid))


def is_alive(pid: int) -> bool:
    """Return whether a process of a user exists that has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return not Path("/proc/self").exists() and _listed_command_line(pid) != ""
    except OSError:
        return False
    return state[0] not in ENDED_STATES and not int(state[6]) & KERNEL_THREAD


def command_line(pid: int) -> str:
    """Return the command line of a process, empty where there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").replace("\0", " ")
    except FileNotFoundError:
        return "" if Path("/proc/self").exists() else _listed_command_line(pid)
    except OSError:
        return ""


def wait_until(look: Callable[[], bool], seconds: float, poll_seconds: float = 0.1) -> bool:
    """Look until the answer is true, and return whether it became so in time."""
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(poll_seconds)
    return True


def _listed_command_line(pid: int) -> str:
    done = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _all_gone(components: Sequence[Component], seconds: float) -> bool:
    return wait_until(lambda: all(component.pid() is None for component in components), seconds, POLL_SECONDS)
