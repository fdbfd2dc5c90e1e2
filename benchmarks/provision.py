"""A hundred stores, compared with a plain loop: xargs -P helm upgrade --install --wait.

Both release the same chart with the same values into namespaces of the same cluster, one after the other. Urumi does
more for each store (namespace, isolation, credentials, status, timeline); the loop only creates the namespace and the
Secrets that the chart needs, before its clock starts.
"""

import argparse
import json
import subprocess
import time
from pathlib import Path

from benchmarks.bench import ROOT, STORE_VALUES, Bench, bench, create_stores, say, wait_until_ready
from reconciler.engines.registry import ENGINES
from urumi.store import Engine

PATIENCE_SECONDS = 1800.0


def urumi_seconds(bench: Bench, count: int, pods: str, slots: int) -> float:
    """Return how long Urumi takes from the request until the last store is Ready."""
    with bench.server(URUMI_MAX_CONCURRENT_PROVISIONS=str(slots)) as server:
        began = time.monotonic()
        create_stores(bench, server.namespace, [f"u-{number}" for number in range(count)], STORE_VALUES[pods])
        wait_until_ready(bench, server.namespace, PATIENCE_SECONDS)
        took = time.monotonic() - began
    bench.kubectl.run("delete", "namespaces", "-l", "urumi.ai/managed-store=true", "--wait=false")
    return took


def prepare_loop(bench: Bench, names: list[str]) -> None:
    """Create the objects that the chart expects."""
    keys = {key: make() for key, make in ENGINES[Engine.WOOCOMMERCE].generated_secrets.items()}
    admin = {"username": "admin", "password": "not-a-real-one", "storeId": "any"}
    items: list[object] = []
    for name in names:
        items.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        for secret, data in (("store-admin", admin), ("store-secrets", keys)):
            meta = {"name": secret, "namespace": name}
            items.append({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": data})
    bench.kubectl.run("create", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": items})


def loop_seconds(bench: Bench, count: int, pods: str, slots: int) -> float:
    """Return how long the loop takes."""
    names = [f"loop-{number}" for number in range(count)]
    prepare_loop(bench, names)
    values = bench.folder / "values.json"
    values.write_text(json.dumps(STORE_VALUES[pods]))
    command = [
        *("xargs", f"-P{slots}", "-I{}", str(bench.cluster.helm), "upgrade", "--install", "woocommerce-{}"),
        *(str(ROOT / "charts" / "woocommerce"), "--namespace", "{}", "--kubeconfig", str(bench.cluster.kubeconfig)),
        *("--set", "store.id={},store.host={}.example.com", "--values", str(values), "--wait", "--timeout", "10m"),
    ]
    began = time.monotonic()
    log = Path(bench.folder / "loop.log")
    with log.open("w") as out:
        subprocess.run(command, input="\n".join(names), text=True, stdout=out, stderr=out, check=True)
    took = time.monotonic() - began
    bench.kubectl.run("delete", "namespaces", *names, "--wait=false")
    return took


def main() -> None:
    """Measure both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=int, default=100)
    parser.add_argument("--pods", choices=sorted(STORE_VALUES), default="slow")
    parser.add_argument("--slots", type=int, default=4)
    args = parser.parse_args()
    promise = {("slow", 4): 0.25, ("instant", 2): 0.9}.get((args.pods, args.slots))
    with bench() as found:
        ours = urumi_seconds(found, args.stores, args.pods, args.slots)
        theirs = loop_seconds(found, args.stores, args.pods, args.slots)
    print(f"{args.stores} stores, pods {args.pods}, {args.slots} at a time")
    say("xargs helm upgrade --install --wait", f"{theirs:.1f} s")
    say("urumi", f"{ours:.1f} s")
    say("ratio", f"{ours / theirs:.2f}x", f"promised <= {promise}x" if promise else "")


if __name__ == "__main__":
    main()
