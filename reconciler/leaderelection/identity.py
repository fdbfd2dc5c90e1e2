"""The identity of this process in the Lease, and whether another holder on this machine is provably dead.

An identity is `host_pid_start_space_random`. `start` distinguishes a process from a later one with the same pid.
`space` identifies the boot and the pid namespace, because a pid of another container means nothing here. If any of
these is unknown (another machine, another container, not Linux), nothing is proven and the lease has to expire.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from pathlib import Path

import psutil

TICKS_PER_SECOND = 100
# The start is computed from wall clock times, which an adjustment of the clock between two reads shifts. No pid is
# reused that soon.
START_TOLERANCE_TICKS = 5 * TICKS_PER_SECOND


def new_identity() -> str:
    """Return an identity of this process, different at every call."""
    host = socket.gethostname().replace("_", "-")
    started = _start_ticks(os.getpid())
    return "_".join([host, str(os.getpid()), str(started or ""), _pid_space(), secrets.token_hex(3)])


def is_dead(identity: str) -> bool:
    """Return whether the process of an identity ran in this pid namespace and has ended."""
    parts = identity.split("_")
    if len(parts) != 5 or parts[0] != socket.gethostname().replace("_", "-"):
        return False
    if not parts[3] or parts[3] != _pid_space() or not parts[1].isdigit() or not parts[2].isdigit():
        return False
    try:
        started = _start_ticks(int(parts[1]))
    except psutil.AccessDenied:
        return False
    return started is None or abs(started - int(parts[2])) > START_TOLERANCE_TICKS


def _start_ticks(pid: int) -> int | None:
    """Return when a process was started, in hundredths of a second since boot; None if it has ended."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return round((process.create_time() - psutil.boot_time()) * TICKS_PER_SECOND)
    except psutil.NoSuchProcess:
        return None


def _pid_space() -> str:
    """Return a digest of the boot and the pid namespace, empty if they are unknown; psutil has neither."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
    return hashlib.sha256((boot + space).encode()).hexdigest()[:10]
