"""The watchdog's process: a plain script on the standard library, so that it is small and starts at once.

    python watchdog_process.py PID < seconds, a line each

Not imported by anything. It waits for the time that the last line allowed to run out, then kills the process groups of
PID's children until none is left, and waits for the next line.
"""

import os
import select
import signal
import sys
import time

STRIKE_SECONDS = 0.1
LINE_BYTES = 65536


def watch(leader: int) -> None:
    """Read and strike until standard input ends."""
    ends_at: float | None = None
    while True:
        wait = None if ends_at is None else max(STRIKE_SECONDS, ends_at - time.monotonic())
        if select.select([0], [], [], wait)[0]:
            # The leader writes a line at a time, and lines this short arrive whole.
            lines = os.read(0, LINE_BYTES).split()
            if not lines:
                return
            ends_at = time.monotonic() + float(lines[-1])
        if ends_at is not None and time.monotonic() >= ends_at and not strike(leader):
            ends_at = None


def strike(leader: int) -> int:
    """Kill the process groups of a process's children; return how many there were."""
    struck = 0
    for pid in children(leader):
        try:
            # Helm runs in process groups of its own; anything else is none of the watchdog's business.
            if pid != os.getpid() and os.getpgid(pid) == pid:
                os.killpg(pid, signal.SIGKILL)
                struck += 1
        except (ProcessLookupError, PermissionError):
            continue
    return struck


def children(parent: int) -> list[int]:
    """Return the pids of a process's living children."""
    if not os.path.isdir("/proc/self"):
        with os.popen("ps -axo pid=,ppid=,stat=") as listed:  # noqa: S605 - a fixed command
            rows = [line.split() for line in listed]
        return [int(pid) for pid, ppid, state in rows if int(ppid) == parent and not state.startswith("Z")]
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and is_child(name, parent)]


def is_child(pid: str, parent: int) -> bool:
    """Return whether a process lives and has that parent."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            state, ppid = stat.read().rpartition(")")[2].split()[:2]
    except (OSError, ValueError):
        return False
    return state != "Z" and int(ppid) == parent


if __name__ == "__main__":
    watch(int(sys.argv[1]))
