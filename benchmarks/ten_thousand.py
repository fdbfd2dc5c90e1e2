"""Ten thousand Stores: how long a server takes to read them all, and how much memory it uses for them.

The Stores have the status of a store that is Ready, 20 events included, and are not reconciled: only the
work of every replica is measured, watching and serving. The reference is kubectl, which lists the same Stores.
"""

import argparse
import copy
import json
import subprocess
import time
from typing import Any

from benchmarks.bench import (
    STORE_VALUES,
    Bench,
    bench,
    create_stores,
    peak_rss_mib,
    phases,
    rss_mib,
    say,
    store_object,
    wait_until,
)

BATCH = 500
EVENTS = 20


def ready_status(bench: Bench, namespace: str) -> Any:
    """Return the status of a provisioned store, with a full timeline."""
    with bench.server() as server:
        create_stores(bench, server.namespace, ["model"], STORE_VALUES["instant"])
        wait_until(lambda: phases(bench, server.namespace).get("Ready", 0) == 1, 60.0)
        status = bench.kubectl.get("store", "model", server.namespace)["status"]
    status["events"] = (status["events"] * EVENTS)[:EVENTS]
    return status


def fill(bench: Bench, namespace: str, count: int, status: Any) -> None:
    """Create Stores that are Ready; a lease that is never released keeps them from being reconciled."""
    paths = []
    for start in range(0, count, BATCH):
        items = []
        for number in range(start, min(start + BATCH, count)):
            item = store_object(namespace, f"x-{number}", {})
            item["status"] = copy.deepcopy(status)
            items.append(item)
        path = bench.folder / f"batch-{start}.json"
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        paths.append(path)
    for path in paths:
        bench.kubectl.run("create", "-f", str(path))
    for path in paths:
        bench.kubectl.run("replace", "--subresource=status", "-f", str(path))


def hold_lease(bench: Bench, namespace: str) -> None:
    """Take the lease for a holder that never releases it."""
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "urumi-reconciler", "namespace": namespace},
        "spec": {"holderIdentity": "benchmark", "leaseDurationSeconds": 86400, "leaseTransitions": 1},
    }
    bench.kubectl.apply(lease)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=int, default=10_000)
    args = parser.parse_args()
    with bench() as found:
        server = found.server()
        hold_lease(found, server.namespace)
        fill(found, server.namespace, args.stores, ready_status(found, server.namespace))
        began = time.monotonic()
        listing = ["get", "stores", "-n", server.namespace, "-o", "json"]
        kubectl = [str(found.cluster.kubectl), "--kubeconfig", str(found.cluster.kubeconfig)]
        subprocess.run([*kubectl, *listing], stdout=subprocess.DEVNULL, check=True)
        reference = time.monotonic() - began
        began = time.monotonic()
        with server:
            took = time.monotonic() - began
            say("memory, once ready", f"{rss_mib(server.pid):.0f} MiB", "<= 200 MiB")
            known = len(server.call("GET", "/stores")[1]["items"])
            assert known == args.stores, f"expected {args.stores} stores, got {known}"
            say("kubectl get stores -o json", f"{reference:.1f} s")
            say(f"{args.stores} Stores, start to ready", f"{took:.1f} s", f"{took / reference:.2f}x, promised <= 5 s")
            say("memory, most / after", f"{peak_rss_mib(server.pid):.0f} / {rss_mib(server.pid):.0f} MiB", "<= 200 MiB")


if __name__ == "__main__":
    main()
