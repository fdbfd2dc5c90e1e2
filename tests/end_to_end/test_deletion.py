"""A deletion completes, even if parts are already gone; a blocked one names what blocks it."""

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.local.cluster import ClusterInfo
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from testing.store_objects import condition, create_store, events_of, has_event, helm_processes, server_with_store

FOREIGN_FINALIZER = "example.com/hold"


@pytest.fixture
def impatient(local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path) -> Any:
    """A server that reports a deletion as blocked after one second."""
    with ServerProcess(local_cluster, kubectl, tmp_path, URUMI_DELETION_PATIENCE_SECONDS="1") as server:
        yield server


def hold(kubectl: Kubectl, namespace: str) -> None:
    """Create an object with a foreign finalizer in a namespace."""
    meta = {"name": "held", "namespace": namespace, "finalizers": [FOREIGN_FINALIZER]}
    kubectl.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})


def release(kubectl: Kubectl, namespace: str) -> None:
    """Remove the finalizer."""
    kubectl.run("patch", "configmap", "held", "-n", namespace, "-p", '{"metadata":{"finalizers":null}}')


def test_a_blocked_deletion_names_what_blocks_it_and_continues_once_that_is_gone(
    impatient: ServerProcess, kubectl: Kubectl, store_id: str
) -> None:
    impatient.create(store_id)
    impatient.wait_for_phase(store_id, "Ready")
    hold(kubectl, f"store-{store_id}")
    impatient.call("DELETE", f"/stores/{store_id}")
    wait_for(lambda: has_event(kubectl, impatient.namespace, store_id, "DeletionBlocked"), "the blocker to be named")
    store = impatient.store(store_id)
    for kind in ("Ready", "Stalled"):
        assert condition(store, kind)["reason"] == "DeletionBlocked"
        assert FOREIGN_FINALIZER in condition(store, kind)["message"]
    assert condition(store, "Stalled")["status"] == "True"
    assert len(events_of(store, "DeletionBlocked")) == 1
    release(kubectl, f"store-{store_id}")
    impatient.wait_until_gone(store_id)
    assert kubectl.get("namespace", f"store-{store_id}") is None


def test_a_blocked_deletion_does_not_delay_other_stores(
    impatient: ServerProcess, kubectl: Kubectl, store_id: str
) -> None:
    impatient.create(store_id)
    impatient.wait_for_phase(store_id, "Ready")
    hold(kubectl, f"store-{store_id}")
    impatient.call("DELETE", f"/stores/{store_id}")
    other = f"{store_id}-2"
    impatient.create(other)
    impatient.wait_for_phase(other, "Ready")
    impatient.call("DELETE", f"/stores/{other}")
    impatient.wait_until_gone(other)
    release(kubectl, f"store-{store_id}")
    impatient.wait_until_gone(store_id)


def test_a_server_killed_during_a_deletion_finishes_it_after_its_restart(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, store_id: str
) -> None:
    server = server_with_store(local_cluster, kubectl, tmp_path, store_id)
    server.call("DELETE", f"/stores/{store_id}")
    wait_for(lambda: has_event(kubectl, server.namespace, store_id, "Deleting"), "the deletion to begin")
    server.kill()
    with server:
        server.wait_until_gone(store_id)
    assert kubectl.get("namespace", f"store-{store_id}") is None
    assert helm_processes(store_id) == []


def test_a_store_whose_chart_is_missing_can_be_deleted(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, store_id: str
) -> None:
    server = server_with_store(local_cluster, kubectl, tmp_path, store_id)
    server.stop()
    server.environ["URUMI_CHARTS_DIR"] = str(tmp_path / "nowhere")
    with server:
        store = server.wait_for_phase(store_id, "Failed")
        assert store["lastError"]["reason"] == "ChartMissing"
        assert "URUMI_CHARTS_DIR" in store["lastError"]["hint"]
        server.call("DELETE", f"/stores/{store_id}")
        server.wait_until_gone(store_id)
    assert kubectl.get("namespace", f"store-{store_id}") is None


def test_a_deletion_right_after_the_creation_leaves_nothing(
    platform: ServerProcess, kubectl: Kubectl, store_id: str
) -> None:
    for number in range(3):
        each = f"{store_id}-{number}"
        platform.create(each)
        platform.call("DELETE", f"/stores/{each}")
    for number in range(3):
        platform.wait_until_gone(f"{store_id}-{number}")
        assert kubectl.get("namespace", f"store-{store_id}-{number}") is None


def test_a_locked_release_does_not_delay_a_deletion(platform: ServerProcess, kubectl: Kubectl, store_id: str) -> None:
    create_store(kubectl, platform, store_id)
    platform.wait_for_phase(store_id, "Ready")
    namespace = f"store-{store_id}"
    kubectl.run("label", "secret", "-n", namespace, "-l", "owner=helm", "status=pending-upgrade", "--overwrite")
    kubectl.run("delete", "store", store_id, "-n", platform.namespace, "--timeout=90s")
    assert kubectl.get("namespace", namespace) is None


def test_kubectl_describe_shows_the_events_of_a_store(platform: ServerProcess, kubectl: Kubectl, store_id: str) -> None:
    platform.create(store_id)
    platform.wait_for_phase(store_id, "Ready")

    def reasons() -> set[str]:
        found = json.loads(kubectl.run("get", "events.events.k8s.io", "-n", platform.namespace, "-o", "json"))["items"]
        return {event["reason"] for event in found if event["regarding"]["name"] == store_id}

    wait_for(lambda: {"ProvisioningStarted", "HelmInstalled", "Ready"} <= reasons(), "the events to be written")
    described = kubectl.run("describe", "store", store_id, "-n", platform.namespace)
    assert "woocommerce store" in described
    assert "urumi.ai/reconciler" in described
