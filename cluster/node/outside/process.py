"""A process outside the namespaces: what holds the node, what forwards its ports.

A bound one is killed when the process that started it ends, so an interrupted test run leaves nothing. A detached one
stays until it is killed, and is found again by any later command. Pids are reused and a machine restarts, so a record
also has the id of the boot and the time of the process's start.
"""

import json
import os
import select
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cluster.folders import write_private
from cluster.node.errors import NodeError
from cluster.node.folders import ROOT, NodeFolder

KILL_SECONDS = 30.0
# Leaves "$@" behind with its output in the log "$0", and prints its pid.
DETACH = '"$@" >>"$0" 2>&1 & echo $!'
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Process:
    """One process with a name, running or not; its output is in a log of that name."""

    def __init__(self, name: str, folder: NodeFolder, *, is_bound: bool) -> None:
        self.name = name
        self._record = folder.run / f"{name}.json"
        self._log = folder.logs / f"{name}.log"
        self._is_bound = is_bound
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str]) -> None:
        """Start it; a bound one must be started by the main thread, whose end the kernel reports to it."""
        pid = self._start_bound(command) if self._is_bound else self._start_detached(command)
        write_private(self._record, json.dumps({"pid": pid, "started": _started(pid), "command": list(command)}))

    def pid(self) -> int | None:
        """Return the pid, None if it is not running."""
        if self._child is not None and self._child.poll() is not None:
            return None
        record = self._read()
        pid = int(record.get("pid", 0))
        return pid if pid and record.get("started") == _started(pid) else None

    def runs(self, command: Sequence[str]) -> bool:
        """Return whether it is running and was started with this command."""
        return self.pid() is not None and self._read().get("command") == list(command)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if it is running."""
        pid = self.pid()
        if pid is not None:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return

    def wait(self, seconds: float) -> bool:
        """Wait for its end, and return whether it ended in time."""
        pid = self.pid()
        if pid is None:
            return True
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        try:
            is_ended = bool(select.select([descriptor], [], [], seconds)[0])
        finally:
            os.close(descriptor)
        return is_ended

    def kill(self) -> None:
        """Kill it and wait for its end.

        Raises:
            NodeError: it survived.
        """
        self.signal(signal.SIGKILL)
        if not self.wait(KILL_SECONDS):
            raise NodeError(f"{self.name} (pid {self.pid()}) survived SIGKILL.", hint="Check its state with ps.")
        if self._child is not None:
            self._child.wait()
            self._child = None
        self._record.unlink(missing_ok=True)

    def _start_bound(self, command: Sequence[str]) -> int:
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],
                cwd=ROOT,
                env=_environ(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self._child.pid

    def _start_detached(self, command: Sequence[str]) -> int:
        done = subprocess.run(
            ["sh", "-c", DETACH, str(self._log), *command],
            cwd=ROOT,
            env=_environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
            check=True,
        )
        return int(done.stdout)

    def _read(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._record.read_text()))
        except (OSError, ValueError, TypeError):
            return {}


def _environ() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def _started(pid: int) -> str:
    """Return when a process started, in this boot; empty if it does not exist or has ended."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state in "ZX" else f"{BOOT_ID.read_text().strip()} {fields[18]}"
