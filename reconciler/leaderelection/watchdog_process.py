"""The process of the watchdog: a script that imports only psutil and the standard library, so that it stays small.

    python watchdog_process.py PID < seconds, one value per line

Nothing imports it. When the time that the last line allowed is over, it kills the process groups that children of PID
lead until none is left, then waits for the next line.
"""

import contextlib
import os
import select
import signal
import sys
import time

import psutil

KILL_INTERVAL_SECONDS = 0.1
LINE_BYTES = 65536


def watch(leader: int) -> None:
    """Read limits and kill process groups until standard input is closed."""
    ends_at: float | None = None
    while True:
        wait = None if ends_at is None else max(KILL_INTERVAL_SECONDS, ends_at - time.monotonic())
        if select.select([0], [], [], wait)[0]:
            # The leader writes whole lines, and writes this short are atomic.
            lines = os.read(0, LINE_BYTES).split()
            if not lines:
                return
            ends_at = time.monotonic() + float(lines[-1])
        if ends_at is not None and time.monotonic() >= ends_at and not kill_groups(leader):
            ends_at = None


def kill_groups(leader: int) -> int:
    """Kill the process groups that children of a process lead; return how many there were."""
    killed = 0
    try:
        for child in psutil.Process(leader).children():
            # Helm leads its own process groups; other children must not be killed. A frozen leader reaps no zombies.
            with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
                leads_group = child.pid != os.getpid() and os.getpgid(child.pid) == child.pid
                if leads_group and child.status() != psutil.STATUS_ZOMBIE:
                    os.killpg(child.pid, signal.SIGKILL)
                    killed += 1
    except psutil.NoSuchProcess:
        return 0
    return killed


if __name__ == "__main__":
    watch(int(sys.argv[1]))
