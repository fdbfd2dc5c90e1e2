"""The admin account of a store by REST: what is returned, to whom, what is refused, and what is audited."""

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from urumi.store import namespace_name

OTHER_UID = "00000000-0000-0000-0000-000000000000"


def read_account(platform: ServerProcess, store_id: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """Request the admin account of a store."""
    return platform.call("POST", f"/stores/{store_id}/credentials", body, **headers)


def audited(platform: ServerProcess, store_id: str) -> list[str]:
    """Return the outcomes in the audit log of reading a store's account."""
    lines = [json.loads(line) for line in platform.log.read_text().splitlines() if '"urumi.audit"' in line]
    return [line["outcome"] for line in lines if (line["action"], line["store"]) == ("credentials", store_id)]


@pytest.fixture(scope="module")
def ready(platform: ServerProcess) -> Any:
    """A store that is Ready."""
    platform.create("t-account", "medusa")
    return platform.wait_for_phase("t-account", "Ready")


@pytest.fixture
def blocked(platform: ServerProcess, kubectl: Kubectl, store_id: str) -> Iterator[str]:
    """The id of a store whose namespace belongs to another owner and contains a Secret of the same name."""
    namespace = namespace_name(store_id)
    kubectl.run("create", "namespace", namespace)
    kubectl.run(
        "create",
        "secret",
        "generic",
        "store-admin",
        "-n",
        namespace,
        "--from-literal=username=x",
        "--from-literal=password=theirs",
    )
    platform.create(store_id)
    yield store_id
    kubectl.run("delete", "namespace", namespace, "--wait=false")


def test_the_account_is_that_of_the_secret_and_each_reading_is_audited(
    platform: ServerProcess, kubectl: Kubectl, ready: Any
) -> None:
    secret = kubectl.get("secret", "store-admin", ready["namespace"])["data"]
    status, account = read_account(platform, "t-account")
    assert status == 200
    assert account == {
        "storeId": "t-account",
        "username": f"admin@{urlsplit(ready['url']).hostname}",  # Medusa identifies its administrators by address
        "password": base64.b64decode(secret["password"]).decode(),
        "adminUrl": ready["adminUrl"],
    }
    assert read_account(platform, "t-account", {"uid": ready["uid"]}) == (200, account)
    wait_for(lambda: audited(platform, "t-account")[:2] == ["read", "read"], "two audit lines")
    assert account["password"] not in platform.log.read_text()


@pytest.mark.parametrize(
    ("store_id", "body", "status", "words"),
    [
        pytest.param("t-account", {"uid": OTHER_UID}, 409, "was replaced: expected uid", id="other-uid"),
        pytest.param("t-account", {"uuid": OTHER_UID}, 422, "Expected no body or one such as", id="typo"),
        pytest.param("t-account", {"uid": 7}, 422, "Expected no body or one such as", id="number"),
        pytest.param("t-nowhere", None, 404, "No store named 't-nowhere'.", id="no-store"),
    ],
)
@pytest.mark.usefixtures("ready")
def test_a_refusal_returns_no_password(
    platform: ServerProcess, store_id: str, body: Any, status: int, words: str
) -> None:
    got, problem = read_account(platform, store_id, body)
    assert (got, words in problem["detail"]) == (status, True), problem
    assert "password" not in problem


def test_a_secret_in_a_foreign_namespace_is_not_returned(
    platform: ServerProcess, kubectl: Kubectl, blocked: str
) -> None:
    status, problem = read_account(platform, blocked)
    assert status == 409
    assert "is not managed by Urumi" in problem["detail"]
    kubectl.run("delete", "secret", "store-admin", "-n", namespace_name(blocked))
    assert f"Secret {namespace_name(blocked)}/store-admin not found" in read_account(platform, blocked)[1]["detail"]
    assert "theirs" not in platform.log.read_text()


def test_a_store_that_is_being_deleted_returns_no_account(
    platform: ServerProcess, kubectl: Kubectl, store_id: str
) -> None:
    platform.create(store_id)
    hold = '{"metadata": {"finalizers": ["tests.urumi.ai/hold", "stores.urumi.ai/finalizer"]}}'
    patch = ("patch", "store", store_id, "-n", platform.namespace, "--type=merge", "-p")
    kubectl.run(*patch, hold)
    platform.call("DELETE", f"/stores/{store_id}")
    status, problem = read_account(platform, store_id)
    assert (status, problem["detail"]) == (409, f"Store {store_id} is being deleted, together with its admin account.")
    wait_for(lambda: audited(platform, store_id) == ["refused: conflict"], "the audit line")
    wait_for(
        lambda: kubectl.get("store", store_id, platform.namespace)["metadata"]["finalizers"] == ["tests.urumi.ai/hold"],
        "the platform to remove its finalizer",
    )
    kubectl.run(*patch, '{"metadata": {"finalizers": null}}')


def test_a_wrong_token_and_a_get_request_are_refused(platform: ServerProcess) -> None:
    assert read_account(platform, "t-account", Authorization="Bearer wrong")[0] == 401
    assert platform.call("GET", "/stores/t-account/credentials")[0] == 405
