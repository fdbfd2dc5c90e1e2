"""The watchdog as it runs: a process that kills the children of its leader when their time is over."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.leaderelection.watchdog import SCRIPT
from testing.kubectl import wait_for

# A leader that freezes: it starts its watchdog and a child, tells how long the child may run, and then only sleeps.
LEADER = """
import os, subprocess, sys, time
watchdog = subprocess.Popen([sys.executable, "-I", "-S", sys.argv[1], str(os.getpid())], stdin=subprocess.PIPE,
                          start_new_session=True)
child = subprocess.Popen(["sleep", "60"], start_new_session=True)
plain = subprocess.Popen(["sleep", "60"])
print(watchdog.pid, child.pid, plain.pid, flush=True)
for line in sys.stdin:
    watchdog.stdin.write(line.encode())
    watchdog.stdin.flush()
"""


class Leader:
    """A process with a watchdog and two children, one of them in a process group of its own as Helm is."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self.process = process
        self.watchdog, self.child, self.plain = map(int, process.stdout.readline().split())

    def allow(self, seconds: float) -> None:
        """Have the leader tell its watchdog for how long Helm may run."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds}\n".encode())
        self.process.stdin.flush()


@contextmanager
def leader() -> Iterator[Leader]:
    """Run a leader."""
    command = [sys.executable, "-c", LEADER, str(SCRIPT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        found = Leader(process)
        try:
            yield found
        finally:
            subprocess.run(["kill", "-9", str(found.child), str(found.plain)], check=False, capture_output=True)
            process.kill()


def lives(pid: int) -> bool:
    """Return whether a process is there and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_children_in_their_own_group_are_killed_when_the_time_is_over() -> None:
    with leader() as found:
        found.allow(0.2)
        wait_for(lambda: not lives(found.child), "the child to be killed", seconds=10)
        assert lives(found.plain)
        assert lives(found.watchdog)


def test_a_renewal_lets_them_run_on() -> None:
    with leader() as found:
        ends = time.monotonic() + 2.0
        while time.monotonic() < ends:
            found.allow(1.0)
            time.sleep(0.1)
        assert lives(found.child)
        found.allow(0.0)
        wait_for(lambda: not lives(found.child), "the child to be killed", seconds=10)


def test_nothing_happens_before_the_first_word() -> None:
    with leader() as found:
        time.sleep(0.5)
        assert lives(found.child)


def test_it_ends_with_its_leader() -> None:
    with leader() as found:
        found.process.kill()
        wait_for(lambda: not lives(found.watchdog), "the watchdog to end", seconds=10)
