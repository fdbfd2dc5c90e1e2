"""The life of a store: it is requested, shows every step, becomes Ready, is deleted and leaves nothing."""

import base64
import gzip
import json

import pytest

from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess

STEPS = [
    "ProvisioningStarted",
    "NamespaceReady",
    "GuardrailsReady",
    "CredentialsReady",
    "HelmInstallStarted",
    "HelmInstalled",
]


@pytest.mark.parametrize(
    ("engine", "workloads"),
    [("woocommerce", "mariadb 1/1, wordpress 1/1"), ("medusa", "postgres 1/1, redis 1/1, backend 1/1, storefront 1/1")],
)
def test_a_store_of_each_engine_becomes_ready_and_leaves_nothing(
    platform: ServerProcess, kubectl: Kubectl, store_id: str, engine: str, workloads: str
) -> None:
    platform.create(store_id, engine)
    store = platform.wait_for_phase(store_id, "Ready")
    types = [event["type"] for event in store["events"]]
    assert types[: len(STEPS)] == STEPS
    assert types[-1] == "Ready"
    assert workloads in store["events"][-1]["message"]
    assert store["simulated"] is True
    assert "simulated" in store["events"][-1]["message"]
    assert store["url"] == f"http://{store_id}.127.0.0.1.nip.io"

    namespace = f"store-{store_id}"
    assert {"store-admin", "store-secrets"} <= kubectl.names("secret", namespace)
    assert kubectl.names("resourcequota", namespace) == {"store-quota"}
    assert kubectl.names("limitrange", namespace) == {"store-limits"}
    assert kubectl.names("networkpolicy", namespace) == {"default-deny", "allow-databases", "allow-required"}
    volumes = bound_volumes(kubectl, namespace)
    assert volumes

    status, answer = platform.call("DELETE", f"/stores/{store_id}")
    assert (status, answer) == (202, {"deleted": True, "storeId": store_id})
    platform.wait_until_gone(store_id)
    assert kubectl.get("namespace", namespace) is None
    assert kubectl.get("store", store_id, platform.namespace) is None
    wait_for(lambda: not volumes & bound_volumes(kubectl, namespace), "the volumes to be gone")
    assert platform.call("DELETE", f"/stores/{store_id}") == (
        200,
        {"deleted": False, "storeId": store_id, "reason": "NotFound"},
    )


def test_every_object_of_a_store_is_labelled_and_its_release_is_marked(
    platform: ServerProcess, kubectl: Kubectl, store_id: str
) -> None:
    platform.create(store_id)
    store = platform.wait_for_phase(store_id, "Ready")
    namespace = f"store-{store_id}"
    kinds = "pods,deployments,statefulsets,services,persistentvolumeclaims,ingresses,networkpolicies,resourcequotas"
    listed = json.loads(kubectl.run("get", kinds, "-n", namespace, "-o", "json"))["items"]
    unlabelled = [
        item["metadata"]["name"]
        for item in listed
        if item["metadata"].get("labels", {}).get("urumi.ai/storeId") != store_id
    ]
    assert unlabelled == []
    releases = json.loads(kubectl.run("get", "secret", "-n", namespace, "-l", "owner=helm", "-o", "json"))["items"]
    assert [release["metadata"]["labels"]["urumi.ai/digest"] for release in releases] == [store["release"]["digest"]]


def test_no_secret_is_in_the_release_values_or_the_log(
    platform: ServerProcess, kubectl: Kubectl, store_id: str
) -> None:
    platform.create(store_id)
    platform.wait_for_phase(store_id, "Ready")
    namespace = f"store-{store_id}"
    admin = kubectl.get("secret", "store-admin", namespace)
    password = base64.b64decode(admin["data"]["password"]).decode()
    assert len(password) >= 24
    release = kubectl.run(
        "get", "secret", "-n", namespace, "-l", "owner=helm", "-o", "jsonpath={.items[0].data.release}"
    )
    content = gzip.decompress(base64.b64decode(base64.b64decode(release))).decode()
    assert password not in content
    assert password not in platform.log.read_text()
    assert platform.token not in platform.log.read_text()


def test_kubectl_wait_agrees_with_the_platform(platform: ServerProcess, kubectl: Kubectl, store_id: str) -> None:
    platform.create(store_id)
    kubectl.run("wait", f"store/{store_id}", "-n", platform.namespace, "--for=condition=Ready", "--timeout=90s")
    store = platform.store(store_id)
    assert store["phase"] == "Ready"
    assert store["observedGeneration"] == store["generation"]


def test_a_store_created_with_kubectl_is_provisioned_and_deleted(
    platform: ServerProcess, kubectl: Kubectl, store_id: str
) -> None:
    kubectl.apply(
        {
            "apiVersion": "stores.urumi.ai/v1alpha1",
            "kind": "Store",
            "metadata": {"name": store_id, "namespace": platform.namespace},
            "spec": {"storeId": store_id, "engine": "medusa"},
        }
    )
    platform.wait_for_phase(store_id, "Ready")
    kubectl.run("delete", "store", store_id, "-n", platform.namespace, "--timeout=60s")
    assert kubectl.get("namespace", f"store-{store_id}") is None


def test_the_same_id_can_be_used_again_right_after_a_deletion(platform: ServerProcess, store_id: str) -> None:
    first = platform.create(store_id)
    platform.call("DELETE", f"/stores/{store_id}")
    status, problem = platform.call("POST", "/stores", {"storeId": store_id, "engine": "woocommerce"})
    if status == 409:
        assert "is being deleted" in problem["detail"]
    platform.wait_until_gone(store_id)
    second = platform.create(store_id, "medusa")
    assert second["uid"] != first["uid"]
    assert platform.wait_for_phase(store_id, "Ready")["engine"] == "medusa"


def bound_volumes(kubectl: Kubectl, namespace: str) -> set[str]:
    """Return the persistent volumes that belong to a namespace's claims."""
    items = json.loads(kubectl.run("get", "pv", "-o", "json"))["items"]
    return {
        item["metadata"]["name"]
        for item in items
        if item["spec"].get("claimRef", {}).get("namespace") == namespace
        and "deletionTimestamp" not in item["metadata"]
    }
