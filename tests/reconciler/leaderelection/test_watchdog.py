"""The watchdog as a process: it kills the Helm processes of its leader when their time is over."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from reconciler.leaderelection.watchdog import SCRIPT, Watchdog
from testing.kubectl import wait_for

# A leader that starts its watchdog and two children, forwards what it reads to the watchdog, and does nothing else.
LEADER = """
import os, subprocess, sys, time
watchdog = subprocess.Popen([sys.executable, "-I", sys.argv[1], str(os.getpid())], stdin=subprocess.PIPE,
                          start_new_session=True)
child = subprocess.Popen(["sleep", "60"], start_new_session=True)
plain = subprocess.Popen(["sleep", "60"])
print(watchdog.pid, child.pid, plain.pid, flush=True)
for line in sys.stdin:
    watchdog.stdin.write(line.encode())
    watchdog.stdin.flush()
"""


class Leader:
    """A process with a watchdog and two children, one of which leads a process group as Helm does."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self.process = process
        self.watchdog, self.child, self.plain = map(int, process.stdout.readline().split())

    def allow(self, seconds: float) -> None:
        """Send the watchdog how long Helm may run."""
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


def is_running(pid: int) -> bool:
    """Return whether a process exists and is not a zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_process_groups_of_children_are_killed_when_the_time_is_over() -> None:
    with leader() as found:
        found.allow(0.2)
        wait_for(lambda: not is_running(found.child), "the child to be killed", seconds=10)
        assert is_running(found.plain)
        assert is_running(found.watchdog)


def test_a_renewal_extends_their_time() -> None:
    with leader() as found:
        ends = time.monotonic() + 2.0
        while time.monotonic() < ends:
            found.allow(1.0)
            time.sleep(0.1)
        assert is_running(found.child)
        found.allow(0.0)
        wait_for(lambda: not is_running(found.child), "the child to be killed", seconds=10)


def test_nothing_is_killed_before_the_first_limit() -> None:
    with leader() as found:
        time.sleep(0.5)
        assert is_running(found.child)


def test_it_ends_with_its_leader() -> None:
    with leader() as found:
        found.process.kill()
        wait_for(lambda: not is_running(found.watchdog), "the watchdog to end", seconds=10)


@pytest.mark.anyio
async def test_the_leader_restarts_a_watchdog_that_has_ended() -> None:
    async with Watchdog() as watchdog:
        first = watchdog.pid
        psutil.Process(first).kill()
        async with asyncio.timeout(10):
            while watchdog.pid == first:
                await watchdog.allow(60)
                await asyncio.sleep(0)
        second = watchdog.pid
        assert is_running(second)
    assert not is_running(second)
