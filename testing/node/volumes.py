"""Volumes that exist before their store: smaller than their capacity, or restored from another store."""

from pathlib import Path
from typing import Any

from cluster.node import layout
from cluster.node.node import Node
from testing.kubectl import Kubectl, wait_for

STORAGE_CLASS = "given"


def give_volume(node: Node, kubectl: Kubectl, namespace: str, claim: str, size: str = "") -> Path:
    """Create a volume for one claim and return its folder in the node; `size` limits its real capacity."""
    name = f"{namespace}-{claim}"
    folder = node.folder.volumes / name
    node.inside("mkdir", "--mode=777", str(folder))
    if size:
        node.inside("mount", "-t", "tmpfs", "-o", f"size={size},mode=777", "tmpfs", str(folder))
    kubectl.apply(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": STORAGE_CLASS},
            "provisioner": "kubernetes.io/no-provisioner",
            "volumeBindingMode": "Immediate",
        }
    )
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [layout.NODE]}
    spec = {
        "capacity": {"storage": "5Gi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": STORAGE_CLASS,
        "persistentVolumeReclaimPolicy": "Retain",
        "claimRef": {"namespace": namespace, "name": claim},
        "local": {"path": str(folder)},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
    }
    kubectl.apply({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec})
    return folder


def make_database(
    node: Node, kubectl: Kubectl, image: str, folder: Path, mount: str, probe: list[str], **variables: str
) -> None:
    """Run an image until it has created its database in a folder of the node, then stop it cleanly."""
    node.inside("install", "--directory", "--owner=999", "--group=999", str(folder))
    name = f"maker-{folder.parent.name}"[:60].rstrip("-")
    container: dict[str, Any] = {
        "name": "database",
        "image": image,
        "env": [{"name": key, "value": value} for key, value in variables.items()],
        "volumeMounts": [{"name": "data", "mountPath": mount}],
        "readinessProbe": {"exec": {"command": probe}, "periodSeconds": 1},
    }
    spec = {
        "restartPolicy": "Never",
        "securityContext": {"runAsUser": 999, "runAsGroup": 999},
        "containers": [container],
        "volumes": [{"name": "data", "hostPath": {"path": str(folder)}}],
    }
    kubectl.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": spec})

    def is_ready() -> bool:
        status = kubectl.get("pod", name, "default")["status"]
        return any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", ()))

    wait_for(is_ready, f"{image} to make a database", seconds=180)
    kubectl.run("delete", "pod", name, "-n", "default")
