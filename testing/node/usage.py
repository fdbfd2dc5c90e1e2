"""The memory use of a namespace's containers, as the kubelet measures it, and their limits."""

import json

from cluster.node import layout
from testing.kubectl import Kubectl

MIB = 1 << 20


def working_sets(kubectl: Kubectl, namespace: str) -> dict[str, int]:
    """Return the working set in bytes of each container of a namespace that runs, by its name."""
    summary = json.loads(kubectl.run("get", "--raw", f"/api/v1/nodes/{layout.NODE}/proxy/stats/summary"))
    return {
        container["name"]: container["memory"]["workingSetBytes"]
        for pod in summary["pods"]
        if pod["podRef"]["namespace"] == namespace
        for container in pod.get("containers", ())
        if "workingSetBytes" in container.get("memory", {})
    }


def memory_limits(kubectl: Kubectl, namespace: str) -> dict[str, int]:
    """Return the memory limit in bytes of each container of a namespace, by its name; they are in Mi."""
    pods = json.loads(kubectl.run("get", "pods", "-n", namespace, "-o", "json"))["items"]
    containers = [container for pod in pods for container in pod["spec"]["containers"]]
    return {each["name"]: int(each["resources"]["limits"]["memory"].removesuffix("Mi")) * MIB for each in containers}
