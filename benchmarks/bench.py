"""Shared by the benchmarks: a cluster, a server on it, and functions that measure its use of resources."""

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.local.cluster import ClusterInfo, LocalCluster
from testing.kubectl import Kubectl
from testing.serve import ServerProcess

ROOT = Path(__file__).resolve().parent.parent
STORE_VALUES = {"slow": {"podAnnotations": {"simulate.urumi.ai/behaviour": "slow"}}, "instant": {}}
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Bench:
    """A running cluster with the Store definition, and a folder to work in."""

    cluster: ClusterInfo
    kubectl: Kubectl
    folder: Path

    def server(self, **environ: str) -> ServerProcess:
        """Return a server that may be started, without limits that would affect the measurement."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        return ServerProcess(self.cluster, self.kubectl, folder, URUMI_MAX_ACTIVE_STORES="100000", **environ)


@contextlib.contextmanager
def bench(nodes: int = 1) -> Iterator[Bench]:
    """Start a cluster, and stop it at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="urumi-bench-") as name:
        folder = Path(name)
        cluster = LocalCluster(folder / "cluster", nodes, fsync=False)
        info = cluster.up(lambda message: None)
        try:
            kubectl = Kubectl(info)
            kubectl.run("apply", "-f", str(ROOT / "crds" / "stores.yaml"))
            yield Bench(info, kubectl, folder)
        finally:
            cluster.down(purge=True)


def store_object(namespace: str, store_id: str, values: Any) -> Any:
    """Return a WooCommerce store."""
    return {
        "apiVersion": "stores.urumi.ai/v1alpha1",
        "kind": "Store",
        "metadata": {"name": store_id, "namespace": namespace},
        "spec": {"storeId": store_id, "engine": "woocommerce", "values": values},
    }


def create_stores(bench: Bench, namespace: str, store_ids: list[str], values: Any) -> None:
    """Create many stores with one call of kubectl."""
    items = [store_object(namespace, store_id, values) for store_id in store_ids]
    bench.kubectl.run("create", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": items})


def wait_until_ready(bench: Bench, namespace: str, seconds: float) -> None:
    """Wait until every store is Ready, with kubectl's watch, because polling would add load."""
    everything = ["--for=condition=Ready", "stores", "--all", "-n", namespace, f"--timeout={seconds:.0f}s"]
    bench.kubectl.run("wait", *everything)


def phases(bench: Bench, namespace: str) -> dict[str, int]:
    """Return how many stores are in each phase, read from the API server."""
    column = "jsonpath={range .items[*]}{.status.phase}{'\\n'}{end}"
    found = bench.kubectl.run("get", "stores", "-n", namespace, "-o", column).split()
    return {phase: found.count(phase) for phase in set(found)}


def wait_until(condition: Callable[[], bool], seconds: float, every: float = 0.5) -> float:
    """Poll until a condition holds, and return how long it took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise SystemExit(f"gave up after {seconds:.0f} s")
        time.sleep(every)
    return time.monotonic() - began


def rss_mib(pid: int) -> float:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def peak_rss_mib(pid: int) -> float:
    """Return the peak resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process, its own and that of the children it has waited for."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, after_name[11:15])) / TICKS


def versions(bench: Bench, kind: str, *where: str) -> dict[str, str]:
    """Return the resourceVersion of every object of a kind."""
    items = json.loads(bench.kubectl.run("get", kind, *where, "-o", "json"))["items"]
    return {item["metadata"]["uid"]: item["metadata"]["resourceVersion"] for item in items}


def say(label: str, value: str, promise: str = "") -> None:
    """Print one line of the result."""
    print(f"{label:<46} {value:<28} {promise}")
