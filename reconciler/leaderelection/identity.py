"""Who this process is, as the Lease names it, and whether another holder of this machine is provably dead.

An identity is `host_pid_start_space_random`: the start time tells a pid from its next use, `space` names the boot and
the pid namespace, without which a pid of another container would mean nothing. Where any of it is not known (another
machine, another container, not Linux) nothing is proven, and a lease is waited out.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from pathlib import Path


def new_identity() -> str:
    """Return the identity of this process, different at every call."""
    host = socket.gethostname().replace("_", "-")
    return "_".join([host, str(os.getpid()), _started(os.getpid()), _space(), secrets.token_hex(3)])


def is_dead(identity: str) -> bool:
    """Return whether the process of an identity ran in this very pid namespace and runs no more."""
    parts = identity.split("_")
    if len(parts) != 5 or not _space() or parts[0] != socket.gethostname().replace("_", "-") or parts[3] != _space():
        return False
    return parts[1].isdigit() and _started(int(parts[1])) != parts[2]


def _started(pid: int) -> str:
    """Return when a process was started, in ticks since boot; empty where there is none or nothing is known."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if after_name[0] == "Z" else after_name[19]


def _space() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
    return hashlib.sha256((boot + space).encode()).hexdigest()[:10]
