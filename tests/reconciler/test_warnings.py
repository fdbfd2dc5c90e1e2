"""What Kubernetes' Events say about workloads: of those that are there, in one line."""

from typing import Any

import pytest

from cluster.local import ClusterInfo
from reconciler.kube import Kube
from reconciler.warnings import warnings_about
from tests.kubectl import Kubectl

pytestmark = pytest.mark.anyio


def warning(namespace: str, uid: str, at: str, words: str) -> dict[str, Any]:
    """Return an Event about the pod postgres-0, as the kubelet reports a failed probe."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"postgres-0.{uid}", "namespace": namespace},
        "involvedObject": {"kind": "Pod", "name": "postgres-0", "namespace": namespace, "uid": uid},
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
    kube = await Kube.connect(local_cluster.kubeconfig)
    try:
        found = await warnings_about(kube, store_id, ["postgres"], {"there"})
        nothing = await warnings_about(kube, store_id, ["postgres"], {"new"})
    finally:
        await kube.close()
    kubectl.run("delete", "namespace", store_id, "--wait=false")
    assert found == {"postgres": ("Unhealthy", "connection refused Is it running?")}
    assert nothing == {}
