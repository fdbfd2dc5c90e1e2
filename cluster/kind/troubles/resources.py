"""Troubles with memory, disk and the kernel's limits, as far as the engine's machine can be asked about them.

How many shops fit is an estimate: a shop requests 360 to 520 MiB (charts/platform/values-local.yaml) and runs in two
pods (WooCommerce) or four (Medusa). On cgroup v2, containerd holds an inotify instance for each container and each
pod's sandbox to notice that it runs out of memory; on cgroup v1 it holds none.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from cluster.doctor.finding import Finding
from cluster.kind.facts import Facts

GIB = 1024**3
SHOPS = 10  # MAX_ACTIVE_STORES in charts/platform/values-local.yaml
SYSTEM_MEMORY = 3 * GIB // 2
SHOP_MEMORY = 520 * 1024**2

NEW_CLUSTER_DISK = 10 * GIB
OLD_CLUSTER_DISK = 1 * GIB

SYSTEM_INSTANCES = 70
SHOP_INSTANCES = 8
ENOUGH_INSTANCES, ENOUGH_WATCHES = 512, 524288
FEWEST_WATCHES = 65536


def memory(facts: Facts) -> Iterator[Finding]:
    """An engine with less memory than ten shops need."""
    total = facts.engine.memory_bytes
    fit = max(0, (total - SYSTEM_MEMORY) // SHOP_MEMORY)
    if not total or fit >= SHOPS:
        return
    sentence = f"Docker has {total / GIB:.1f} GiB of memory, enough for Kubernetes and about {fit} shops of {SHOPS}."
    yield Finding("note" if fit else "problem", "memory", sentence, _more_memory(facts))


def disk(facts: Facts) -> Iterator[Finding]:
    """A disk without space for the images; only known if the engine runs on this machine's kernel."""
    folder = Path(facts.engine.root_dir)
    needed = OLD_CLUSTER_DISK if facts.node.exists else NEW_CLUSTER_DISK
    try:
        free = shutil.disk_usage(folder).free if facts.shares_kernel and facts.engine.root_dir else needed
    except OSError:
        return  # the folder is in another container or may not be entered
    if free < needed:
        yield Finding(
            "problem",
            "disk",
            f"Docker keeps its data in {folder}, where {free / GIB:.1f} GiB are free; images and node need about"
            f" {needed / GIB:.0f} GiB.",
            "Free some space (docker system df shows what Docker uses) and run this again.",
        )


def inotify(facts: Facts) -> Iterator[Finding]:
    """Limits of inotify that ten shops exceed: containers then fail with `too many open files`."""
    if not facts.shares_kernel:
        return
    instances = facts.machine.sysctl("fs.inotify.max_user_instances")
    watches = facts.machine.sysctl("fs.inotify.max_user_watches")
    if instances is not None and instances < SYSTEM_INSTANCES:
        sentence = f"fs.inotify.max_user_instances is {instances}; Kubernetes needs about {SYSTEM_INSTANCES}."
        yield Finding("problem", "inotify", sentence, _raise_limits())
    elif instances is not None and instances < SYSTEM_INSTANCES + SHOPS * SHOP_INSTANCES:
        if facts.engine.cgroup_version == "1":
            return
        fit = (instances - SYSTEM_INSTANCES) // SHOP_INSTANCES
        sentence = f"fs.inotify.max_user_instances is {instances}, enough for about {fit} shops of {SHOPS}."
        yield Finding("note", "inotify", sentence, _raise_limits())
    elif watches is not None and watches < FEWEST_WATCHES:
        sentence = f"fs.inotify.max_user_watches is {watches}, which may be too few for {SHOPS} shops."
        yield Finding("note", "inotify", sentence, _raise_limits())


def cgroup(facts: Facts) -> Iterator[Finding]:
    """Cgroup v1, on which a kubelet only starts if it is allowed to; a new cluster allows it."""
    if facts.engine.cgroup_version == "1" and not facts.engine.rootless:
        yield Finding(
            "note",
            "cgroup",
            "Docker uses cgroup v1, which Kubernetes has deprecated; the cluster is created with failCgroupV1: false.",
            "Start this machine with systemd.unified_cgroup_hierarchy=1 when you can.",
        )


CHECKS = (memory, disk, inotify, cgroup)


def _more_memory(facts: Facts) -> str:
    if "microsoft" in facts.engine.kernel.lower():
        return "Set memory=8GB under [wsl2] in .wslconfig in your Windows home folder, then run wsl --shutdown."
    if facts.engine.operating_system.startswith("Docker Desktop"):
        return "Give it more in Docker Desktop: Settings, Resources, Memory."
    return "Create fewer shops, or give the machine of the engine more memory."


def _raise_limits() -> str:
    names = f"fs.inotify.max_user_instances={ENOUGH_INSTANCES} fs.inotify.max_user_watches={ENOUGH_WATCHES}"
    return (
        f"Raise the limits: sudo sysctl {names}. To keep them after a restart: printf '%s\\n' {names}"
        " | sudo tee /etc/sysctl.d/60-inotify.conf"
    )
