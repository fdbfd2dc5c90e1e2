"""A deletion ends, whatever is already gone or in its way; what is in its way is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.local import ClusterInfo
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from testing.store_objects import ask, condition, events_of, has_event, helm_processes, server_with_store

STRANGER = "example.com/hold"


@pytest.fixture
def hasty(local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path) -> Any:
    """A server that calls a deletion blocked soon."""
    with ServerProcess(local_cluster, kubectl, tmp_path, URUMI_DELETION_PATIENCE_SECONDS="1") as server:
        yield server


def hold(kubectl: Kubectl, namespace: str) -> None:
    """Put an object with somebody's finalizer into a namespace."""
    meta = {"name": "held", "namespace": namespace, "finalizers": [STRANGER]}
    kubectl.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})


def let_go(kubectl: Kubectl, namespace: str) -> None:
    """Take the finalizer off."""
    kubectl.run("patch", "configmap", "held", "-n", namespace, "-p", '{"metadata":{"finalizers":null}}')


def test_a_blocked_deletion_names_what_blocks_it_and_goes_on_when_that_is_away(
    hasty: ServerProcess, kubectl: Kubectl, store_id: str
) -> None:
    hasty.create(store_id)
    hasty.wait_for_phase(store_id, "Ready")
    hold(kubectl, f"store-{store_id}")
    hasty.call("DELETE", f"/stores/{store_id}")
    wait_for(lambda: has_event(kubectl, hasty.namespace, store_id, "DeletionBlocked"), "the blocker to be named")
    store = hasty.store(store_id)
    for kind in ("Ready", "Stalled"):
        assert condition(store, kind)["reason"] == "DeletionBlocked"
        assert STRANGER in condition(store, kind)["message"]
    assert condition(store, "Stalled")["status"] == "True"
    assert len(events_of(store, "DeletionBlocked")) == 1
    let_go(kubectl, f"store-{store_id}")
    hasty.wait_until_gone(store_id)
    assert kubectl.get("namespace", f"store-{store_id}") is None


def test_a_blocked_deletion_holds_no_other_store_up(hasty: ServerProcess, kubectl: Kubectl, store_id: str) -> None:
    hasty.create(store_id)
    hasty.wait_for_phase(store_id, "Ready")
    hold(kubectl, f"store-{store_id}")
    hasty.call("DELETE", f"/stores/{store_id}")
    other = f"{store_id}-2"
    hasty.create(other)
    hasty.wait_for_phase(other, "Ready")
    hasty.call("DELETE", f"/stores/{other}")
    hasty.wait_until_gone(other)
    let_go(kubectl, f"store-{store_id}")
    hasty.wait_until_gone(store_id)


def test_a_server_killed_in_the_middle_of_a_deletion_finishes_it(
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


def test_a_locked_release_does_not_hold_a_deletion_up(platform: ServerProcess, kubectl: Kubectl, store_id: str) -> None:
    ask(kubectl, platform, store_id)
    platform.wait_for_phase(store_id, "Ready")
    namespace = f"store-{store_id}"
    kubectl.run("label", "secret", "-n", namespace, "-l", "owner=helm", "status=pending-upgrade", "--overwrite")
    kubectl.run("delete", "store", store_id, "-n", platform.namespace, "--timeout=90s")
    assert kubectl.get("namespace", namespace) is None


def test_kubectl_describe_tells_the_story(platform: ServerProcess, kubectl: Kubectl, store_id: str) -> None:
    platform.create(store_id)
    platform.wait_for_phase(store_id, "Ready")

    def reasons() -> set[str]:
        found = json.loads(kubectl.run("get", "events.events.k8s.io", "-n", platform.namespace, "-o", "json"))["items"]
        return {event["reason"] for event in found if event["regarding"]["name"] == store_id}

    wait_for(lambda: {"ProvisioningStarted", "HelmInstalled", "Ready"} <= reasons(), "the events to be written")
    described = kubectl.run("describe", "store", store_id, "-n", platform.namespace)
    assert "woocommerce store" in described
    assert "urumi.ai/reconciler" in described
