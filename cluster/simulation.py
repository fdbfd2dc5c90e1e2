"""What a new cluster is given: simulated nodes, and a default storage class whose volumes are simulated too.

A node counts as up when it is Ready, can be scheduled to, and its lease is renewed by the kwok that runs now: the Ready
of a cluster that was down says nothing about today.
"""

import platform
from datetime import UTC, datetime, timedelta
from typing import Any

from cluster.api import Api
from cluster.components import LEASE_SECONDS, NODE_LABEL

STORAGE_CLASS = "standard"
PROVISIONER = "urumi.ai/simulated-volume"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
NODES = "/api/v1/nodes"
STORAGE_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
DEFAULT_ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"
# What the controllers take off a little after a node became ready.
UNREADY_TAINTS = {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def node_name(index: int) -> str:
    """Return the name of a node."""
    return f"urumi-node-{index}"


def apply_objects(api: Api, node_count: int) -> None:
    """Apply the storage class and the nodes; nodes beyond the count are left alone, as pods may be on them."""
    api.apply(f"{STORAGE_CLASSES}/{STORAGE_CLASS}", _storage_class())
    for index in range(node_count):
        api.apply(f"{NODES}/{node_name(index)}", _node(node_name(index)))


def forget_leases(api: Api) -> None:
    """Delete the leases of our nodes: they name a kwok that is gone, and its successor would wait for their end."""
    for node in _nodes(api):
        api.delete(f"{LEASES}/{node['metadata']['name']}")


def ready_nodes(api: Api) -> list[str]:
    """Return the names of our nodes that can take pods."""
    leases = {lease["metadata"]["name"]: lease for lease in api.get(LEASES)["items"]}
    names = [node["metadata"]["name"] for node in _nodes(api) if _takes_pods(node)]
    return [name for name in names if name in leases and _is_current(leases[name])]


def node_names(api: Api) -> list[str]:
    """Return the names of our nodes."""
    return [node["metadata"]["name"] for node in _nodes(api)]


def unready_nodes(api: Api) -> list[str]:
    """Return the names of our nodes that cannot take pods."""
    ready = ready_nodes(api)
    return [name for name in node_names(api) if name not in ready]


def has_default_account(api: Api) -> bool:
    """Return whether the controllers made the service account without which no pod is admitted."""
    return api.get(DEFAULT_ACCOUNT) is not None


def _nodes(api: Api) -> list[Any]:
    found: list[Any] = api.get(f"{NODES}?labelSelector={NODE_LABEL}%3Dtrue")["items"]
    return found


def _takes_pods(node: Any) -> bool:
    conditions = {item["type"]: item["status"] for item in node["status"].get("conditions", [])}
    taints = {taint["key"] for taint in node["spec"].get("taints", [])}
    return conditions.get("Ready") == "True" and not taints & UNREADY_TAINTS


def _is_current(lease: Any) -> bool:
    renewed = lease["spec"].get("renewTime")
    if renewed is None:
        return False
    age = datetime.now(UTC) - datetime.fromisoformat(renewed.replace("Z", "+00:00"))
    return age < timedelta(seconds=LEASE_SECONDS)


def _node(name: str) -> dict[str, Any]:
    machine = platform.machine()
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            # By this annotation programs tell that nothing runs on the node.
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {
                NODE_LABEL: "true",
                "kubernetes.io/arch": ARCHITECTURES.get(machine, machine),
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
            },
        },
    }


def _storage_class() -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    }
