"""What prevents a node on this machine, said before anything is created."""

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from cluster.doctor.finding import Finding
from cluster.folders import cache_root
from cluster.node import host
from cluster.node.folders import node_cache
from cluster.node.product.node import ProductNode
from cluster.node.product.ports import taken_ports

GIB = 1024**3
# Programs, images and Go's cache for the first start; containerd's copies of the images and the shops' volumes.
CACHE_BYTES, STATE_BYTES = 12 * GIB, 4 * GIB
MEMORY_BYTES = 3 * GIB
MEMORY_FILE = Path("/proc/meminfo")


def node_obstacles(product: ProductNode) -> Iterator[Finding]:
    """Yield problems, and notes about what the start will do."""
    reason = host.platform_obstacle(platform.system(), os.geteuid())
    if reason:
        yield Finding("problem", "node", reason, "Run ./setup.sh --cluster local for simulated containers.")
        return
    if product.is_up():
        return
    missing = host.missing_packages()
    if missing and shutil.which("apt-get") is None:
        yield Finding("problem", "packages", f"These programs' packages are missing: {' '.join(missing)}.", INSTALL)
    elif missing:
        yield Finding("note", "packages", f"These Debian packages will be installed: {' '.join(missing)}.")
    else:
        reason = host.namespace_obstacle()
        if reason:
            yield Finding("problem", "namespaces", reason, "Use a virtual machine, or a container with all privileges.")
    yield from _space(product)
    yield from _memory()
    reason = taken_ports(product.ports, product.own_ports())
    if reason:
        sentence, _, hint = reason.partition(". ")
        yield Finding("problem", "ports", f"{sentence}.", hint)


INSTALL = "Install them with this machine's package manager, and run this again."


def _space(product: ProductNode) -> Iterator[Finding]:
    has_images = any((node_cache() / "images").glob("*.tar"))
    needs = {cache_root(): 0 if has_images else CACHE_BYTES}
    needs[product.folder.root] = 0 if product.folder.etcd.exists() else STATE_BYTES
    for place, needed in needs.items():
        existing = next(folder for folder in (place, *place.parents) if folder.exists())
        free = shutil.disk_usage(existing).free
        if free < needed:
            yield Finding(
                "problem",
                "disk",
                f"The first start needs {needed / GIB:.0f} GiB at {place}, {free / GIB:.1f} GiB are free.",
                "Free some space, or set URUMI_CACHE_DIR and URUMI_STATE_DIR to a larger disk.",
            )


def _memory() -> Iterator[Finding]:
    fields = dict(line.split(":", 1) for line in MEMORY_FILE.read_text().splitlines())
    available = int(fields["MemAvailable"].split()[0]) * 1024
    if available < MEMORY_BYTES:
        yield Finding(
            "note",
            "memory",
            f"{available / GIB:.1f} GiB of memory are available; the node needs about 1 GiB, a Medusa shop 0.5 GiB.",
            "End other programs if shops are killed for lack of memory.",
        )
