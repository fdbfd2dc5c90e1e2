"""A thousand stores: how fast they are provisioned, the resources of the server, and its work when idle.

The reference is Flux's published figure for its helm-controller: 1,000 HelmReleases on 2 CPUs in 4m39s with 361 MiB
(fluxcd/flux-benchmark, Flux 2.9). It was measured on other hardware and with a smaller chart, so that ratio is only an
indication; the plain loop of `benchmarks.provision` is the reference on this machine.
"""

import argparse
import json
import time
from pathlib import Path

from benchmarks.bench import (
    STORE_VALUES,
    Bench,
    bench,
    cpu_seconds,
    create_stores,
    peak_rss_mib,
    rss_mib,
    say,
    versions,
    wait_until,
    wait_until_ready,
)
from testing.serve import ServerProcess

FLUX_SECONDS, FLUX_MIB = 279.0, 361.0
PATIENCE_SECONDS = 3600.0
IDLE_SECONDS = 60.0


def provision(bench: Bench, server: ServerProcess, count: int) -> float:
    """Return how long it takes until all are Ready."""
    began = time.monotonic()
    create_stores(bench, server.namespace, [f"k-{number}" for number in range(count)], STORE_VALUES["instant"])
    wait_until_ready(bench, server.namespace, PATIENCE_SECONDS)
    return time.monotonic() - began


def idle(bench: Bench, server: ServerProcess) -> tuple[float, int, int]:
    """Return the cores, the Helm processes and the writes of an idle minute."""
    wait_until(lambda: not _busy(server), 120.0)
    before, helms = _all_versions(bench, server), _helms_started(server)
    began, cpu = time.monotonic(), cpu_seconds(server.pid)
    time.sleep(IDLE_SECONDS)
    cores = (cpu_seconds(server.pid) - cpu) / (time.monotonic() - began)
    after = _all_versions(bench, server)
    writes = sum(1 for uid in before.keys() | after.keys() if before.get(uid) != after.get(uid))
    return cores, _helms_started(server) - helms, writes


def _busy(server: ServerProcess) -> bool:
    before = cpu_seconds(server.pid)
    time.sleep(2.0)
    return cpu_seconds(server.pid) - before > 0.2


def _all_versions(bench: Bench, server: ServerProcess) -> dict[str, str]:
    kinds = "deployments,statefulsets,services,secrets,networkpolicies,limitranges"
    return versions(bench, "stores", "-n", server.namespace) | versions(
        bench, kinds, "-A", "-l", "urumi.ai/managed-store=true"
    )


def _helms_started(server: ServerProcess) -> int:
    return sum(1 for line in Path(server.log).read_text().splitlines() if json.loads(line)["msg"] == "helm starts")


def restart(server: ServerProcess, count: int) -> float:
    """Return how long a new server takes from its start until it has read every store."""
    server.stop()
    began = time.monotonic()
    server.start()
    wait_until(lambda: len(server.call("GET", "/stores")[1]["items"]) == count, 60.0, every=0.05)
    return time.monotonic() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=int, default=1000)
    parser.add_argument("--slots", type=int, default=4)
    args = parser.parse_args()
    with bench(nodes=1 + args.stores * 2 // 900) as found:
        server = found.server(URUMI_MAX_CONCURRENT_PROVISIONS=str(args.slots))
        with server:
            took = provision(found, server, args.stores)
            busiest, memory, cpu = peak_rss_mib(server.pid), rss_mib(server.pid), cpu_seconds(server.pid)
            say(f"{args.stores} stores Ready", f"{took:.0f} s", f"{took / FLUX_SECONDS:.2f}x Flux, promised <= 1x")
            say("server memory, most / after", f"{busiest:.0f} / {memory:.0f} MiB", "promised <= 150 MiB")
            say("processor time, server and helm", f"{cpu:.0f} s", f"{cpu / args.stores * 1000:.0f} ms a store")
            cores, helms, writes = idle(found, server)
            say("idle for a minute", f"{cores:.3f} cores", "promised <= 0.05")
            say("idle: helm processes, writes", f"{helms}, {writes}", "promised 0, 0")
            again = restart(server, args.stores)
            say("known again after a restart", f"{again:.1f} s", "promised <= 3 s")
            wait_until(lambda: not _busy(server), 120.0)
            say("memory after the restart", f"{rss_mib(server.pid):.0f} MiB", "promised <= 150 MiB")


if __name__ == "__main__":
    main()
