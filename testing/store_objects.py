"""Store objects of end-to-end tests: create them with kubectl, read their events, conditions and processes."""

import json
from pathlib import Path
from typing import Any

import psutil

from cluster.local.cluster import ClusterInfo
from testing.caller import Caller
from testing.kubectl import Kubectl
from testing.serve import ServerProcess

BEHAVIOUR = "simulate.urumi.ai/behaviour"


def store_object(namespace: str, store_id: str, engine: str = "woocommerce", **values: Any) -> dict[str, Any]:
    """Return a Store with chart values."""
    return {
        "apiVersion": "stores.urumi.ai/v1alpha1",
        "kind": "Store",
        "metadata": {"name": store_id, "namespace": namespace},
        "spec": {"storeId": store_id, "engine": engine, "values": values},
    }


def create_store(kubectl: Kubectl, platform: Caller, store_id: str, engine: str = "woocommerce", **values: Any) -> None:
    """Create a store with chart values."""
    kubectl.apply(store_object(platform.namespace, store_id, engine, **values))


def server_with_store(cluster: ClusterInfo, kubectl: Kubectl, folder: Path, store_id: str) -> ServerProcess:
    """Return a running server with a store that is Ready; the caller stops it."""
    server = ServerProcess(cluster, kubectl, folder)
    server.start()
    server.create(store_id)
    server.wait_for_phase(store_id, "Ready")
    return server


def listed(kubectl: Kubectl, kind: str, namespace: str) -> list[Any]:
    """Return all objects of a kind in a namespace."""
    return list(json.loads(kubectl.run("get", kind, "-n", namespace, "-o", "json"))["items"])


def has_event(kubectl: Kubectl, namespace: str, store_id: str, kind: str) -> bool:
    """Return whether a store's timeline has an event of a kind."""
    store = kubectl.get("store", store_id, namespace)
    return any(event["type"] == kind for event in (store or {}).get("status", {}).get("events", ()))


def events_of(store: Any, kind: str) -> list[Any]:
    """Return the timeline's events of a kind."""
    return [event for event in store["events"] if event["type"] == kind]


def condition(store: Any, kind: str) -> Any:
    """Return a condition of a store."""
    return next(each for each in store["conditions"] if each["type"] == kind)


def helm_processes(store_id: str) -> list[str]:
    """Return the command lines of the helm processes of a store."""
    lines = (" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    return [line for line in lines if "helm" in line and store_id in line]
