"""The machine: its system, processors and memory, and the limits of its kernel."""

import os
import platform
import resource
from collections.abc import Iterator
from pathlib import Path

from cluster.access import user_name
from cluster.doctor.finding import Finding
from cluster.place import Place

GIB = 1024**3
LEAST_PROCESSORS = 2.0
LEAST_MEMORY = 4 * GIB
# Below these, kubelet, containerd and the controllers of about ten shops run out of them.
LEAST_INSTANCES, LEAST_WATCHES = 512, 65536
LEAST_FILES = 1024


def system(place: Place) -> Iterator[Finding]:
    """Report the operating system, the kind of machine and the user."""
    words = [platform.platform(), platform.machine()]
    words += [f"in a container ({name})" for name in _container()]
    yield Finding("ok", "system", ", ".join(words))
    yield Finding("ok", "user", f"{user_name(os.geteuid())} ({os.geteuid()})")


def processors(place: Place, cgroup: Path = Path("/sys/fs/cgroup")) -> Iterator[Finding]:
    """Check the number of processors that this process may use."""
    count = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    quota, _, period = _read(cgroup / "cpu.max").partition(" ")
    if quota.isdigit() and period.strip().isdigit():
        count = min(count, int(quota) / int(period))
    if count >= LEAST_PROCESSORS:
        yield Finding("ok", "processors", f"{count:g}")
        return
    yield Finding(
        "note",
        "processors",
        f"{count:g}; everything was measured with {LEAST_PROCESSORS:g}.",
        "Give the machine more processors, or expect longer times.",
    )


def memory(
    place: Place, meminfo: Path = Path("/proc/meminfo"), cgroup: Path = Path("/sys/fs/cgroup")
) -> Iterator[Finding]:
    """Check the memory that is available, and the limit of the container if there is one."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _read(cgroup / "memory.max").strip()
    total = min(total, int(limit)) if limit.isdigit() else total
    facts = dict(line.split(":", 1) for line in _read(meminfo).splitlines() if ":" in line)
    available = int(facts["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in facts else total
    sentence = f"{total / GIB:.1f} GiB, {min(available, total) / GIB:.1f} GiB available"
    if total >= LEAST_MEMORY:
        yield Finding("ok", "memory", sentence)
        return
    hint = f"Use a machine with {LEAST_MEMORY / GIB:.0f} GiB, or stop other programs while the cluster is built."
    yield Finding("note", "memory", f"{sentence}.", hint)


def cgroups(place: Place, root: Path = Path("/sys/fs/cgroup")) -> Iterator[Finding]:
    """Check the version of control groups, which only real containers need."""
    if not root.exists():
        return
    if (root / "cgroup.controllers").exists():
        yield Finding("ok", "cgroups", f"v2: {_read(root / 'cgroup.controllers').strip() or 'no controllers'}")
        return
    yield Finding(
        "note",
        "cgroups",
        "v1. Kubernetes from 1.35 on refuses it unless it is allowed; Urumi's own clusters allow it.",
        "Add systemd.unified_cgroup_hierarchy=1 to the kernel's command line and restart the machine, to have v2.",
    )


def kernel_limits(place: Place, inotify: Path = Path("/proc/sys/fs/inotify")) -> Iterator[Finding]:
    """Check the limits that real shops reach first: inotify and open files."""
    for name, least in (("max_user_instances", LEAST_INSTANCES), ("max_user_watches", LEAST_WATCHES)):
        value = _read(inotify / name).strip()
        if not value.isdigit():
            continue
        if int(value) >= least:
            yield Finding("ok", "inotify", f"fs.inotify.{name} is {value}")
            continue
        sentence = f"fs.inotify.{name} is {value}; about ten real shops need {least}."
        yield Finding("note", "inotify", sentence, f"Run: sudo sysctl fs.inotify.{name}={least}")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < LEAST_FILES:
        hint = f"Run `ulimit -n {LEAST_FILES}` in this shell first."
        yield Finding("note", "open files", f"At most {soft} per process; {LEAST_FILES} are needed.", hint)
    else:
        yield Finding("ok", "open files", f"{_count(soft)} per process; {_count(hard)} can be set")


def _count(limit: int) -> str:
    return "any number" if limit == resource.RLIM_INFINITY else str(limit)


def _container() -> list[str]:
    marks = {"Docker": "/.dockerenv", "Podman": "/run/.containerenv", "systemd": "/run/systemd/container"}
    return [name for name, mark in marks.items() if Path(mark).exists()]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
