"""What Kubernetes' Events say about workloads: of those that are there, in one line."""

from typing import Any

import pytest

from cluster.local import ClusterInfo
from reconciler.kube.client import Kube
from reconciler.kube.warnings import Warnings, warnings_about
from testing.kubectl import Kubectl

pytestmark = pytest.mark.anyio


def warning(
    namespace: str, uid: str, at: str, words: str, *, kind: str = "Pod", name: str = "postgres-0"
) -> dict[str, Any]:
    """Return an Event, as the kubelet reports a failed probe of the pod postgres-0."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{uid}", "namespace": namespace},
        "involvedObject": {"kind": kind, "name": name, "namespace": namespace, "uid": uid},
        "reason": "Unhealthy",
        "message": words,
        "type": "Warning",
        "lastTimestamp": at,
    }


async def test_a_pod_that_is_gone_says_nothing_about_the_one_that_took_its_name(
    local_cluster: ClusterInfo, kubectl: Kubectl, store_id: str
) -> None:
    kubectl.run("create", "namespace", store_id)
    kubectl.apply(warning(store_id, "there", "2026-11-25T10:00:00Z", "connection refused\n\tIs it running?\n"))
    kubectl.apply(warning(store_id, "gone", "2026-11-25T10:00:09Z", "it is gone"))
    found = await asked(local_cluster, store_id, {"there"})
    nothing = await asked(local_cluster, store_id, {"new"})
    kubectl.run("delete", "namespace", store_id, "--wait=false")
    assert found == {"postgres": ("Unhealthy", "connection refused Is it running?")}
    assert nothing == {}


async def test_only_what_makes_pods_is_listened_to(local_cluster: ClusterInfo, kubectl: Kubectl, store_id: str) -> None:
    kubectl.run("create", "namespace", store_id)
    refused, repairing = "exceeded quota: store-quota", "Cluster IP is not allocated; repairing"
    kubectl.apply(
        warning(store_id, "a", "2026-11-25T10:00:00Z", refused, kind="StatefulSet", name="postgres"),
    )
    kubectl.apply(warning(store_id, "b", "2026-11-25T10:00:09Z", repairing, kind="Service", name="postgres"))
    found = await asked(local_cluster, store_id, set())
    kubectl.run("delete", "namespace", store_id, "--wait=false")
    assert found == {"postgres": ("Unhealthy", refused)}


async def asked(cluster: ClusterInfo, namespace: str, pods: set[str]) -> Warnings:
    """Return the warnings about the workload postgres."""
    kube = await Kube.connect(cluster.kubeconfig)
    try:
        return await warnings_about(kube, namespace, ["postgres"], pods)
    finally:
        await kube.close()
