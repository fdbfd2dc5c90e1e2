"""What the platform refuses and with which message, by REST and by the API server."""

import json
from typing import Any

import pytest

from testing.kubectl import Kubectl
from testing.serve import ServerProcess


def store_object(platform: ServerProcess, name: str, **spec: Any) -> dict[str, Any]:
    """Return a Store object for kubectl."""
    return {
        "apiVersion": "stores.urumi.ai/v1alpha1",
        "kind": "Store",
        "metadata": {"name": name, "namespace": platform.namespace},
        "spec": spec,
    }


def test_a_second_request_returns_the_existing_store(platform: ServerProcess, store_id: str) -> None:
    assert platform.call("POST", "/stores", {"storeId": store_id, "engine": "medusa"})[0] == 202
    platform.wait_for_phase(store_id, "Ready")
    status, again = platform.call("POST", "/stores", {"storeId": store_id, "engine": "medusa"})
    assert status == 200
    assert again["phase"] == "Ready"
    assert again["generation"] == 1


def test_another_engine_is_a_conflict_that_names_both(platform: ServerProcess, store_id: str) -> None:
    platform.create(store_id, "medusa")
    status, problem = platform.call("POST", "/stores", {"storeId": store_id, "engine": "woocommerce"})
    assert status == 409
    assert problem["type"] == "urn:urumi:problem:conflict"
    assert (
        problem["detail"] == f"Store {store_id} already exists with engine medusa; the request has engine woocommerce."
    )


@pytest.mark.parametrize("bad_id", ["ab", "Shop", "-shop", "shop-", "shop_1", "x" * 33, "", "shop.1", "läden"])
def test_a_bad_store_id_is_refused_by_rest_and_by_kubectl(
    platform: ServerProcess, kubectl: Kubectl, bad_id: str
) -> None:
    status, problem = platform.call("POST", "/stores", {"storeId": bad_id, "engine": "medusa"})
    assert status == 422
    assert problem["type"] == "urn:urumi:problem:invalid-request"
    assert problem["errors"][0]["pointer"] == "/storeId"
    assert repr(bad_id) in problem["detail"]

    refused = kubectl.attempt(
        "create", "-f", "-", given=store_object(platform, "some-id", storeId=bad_id, engine="medusa")
    )
    assert refused.returncode != 0
    assert "spec.storeId" in refused.stderr or "must be the storeId" in refused.stderr


def test_a_bad_engine_is_refused_by_rest_and_by_kubectl(
    platform: ServerProcess, kubectl: Kubectl, store_id: str
) -> None:
    status, problem = platform.call("POST", "/stores", {"storeId": store_id, "engine": "magento"})
    assert status == 422
    assert problem["detail"] == "engine must be 'woocommerce' or 'medusa', got 'magento'."

    refused = kubectl.attempt(
        "create", "-f", "-", given=store_object(platform, store_id, storeId=store_id, engine="magento")
    )
    assert 'Unsupported value: "magento"' in refused.stderr
    assert '"woocommerce", "medusa"' in refused.stderr


def test_a_name_that_is_not_the_store_id_is_refused_by_kubectl(platform: ServerProcess, kubectl: Kubectl) -> None:
    refused = kubectl.attempt(
        "create", "-f", "-", given=store_object(platform, "one-name", storeId="another-name", engine="medusa")
    )
    assert "expected another-name, got one-name" in refused.stderr


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("engine", "woocommerce", "engine cannot be changed: it is medusa"),
        ("storeId", "other-id", "storeId cannot be changed"),
    ],
)
def test_engine_and_id_cannot_be_edited(
    platform: ServerProcess, kubectl: Kubectl, store_id: str, field: str, value: str, words: str
) -> None:
    platform.create(store_id, "medusa")
    edit = json.dumps({"spec": {field: value}})
    refused = kubectl.attempt("patch", "store", store_id, "-n", platform.namespace, "--type=merge", "-p", edit)
    assert refused.returncode != 0
    assert words in refused.stderr


def test_a_reached_store_quota_is_explained(local_platform: ServerProcess, store_id: str) -> None:
    local_platform.create(store_id)
    status, problem = local_platform.call("POST", "/stores", {"storeId": f"{store_id}-2", "engine": "medusa"})
    assert (status, problem["type"]) == (409, "urn:urumi:problem:quota-exceeded")
    assert problem["detail"] == "Limit of stores reached: 1 of 1 exist."


def test_a_delete_of_another_store_of_that_name_is_refused(platform: ServerProcess, store_id: str) -> None:
    platform.create(store_id)
    status, problem = platform.call("DELETE", f"/stores/{store_id}?uid=00000000-0000-0000-0000-000000000000")
    assert status == 409
    assert "was replaced: the store with uid" in problem["detail"]
    assert "deletionRequestedAt" not in platform.store(store_id)


@pytest.fixture
def local_platform(local_cluster: Any, kubectl: Kubectl, tmp_path: Any) -> Any:
    """A server that allows one store."""
    with ServerProcess(local_cluster, kubectl, tmp_path, URUMI_MAX_ACTIVE_STORES="1") as server:
        yield server
