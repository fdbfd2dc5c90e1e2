"""The control groups of a node: children of this process's group in every hierarchy, so its limits apply to them.

Both versions are supported: the hierarchies of version 1, and the root of version 2, because a group that contains
processes cannot delegate controllers.
"""

import hashlib
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from cluster.node.errors import NodeError

REMOVE_SECONDS = 20.0
NEEDED = {"cpu", "memory", "pids"}


def group_name(storage: Path) -> str:
    """Return the name of the groups: one per storage, because one node at a time uses a storage."""
    return f"urumi-node-{hashlib.sha256(str(storage.resolve()).encode()).hexdigest()[:8]}"


def make_groups(name: str) -> list[Path]:
    """Create the node's group in every hierarchy, remove those of a killed run, and return the folders.

    Raises:
        NodeError: a controller that the kubelet needs is not available.
    """
    remove_groups(find_groups(name))
    groups = [_make(Path(point) / own.lstrip("/"), Path(point), kind, name) for point, own, kind in _hierarchies()]
    if not groups:
        raise NodeError("A node needs control groups, but none are mounted in /sys/fs/cgroup.")
    return groups


def find_groups(name: str) -> list[Path]:
    """Return the node's groups of every run, also under other parents."""
    return [Path(folder, name) for point, _, _ in mounts() for folder, names, _ in os.walk(point) if name in names]


def remove_groups(groups: list[Path]) -> list[Path]:
    """Kill what is left in the groups, remove them and their children, and return those that could not be removed."""
    deadline = time.monotonic() + REMOVE_SECONDS
    left = [group for group in groups if group.exists()]
    while left and time.monotonic() < deadline:
        for group in left:
            _kill_members(group)
            _remove(group)
        left = [group for group in left if group.exists()]
        if left:
            time.sleep(0.1)
    return left


def mounts() -> list[tuple[str, str, str]]:
    """Return every cgroup mount of the machine: mount point, file system type, options of the hierarchy."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        kind, _, options = rest.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            found.append((fields.split()[4], kind, options))
    return found


def _hierarchies() -> list[tuple[str, str, str]]:
    own = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        own[frozenset(names.split(",")) if names else frozenset()] = path
    found = []
    for point, kind, options in mounts():
        if kind == "cgroup2":
            # If version 1 is mounted too, version 2 has no controllers to delegate.
            is_only = "memory" in (Path(point) / "cgroup.controllers").read_text().split()
            found.append((point, "/" if is_only else own.get(frozenset(), "/"), kind))
            continue
        path = next((path for names, path in own.items() if names and names <= set(options.split(","))), "/")
        found.append((point, path, kind))
    return found


def _make(parent: Path, point: Path, kind: str, name: str) -> Path:
    group = (parent if parent.is_dir() else point) / name
    group.mkdir(exist_ok=True)
    for file in ("cpuset.cpus", "cpuset.mems"):
        if kind == "cgroup" and (group / file).exists():
            (group / file).write_text((group.parent / file).read_text())
    if kind == "cgroup2" and (group.parent / "cgroup.controllers").read_text().split():
        _delegate(group)
    return group


def _delegate(group: Path) -> None:
    offered = (group.parent / "cgroup.controllers").read_text().split()
    for controller in offered:
        try:
            (group.parent / "cgroup.subtree_control").write_text(f"+{controller}")
        except OSError as error:
            if controller in NEEDED:
                group.rmdir()
                raise NodeError(f"Cgroup controller {controller} unavailable at {group}: {error}.") from error


def _kill_members(group: Path) -> None:
    for file in group.rglob("cgroup.procs"):
        with suppress(OSError):
            # A process of another pid namespace is listed as 0.
            for pid in filter(None, map(int, file.read_text().split())):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _remove(group: Path) -> None:
    for folder in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
        _rmdir(folder)
    _rmdir(group)


def _rmdir(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return
