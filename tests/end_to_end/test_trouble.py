"""Failures: pods that never run, servers that are killed, foreign namespaces, locked releases, quotas."""

import base64
import gzip
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.local.cluster import ClusterInfo, LocalCluster
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from testing.store_objects import BEHAVIOUR, create_store, has_event, helm_processes, listed, server_with_store


@pytest.fixture
def impatient(local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server whose provisions time out after four seconds."""
    with ServerProcess(local_cluster, kubectl, tmp_path, URUMI_MAX_PROVISION_SECONDS="4") as server:
        yield server


@pytest.mark.parametrize(
    ("behaviour", "reason", "words"),
    [
        ("image-pull", "ImagePullBackOff", "ImagePullBackOff"),
        ("crash", "CrashLoopBackOff", "CrashLoopBackOff"),
        ("never-ready", "NotReady", "readiness probe"),
    ],
)
def test_a_provision_that_times_out_fails_with_a_message_that_names_the_pod(
    impatient: ServerProcess, kubectl: Kubectl, store_id: str, behaviour: str, reason: str, words: str
) -> None:
    create_store(kubectl, impatient, store_id, podAnnotations={BEHAVIOUR: behaviour})
    store = impatient.wait_for_phase(store_id, "Failed")
    pods = kubectl.names("pod", f"store-{store_id}")
    assert store["lastError"]["reason"] == reason
    assert words in store["lastError"]["message"]
    assert any(pod in store["lastError"]["message"] for pod in pods)
    assert store["lastError"]["hint"]
    assert store["events"][-1]["level"] == "error"


def test_pods_that_cannot_be_scheduled_are_reported(impatient: ServerProcess, kubectl: Kubectl, store_id: str) -> None:
    create_store(kubectl, impatient, store_id, nodeSelector={"no-such": "label"})
    store = impatient.wait_for_phase(store_id, "Failed")
    assert store["lastError"]["reason"] == "Unschedulable"
    assert "node affinity/selector" in store["lastError"]["message"]


def test_a_failed_store_becomes_ready_when_its_cause_is_fixed(
    impatient: ServerProcess, kubectl: Kubectl, store_id: str
) -> None:
    create_store(kubectl, impatient, store_id, podAnnotations={BEHAVIOUR: "image-pull"})
    impatient.wait_for_phase(store_id, "Failed")
    create_store(kubectl, impatient, store_id, podAnnotations={})
    store = impatient.wait_for_phase(store_id, "Ready")
    assert "lastError" not in store
    assert store["release"]["revision"] == 2


def test_values_that_the_chart_refuses_stall_the_store_until_they_change(
    platform: ServerProcess, kubectl: Kubectl, store_id: str
) -> None:
    create_store(kubectl, platform, store_id, nonsense=True)
    store = platform.wait_for_phase(store_id, "Failed")
    assert store["lastError"]["reason"] == "HelmRefused"
    assert "nonsense" in store["lastError"]["message"]
    assert "values.schema.json" in store["lastError"]["hint"]
    create_store(kubectl, platform, store_id)
    kubectl.run("patch", "store", store_id, "-n", platform.namespace, "--type=merge", "-p", '{"spec":{"values":null}}')
    platform.wait_for_phase(store_id, "Ready")


def test_a_store_that_waits_for_slow_pods_reports_it_and_holds_no_slot(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, store_id: str
) -> None:
    with ServerProcess(local_cluster, kubectl, tmp_path, URUMI_MAX_CONCURRENT_PROVISIONS="1") as server:
        stuck = [f"{store_id}-{number}" for number in range(4)]
        for each in stuck:
            create_store(kubectl, server, each, podAnnotations={BEHAVIOUR: "never-ready"})
        for each in stuck:
            wait_for(lambda each=each: waits_for_pods(server.store(each)), f"{each} to wait for its pods")  # type: ignore[misc]
        server.create(store_id)
        server.wait_for_phase(store_id, "Ready")
        assert {server.store(each)["phase"] for each in stuck} == {"Provisioning"}


def waits_for_pods(store: Any) -> bool:
    """Return whether a store reports for which pods it waits."""
    return bool(store) and "waiting for mariadb 0/1: pod mariadb-0" in store.get("progress", {}).get("message", "")


def test_a_ready_store_whose_workload_fails_is_degraded_and_recovers(
    platform: ServerProcess, kubectl: Kubectl, store_id: str
) -> None:
    platform.create(store_id)
    platform.wait_for_phase(store_id, "Ready")
    namespace = f"store-{store_id}"
    break_it = {"spec": {"template": {"metadata": {"annotations": {BEHAVIOUR: "image-pull"}}}}}
    kubectl.run("patch", "deployment", "wordpress", "-n", namespace, "--type=merge", "-p", json.dumps(break_it))
    store = platform.wait_for_phase(store_id, "Degraded")
    ready = next(condition for condition in store["conditions"] if condition["type"] == "Ready")
    assert ready["status"] == "False"
    assert "wordpress" in ready["message"]
    # A store is Degraded before Kubernetes has recorded the change as a revision that can be undone.
    undo = ("rollout", "undo", "deployment/wordpress", "-n", namespace)
    wait_for(lambda: kubectl.attempt(*undo).returncode == 0, "the change to be undone")
    assert platform.wait_for_phase(store_id, "Ready")["events"][-1]["type"] == "Recovered"


@pytest.mark.parametrize("until", ["NamespaceReady", "HelmInstallStarted", "HelmInstalled"])
def test_a_server_killed_during_a_provision_continues_it_after_its_restart(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, store_id: str, until: str
) -> None:
    server = ServerProcess(local_cluster, kubectl, tmp_path, URUMI_HELM_LOCK_SECONDS="3")
    with server:
        create_store(kubectl, server, store_id, podAnnotations={BEHAVIOUR: "slow"})
        wait_for(lambda: has_event(kubectl, server.namespace, store_id, until), f"{until} on the timeline")
        server.kill()
    assert kubectl.get("store", store_id, server.namespace)["status"]["phase"] != "Ready"
    with server:
        store = server.wait_for_phase(store_id, "Ready")
        assert store["release"]["revision"] <= 2
    wait_for(lambda: not helm_processes(store_id), "no helm process to be left")


def test_a_restart_with_everything_in_sync_runs_no_helm_and_writes_nothing(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, store_id: str
) -> None:
    server = server_with_store(local_cluster, kubectl, tmp_path, store_id)
    server.stop()
    before = kubectl.get("store", store_id, server.namespace)["metadata"]["resourceVersion"]
    server.log.write_text("")
    with server:
        other = f"{store_id}-2"
        server.create(other)
        server.wait_for_phase(other, "Ready")
        assert kubectl.get("store", store_id, server.namespace)["metadata"]["resourceVersion"] == before
        started = [json.loads(line)["release"] for line in server.log.read_text().splitlines() if "helm starts" in line]
        assert started == [f"woocommerce-{other}"]


def test_a_foreign_namespace_is_neither_adopted_nor_deleted(
    platform: ServerProcess, kubectl: Kubectl, store_id: str
) -> None:
    namespace = f"store-{store_id}"
    kubectl.run("create", "namespace", namespace)
    kubectl.run("create", "configmap", "precious", "-n", namespace)
    platform.create(store_id)
    store = platform.wait_for_phase(store_id, "Failed")
    assert store["lastError"]["reason"] == "NamespaceNotOurs"
    assert namespace in store["lastError"]["message"]
    assert kubectl.names("resourcequota", namespace) == set()
    platform.call("DELETE", f"/stores/{store_id}")
    platform.wait_until_gone(store_id)
    assert kubectl.get("configmap", "precious", namespace) is not None
    assert kubectl.get("namespace", namespace)["status"]["phase"] == "Active"


def test_a_blocked_store_continues_after_a_retry_request(
    platform: ServerProcess, kubectl: Kubectl, store_id: str
) -> None:
    namespace = f"store-{store_id}"
    kubectl.run("create", "namespace", namespace)
    platform.create(store_id)
    platform.wait_for_phase(store_id, "Failed")
    kubectl.run("delete", "namespace", namespace)
    assert platform.call("POST", f"/stores/{store_id}/retry")[0] == 202
    platform.wait_for_phase(store_id, "Ready")


def test_a_healthy_release_left_pending_is_unlocked_without_touching_its_pods(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, store_id: str
) -> None:
    with ServerProcess(local_cluster, kubectl, tmp_path, URUMI_HELM_LOCK_SECONDS="1") as server:
        server.create(store_id)
        server.wait_for_phase(store_id, "Ready")
        namespace = f"store-{store_id}"
        pods = {pod["metadata"]["uid"] for pod in listed(kubectl, "pod", namespace)}
        force_pending(kubectl, namespace)
        wait_for(
            lambda: has_event(kubectl, server.namespace, store_id, "ReleaseUnlocked"), "the release to be unlocked"
        )
        assert server.wait_for_phase(store_id, "Ready")["release"]["revision"] == 2
        assert {pod["metadata"]["uid"] for pod in listed(kubectl, "pod", namespace)} == pods


def force_pending(kubectl: Kubectl, namespace: str) -> None:
    """Mark the release as Helm leaves it when it is killed during an install."""
    secret = next(each for each in listed(kubectl, "secret", namespace) if each["type"] == "helm.sh/release.v1")
    release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    release["info"]["status"] = "pending-install"
    packed = base64.b64encode(gzip.compress(json.dumps(release).encode()))
    secret["data"]["release"] = base64.b64encode(packed).decode()
    secret["metadata"]["labels"] |= {"status": "pending-install", "modifiedAt": str(int(time.time()) - 60)}
    kubectl.run("replace", "-f", "-", given=secret)


@pytest.mark.parametrize("missing", ["release", "namespace"])
def test_a_deletion_tolerates_what_is_already_gone(
    platform: ServerProcess, local_cluster: ClusterInfo, kubectl: Kubectl, store_id: str, missing: str
) -> None:
    platform.create(store_id)
    platform.wait_for_phase(store_id, "Ready")
    namespace = f"store-{store_id}"
    kubectl.run("annotate", "store", store_id, "-n", platform.namespace, "test=1")
    platform.call("DELETE", f"/stores/{store_id}")
    if missing == "release":
        kubectl.attempt("delete", "secret", "-n", namespace, "-l", "owner=helm")
    else:
        kubectl.attempt("delete", "namespace", namespace)
    platform.wait_until_gone(store_id)
    assert kubectl.get("namespace", namespace) is None


def test_the_admin_password_survives_retries_and_upgrades(
    platform: ServerProcess, kubectl: Kubectl, store_id: str
) -> None:
    platform.create(store_id)
    platform.wait_for_phase(store_id, "Ready")
    namespace = f"store-{store_id}"
    before = {name: kubectl.get("secret", name, namespace)["data"] for name in ("store-admin", "store-secrets")}
    create_store(kubectl, platform, store_id, podAnnotations={"some": "change"})
    wait_for(lambda: platform.store(store_id)["release"]["revision"] == 2, "the second revision")
    platform.wait_for_phase(store_id, "Ready")
    assert {name: kubectl.get("secret", name, namespace)["data"] for name in before} == before


def test_a_quota_that_is_too_small_is_named_and_a_larger_one_is_enough(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, store_id: str
) -> None:
    """The quota allows no pod, because Kubernetes may count only one of two pods that are created at the same time."""
    server = ServerProcess(
        local_cluster, kubectl, tmp_path, URUMI_STORE_QUOTA="pods=0", URUMI_MAX_PROVISION_SECONDS="12"
    )
    with server:
        create_store(kubectl, server, store_id)
        store = server.wait_for_phase(store_id, "Failed")
    assert store["lastError"]["reason"] == "FailedCreate"
    assert "exceeded quota: store-quota" in store["lastError"]["message"]
    server.environ["URUMI_STORE_QUOTA"] = "pods=20"
    with server:
        server.wait_for_phase(store_id, "Ready", seconds=120)


def test_a_quota_that_is_not_counted_is_reported_and_blocks_no_provision(
    local_cluster: ClusterInfo, platform: ServerProcess, kubectl: Kubectl, store_id: str
) -> None:
    components = LocalCluster(local_cluster.kubeconfig.parent).status().components
    controllers = next(each.pid for each in components if each.name == "kube-controller-manager")
    assert controllers is not None
    os.kill(controllers, signal.SIGSTOP)
    try:
        platform.create(store_id)
        namespace = platform.namespace
        wait_for(
            lambda: has_event(kubectl, namespace, store_id, "QuotaNotInForce"), "the event of the quota", seconds=90
        )
        wait_for(lambda: listed(kubectl, "deployment", f"store-{store_id}"), "the release", seconds=90)
    finally:
        os.kill(controllers, signal.SIGCONT)
    platform.wait_for_phase(store_id, "Ready", seconds=120)
