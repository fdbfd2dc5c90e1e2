"""Out-of-band changes of a store are reverted, reported on its timeline, and counted."""

import json
from datetime import datetime
from typing import Any

import pytest

from cluster.local.cluster import ClusterInfo
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from testing.store_objects import condition, create_store, events_of, helm_processes, listed, server_with_store


@pytest.fixture
def ready_store(platform: ServerProcess, store_id: str) -> str:
    """A store that is Ready."""
    platform.create(store_id)
    platform.wait_for_phase(store_id, "Ready")
    return store_id


def wait_for_correction(platform: ServerProcess, store_id: str, words: str) -> Any:
    """Wait until the timeline reports a correction, and the store is Ready."""

    def corrected() -> Any:
        store = platform.store(store_id)
        reported = any(words in event["message"] for event in events_of(store, "DriftCorrected"))
        return store if reported and store["phase"] == "Ready" else None

    return wait_for(corrected, f"a correction of {words!r}; the store is {platform.store(store_id)}", seconds=60)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ResourceQuota", "store-quota"),
        ("LimitRange", "store-limits"),
        ("NetworkPolicy", "default-deny"),
        ("Service", "wordpress"),
        ("Deployment", "wordpress"),
        ("Ingress", "store"),
    ],
)
def test_a_deleted_object_is_recreated(
    platform: ServerProcess, kubectl: Kubectl, ready_store: str, kind: str, name: str
) -> None:
    namespace = f"store-{ready_store}"
    kubectl.run("delete", kind.lower(), name, "-n", namespace)
    wait_for_correction(platform, ready_store, f"{kind} {name} was deleted")
    assert kubectl.get(kind.lower(), name, namespace) is not None


@pytest.mark.parametrize(
    ("kind", "name", "patch", "path"),
    [
        ("ResourceQuota", "store-quota", {"spec": {"hard": {"pods": "999"}}}, ["spec", "hard", "pods"]),
        ("NetworkPolicy", "allow-required", {"spec": {"egress": [{}]}}, ["spec", "egress"]),
        ("Deployment", "wordpress", {"spec": {"replicas": 0}}, ["spec", "replicas"]),
        ("Service", "wordpress", {"spec": {"selector": {"app.kubernetes.io/component": "x"}}}, ["spec", "selector"]),
        ("Secret", "store-admin", {"metadata": {"labels": {"urumi.ai/storeId": None}}}, ["metadata", "labels"]),
        ("Namespace", "", {"metadata": {"labels": {"urumi.ai/storeId": None}}}, ["metadata", "labels"]),
    ],
)
def test_an_edited_object_is_reverted(
    platform: ServerProcess, kubectl: Kubectl, ready_store: str, kind: str, name: str, patch: Any, path: list[str]
) -> None:
    namespace = f"store-{ready_store}"
    name = name or namespace

    def value() -> Any:
        found = kubectl.get(kind.lower(), name, namespace)
        for step in path:
            found = found[step]
        return found

    before = value()
    kubectl.run("patch", kind.lower(), name, "-n", namespace, "--type=merge", "-p", json.dumps(patch))
    wait_for_correction(platform, ready_store, f"{kind} {name} was ")
    assert value() == before


def test_a_store_with_a_changed_release_is_not_ready_until_it_is_corrected(
    platform: ServerProcess, kubectl: Kubectl, ready_store: str
) -> None:
    seen: list[tuple[str, str]] = []
    kubectl.run("delete", "service", "wordpress", "-n", f"store-{ready_store}")

    def recovered() -> bool:
        store = platform.store(ready_store)
        ready = condition(store, "Ready")
        if not seen or seen[-1] != (ready["status"], ready["reason"]):
            seen.append((ready["status"], ready["reason"]))
        return bool(events_of(store, "Recovered"))

    wait_for(recovered, "the store to recover", seconds=60)
    assert ("False", "Drifted") in seen


def test_corrections_that_have_to_wait_for_a_slot_are_made(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Any, store_id: str
) -> None:
    ids = [f"{store_id}-{number}" for number in range(4)]
    with ServerProcess(local_cluster, kubectl, tmp_path, URUMI_MAX_CONCURRENT_PROVISIONS="1") as server:
        for each in ids:
            server.create(each)
        for each in ids:
            server.wait_for_phase(each, "Ready")
        # kubectl deletes objects one by one; the server is frozen so that it finds all deletions at the same time.
        server.freeze()
        kubectl.run("delete", "service", "-A", "-l", f"urumi.ai/storeId in ({','.join(ids)})")
        server.thaw()
        for each in ids:
            store = wait_for_correction(server, each, "Service mariadb was deleted, Service wordpress was deleted")
            assert len(events_of(store, "DriftCorrected")) == 1
            assert kubectl.names("service", f"store-{each}") == {"mariadb", "wordpress"}


def test_additions_of_other_writers_are_left_alone(platform: ServerProcess, kubectl: Kubectl, ready_store: str) -> None:
    namespace = f"store-{ready_store}"
    before = platform.store(ready_store)
    kubectl.run("annotate", "service", "wordpress", "-n", namespace, "other-writer=added")
    kubectl.run("label", "resourcequota", "store-quota", "-n", namespace, "theirs=yes")
    # The correction shows that drift was detected after the additions, which are still there.
    kubectl.run("delete", "networkpolicy", "default-deny", "-n", namespace)
    store = wait_for_correction(platform, ready_store, "NetworkPolicy default-deny was deleted")
    assert store["release"] == before["release"]
    assert kubectl.get("service", "wordpress", namespace)["metadata"]["annotations"]["other-writer"] == "added"
    assert kubectl.get("resourcequota", "store-quota", namespace)["metadata"]["labels"]["theirs"] == "yes"


def test_changes_made_while_no_server_ran_are_found_at_its_start(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Any, store_id: str
) -> None:
    server = server_with_store(local_cluster, kubectl, tmp_path, store_id)
    server.stop()
    namespace = f"store-{store_id}"
    kubectl.run("delete", "service", "wordpress", "-n", namespace)
    kubectl.run("patch", "resourcequota", "store-quota", "-n", namespace, "-p", '{"spec":{"hard":{"pods":"1"}}}')
    with server:
        wait_for_correction(server, store_id, "Service wordpress was deleted")
        wait_for_correction(server, store_id, "ResourceQuota store-quota was changed")


def test_a_lost_secret_is_never_replaced_by_a_new_password(
    platform: ServerProcess, kubectl: Kubectl, ready_store: str
) -> None:
    namespace = f"store-{ready_store}"
    secret = kubectl.get("secret", "store-secrets", namespace)
    kubectl.run("delete", "secret", "store-secrets", "-n", namespace)
    store = platform.wait_for_phase(ready_store, "Failed")
    assert store["lastError"]["reason"] == "SecretLost"
    assert "backup" in store["lastError"]["hint"]
    assert kubectl.get("secret", "store-secrets", namespace) is None
    kept = {name: secret["metadata"][name] for name in ("name", "namespace", "labels")}
    kubectl.run("create", "-f", "-", given={**secret, "metadata": kept})
    assert platform.call("POST", f"/stores/{ready_store}/retry")[0] == 202
    platform.wait_for_phase(ready_store, "Ready")
    assert kubectl.get("secret", "store-secrets", namespace)["data"] == secret["data"]


def test_a_deleted_namespace_is_recreated_with_a_new_shop(
    platform: ServerProcess, kubectl: Kubectl, ready_store: str
) -> None:
    namespace = f"store-{ready_store}"
    old = kubectl.get("namespace", namespace)["metadata"]["uid"]
    kubectl.run("delete", "namespace", namespace, "--timeout=60s")

    def recovered() -> bool:
        found = kubectl.get("namespace", namespace)
        return bool(found) and found["metadata"]["uid"] != old and platform.store(ready_store)["phase"] == "Ready"

    wait_for(recovered, f"the namespace to be back; the store is {platform.store(ready_store)}", seconds=90)
    assert helm_processes(ready_store) == []


def test_corrections_of_a_repeated_change_are_rate_limited(
    platform: ServerProcess, kubectl: Kubectl, ready_store: str
) -> None:
    namespace = f"store-{ready_store}"
    kubectl.run("delete", "service", "wordpress", "-n", namespace)
    wait_for_correction(platform, ready_store, "Service wordpress was deleted")
    revision = platform.store(ready_store)["release"]["revision"]
    kubectl.run("delete", "service", "wordpress", "-n", namespace)
    store = platform.wait_for_phase(ready_store, "Degraded")
    sentence = "Service wordpress was deleted; the next correction starts 10 s after the previous one"
    assert (store["progress"]["step"], store["progress"]["message"]) == ("release", sentence)
    assert events_of(store, "Degraded")[-1]["message"] == sentence
    store = wait_for(
        lambda: platform.store(ready_store) if platform.store(ready_store)["release"]["revision"] > revision else None,
        "the second correction",
        seconds=60,
    )
    platform.wait_for_phase(ready_store, "Ready")
    first, second = (datetime.fromisoformat(event["timestamp"]) for event in events_of(store, "DriftCorrected"))
    assert (second - first).total_seconds() > 9


def test_new_limits_of_the_platform_reach_stores_without_touching_their_pods(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Any, store_id: str
) -> None:
    server = ServerProcess(local_cluster, kubectl, tmp_path)
    with server:
        create_store(kubectl, server, store_id)
        before = server.wait_for_phase(store_id, "Ready")
    namespace = f"store-{store_id}"
    pods = {pod["metadata"]["uid"] for pod in listed(kubectl, "pod", namespace)}
    server.environ["URUMI_INGRESS_NAMESPACES"] = "elsewhere"
    with server:
        wait_for(lambda: events_of(server.store(store_id), "GuardrailsUpdated"), "the new limits to be applied")
        policy = json.dumps(kubectl.get("networkpolicy", "allow-required", namespace))
        assert "elsewhere" in policy
        after = server.store(store_id)
        assert (after["phase"], after["release"]) == ("Ready", before["release"])
    assert {pod["metadata"]["uid"] for pod in listed(kubectl, "pod", namespace)} == pods
