"""What the shops need of an existing cluster: a storage class, an ingress class, an enforcer of NetworkPolicies.

A cluster that cannot be asked about a kind, because the user may not list it, gets no note about it.
"""

import re
from collections.abc import Iterator

from cluster.platform.clients import Tool

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
# Programs that enforce NetworkPolicies, as they appear in the images of a cluster's DaemonSets.
ENFORCERS = re.compile(
    r"antrea|anetd|aws-network-policy|azure-npm|calico|canal|cilium|kube-network-policies|kube-router|ovn-kube|romana|weave-npc"
)


def notes(kubectl: Tool, objects: str) -> Iterator[str]:
    """Yield a sentence for each thing that the shops of the rendered chart need and the cluster lacks."""
    yield from _storage(kubectl, _setting(objects, "STORAGE_CLASS"))
    yield from _ingress(kubectl, _setting(objects, "INGRESS_CLASS"))
    yield from _policies(kubectl)


def _setting(objects: str, name: str) -> str:
    """Return a setting of the rendered ConfigMap."""
    found = re.search(rf'^  URUMI_{name}: "(.*)"$', objects, re.MULTILINE)
    return found[1] if found else ""


def _storage(kubectl: Tool, wanted: str) -> Iterator[str]:
    classes = kubectl.items("storageclasses")
    if classes is None:
        return
    names = [each["metadata"]["name"] for each in classes]
    defaults = [each for each in classes if (each["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true"]
    if wanted and wanted not in names:
        yield (
            f"the storage class {wanted} of config.STORAGE_CLASS does not exist; the cluster has {_listed(names)}."
            " Volumes stay Pending until it exists."
        )
    elif not wanted and not defaults:
        yield "the cluster has no default storage class. Set config.STORAGE_CLASS, or volumes stay Pending."


def _ingress(kubectl: Tool, wanted: str) -> Iterator[str]:
    classes = kubectl.items("ingressclasses")
    if classes is None:
        return
    names = [each["metadata"]["name"] for each in classes]
    if not names:
        yield "the cluster has no ingress class, so no ingress controller serves the shops."
    elif wanted and wanted not in names:
        yield (
            f"the ingress class {wanted} of config.INGRESS_CLASS does not exist; the cluster has {_listed(names)}."
            " Set config.INGRESS_CLASS, or no ingress controller serves the shops."
        )


def _policies(kubectl: Tool) -> Iterator[str]:
    nodes, sets = kubectl.items("nodes"), kubectl.items("daemonsets", "--all-namespaces")
    if nodes is None or sets is None:
        return
    # k3s and RKE2 enforce policies in the process of the node.
    if any(re.search(r"\+(k3s|rke2)", node["status"]["nodeInfo"]["kubeletVersion"]) for node in nodes):
        return
    images = (box["image"] for each in sets for box in each["spec"]["template"]["spec"]["containers"])
    if not any(ENFORCERS.search(image) for image in images):
        yield (
            "no known network plugin that enforces NetworkPolicies was found. Without one, shops can reach each other;"
            " docs/security.md has a test."
        )


def _listed(names: list[str]) -> str:
    return ", ".join(sorted(names)) or "none"
