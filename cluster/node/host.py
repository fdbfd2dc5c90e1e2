"""The requirements of a node: Linux, root, namespaces, control groups, some Debian packages.

Checked before anything starts, so that a test report contains one sentence instead of the end of a log.
"""

import os
import platform
import shutil
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cluster.node.errors import NodeError

# One program of each Debian package that the node or the build of its images needs.
PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "buildah": "buildah",
    "iptables": "iptables",
    "nft": "nftables",
    "conntrack": "conntrack",
    "mmdebstrap": "mmdebstrap",
    "busybox": "busybox-static",
    "ethtool": "ethtool",
    "openssl": "openssl",
    "ip": "iproute2",
    "unshare": "util-linux",
}
# The type of the header with which an ELF program names the loader of its libraries.
PT_INTERP = 3
NAMESPACES = ("--cgroup", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork")
# Folders of programs for root, which are not on the PATH of other users.
SEARCH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"))


def missing_packages() -> list[str]:
    """Return the Debian packages whose programs are missing."""
    return [package for program, package in PACKAGES.items() if not _is_there(program)]


def _is_there(program: str) -> bool:
    found = shutil.which(program, path=SEARCH)
    # The busybox of Debian's other package needs libraries and does not start in an empty image.
    return found is not None and (program != "busybox" or not _has_loader(Path(found)))


def _has_loader(program: Path) -> bool:
    with program.open("rb") as file:
        head = file.read(64)
        if len(head) < 64 or not head.startswith(b"\x7fELF\x02\x01"):  # 64 bits, little-endian
            return False
        (offset,) = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        file.seek(offset)
        table = file.read(size * count)
    return any(struct.unpack_from("<I", table, start) == (PT_INTERP,) for start in range(0, len(table), size))


def obstacle() -> str:
    """Return why no node can run here and what to do, empty if one can."""
    reason = platform_obstacle(platform.system(), os.geteuid())
    if reason:
        return reason
    missing = missing_packages()
    if missing:
        return f"A node needs Debian packages that are missing: apt-get install {' '.join(missing)}"
    return namespace_obstacle()


def platform_obstacle(system: str, user: int) -> str:
    """Return why no node can run on this system or as this user, empty if one can."""
    if system != "Linux":
        return f"A node needs Linux, this is {system}: use a virtual machine with Linux."
    if user != 0:
        return f"A node needs root for namespaces and mounts, this is user {user}: run this as root."
    return ""


def namespace_obstacle() -> str:
    """Return why the machine refuses the namespaces or the control groups of a node, empty if it does not."""
    done = subprocess.run(
        ["unshare", *NAMESPACES, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        words = done.stderr.strip() or f"unshare ended with {done.returncode}"
        return f"A node needs its own namespaces, which this machine refuses: {words}"
    groups = Path("/sys/fs/cgroup")
    if not any(groups.rglob("cgroup.procs")) or not os.access(groups, os.W_OK):
        return f"A node needs control groups that it may create, but {groups} has none or is read-only."
    return ""


def check() -> None:
    """Raise if no node can run here.

    Raises:
        NodeError: states what is missing.
    """
    words = obstacle()
    if words:
        raise NodeError(words)


def run(*command: str | Path, cwd: Path | None = None, timeout_seconds: float = 120.0) -> str:
    """Run a command of the machine and return its output.

    Raises:
        NodeError: it failed, with the end of its output, or took too long.
    """
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, "PATH": SEARCH},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            # Files of images and volumes are read by other users.
            umask=0o022,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NodeError(f"{_shortened(command)} did not end within {timeout_seconds:.0f} s.") from None
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise NodeError(f"{_shortened(command)} ended with {done.returncode}:\n{last}")
    return done.stdout


def _shortened(command: Sequence[str | Path]) -> str:
    return " ".join(map(str, command))[:200]
