"""Warnings of Kubernetes Events about existing workloads, in one line."""

from typing import Any

import pytest

from cluster.local.cluster import ClusterInfo
from reconciler.kube.client import Kube
from reconciler.kube.warnings import Warnings, warnings_about
from testing.kubectl import Kubectl

pytestmark = pytest.mark.anyio


def warning(
    namespace: str, uid: str, at: str, message: str, *, kind: str = "Pod", name: str = "postgres-0"
) -> dict[str, Any]:
    """Return an Event, as the kubelet reports a failed probe of the pod postgres-0."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{uid}", "namespace": namespace},
        "involvedObject": {"kind": kind, "name": name, "namespace": namespace, "uid": uid},
        "reason": "Unhealthy",
        "message": message,
        "type": "Warning",
        "lastTimestamp": at,
    }


async def test_events_of_a_deleted_pod_are_not_used_for_a_new_pod_of_that_name(
    local_cluster: ClusterInfo, kubectl: Kubectl, store_id: str
) -> None:
    kubectl.run("create", "namespace", store_id)
    kubectl.apply(warning(store_id, "there", "2026-11-25T10:00:00Z", "connection refused\n\tIs it running?\n"))
    kubectl.apply(warning(store_id, "gone", "2026-11-25T10:00:09Z", "it is gone"))
    found = await warnings(local_cluster, store_id, {"there"})
    nothing = await warnings(local_cluster, store_id, {"new"})
    kubectl.run("delete", "namespace", store_id, "--wait=false")
    assert found == {"postgres": ("Unhealthy", "connection refused Is it running?")}
    assert nothing == {}


async def test_only_events_of_workloads_are_used(local_cluster: ClusterInfo, kubectl: Kubectl, store_id: str) -> None:
    kubectl.run("create", "namespace", store_id)
    refused, repairing = "exceeded quota: store-quota", "Cluster IP is not allocated; repairing"
    kubectl.apply(
        warning(store_id, "a", "2026-11-25T10:00:00Z", refused, kind="StatefulSet", name="postgres"),
    )
    kubectl.apply(warning(store_id, "b", "2026-11-25T10:00:09Z", repairing, kind="Service", name="postgres"))
    found = await warnings(local_cluster, store_id, set())
    kubectl.run("delete", "namespace", store_id, "--wait=false")
    assert found == {"postgres": ("Unhealthy", refused)}


async def warnings(cluster: ClusterInfo, namespace: str, pods: set[str]) -> Warnings:
    """Return the warnings about the workload postgres."""
    kube = await Kube.connect(cluster.kubeconfig)
    try:
        return await warnings_about(kube, namespace, ["postgres"], pods)
    finally:
        await kube.close()
