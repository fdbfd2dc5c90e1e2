"""The state of a release from its Secrets, and the unlocking of one whose writer has ended."""

import base64
import gzip
import json
from typing import Any

import pytest

from reconciler.helm.release import newest_revision, unlock
from reconciler.kube.resources import SECRETS
from testing.apiserver.server import ApiServer
from urumi.errors import ClusterError

pytestmark = pytest.mark.anyio

NAMESPACE = "store-shop-a"


def secret(revision: int, status: str, release: str = "woocommerce-shop-a", **labels: str) -> dict[str, Any]:
    """Return the Secret of a revision."""
    record = gzip.compress(json.dumps({"info": {"status": status}, "chart": "kept"}).encode())
    return {
        "metadata": {
            "name": f"sh.helm.release.v1.{release}.v{revision}",
            "labels": {"status": status, "version": str(revision), **labels},
        },
        "data": {"release": base64.b64encode(base64.b64encode(record)).decode()},
    }


def by_name(*secrets: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return Secrets by their names."""
    return {each["metadata"]["name"]: each for each in secrets}


def test_the_newest_revision_counts_by_number_and_only_of_this_release() -> None:
    secrets = by_name(
        secret(9, "superseded"),
        secret(10, "deployed", **{"urumi.ai/digest": "d1", "urumi.ai/epoch": "4", "modifiedAt": "1000"}),
        secret(11, "failed", release="medusa-shop-a"),
    )
    state = newest_revision(secrets, "woocommerce-shop-a")
    assert state is not None
    assert (state.revision, state.status, state.digest, state.fencing_token, state.modified_at) == (
        10,
        "deployed",
        "d1",
        4,
        1000,
    )
    assert state.is_deployed("d1")
    assert not state.is_deployed("d2")
    assert not state.is_pending
    assert state.age_seconds() > 1000


def test_without_secrets_there_is_no_release() -> None:
    assert newest_revision({}, "woocommerce-shop-a") is None


@pytest.mark.parametrize("status", ["pending-install", "pending-upgrade", "pending-rollback", "uninstalling"])
def test_a_release_that_helm_works_on_is_pending(status: str) -> None:
    state = newest_revision(by_name(secret(1, status)), "woocommerce-shop-a")
    assert state is not None
    assert state.is_pending


async def test_unlocking_marks_label_and_record_failed_and_keeps_the_rest() -> None:
    kube = ApiServer(NAMESPACE)
    locked = await kube.create(SECRETS, secret(1, "pending-install"), NAMESPACE)
    state = newest_revision(by_name(locked), "woocommerce-shop-a")
    assert state is not None
    assert await unlock(kube, NAMESPACE, state)
    found = await kube.get(SECRETS, state.secret, NAMESPACE)
    assert found is not None
    record = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(found["data"]["release"]))))
    assert found["metadata"]["labels"]["status"] == "failed"
    assert (record["info"]["status"], record["chart"]) == ("failed", "kept")
    assert "marked failed" in record["info"]["description"]


@pytest.mark.parametrize("now", ["deployed", None])
async def test_a_release_that_changed_since_it_was_read_is_not_unlocked(now: str | None) -> None:
    kube = ApiServer(NAMESPACE)
    locked = await kube.create(SECRETS, secret(1, "pending-install"), NAMESPACE)
    state = newest_revision(by_name(locked), "woocommerce-shop-a")
    assert state is not None
    if now is None:
        await kube.delete(SECRETS, state.secret, NAMESPACE)
    else:
        await kube.merge(SECRETS, state.secret, {"metadata": {"labels": {"status": now}}}, NAMESPACE)
    assert not await unlock(kube, NAMESPACE, state)


async def test_a_write_between_read_and_unlock_wins() -> None:
    kube = ApiServer(NAMESPACE)
    locked = await kube.create(SECRETS, secret(1, "pending-install"), NAMESPACE)
    state = newest_revision(by_name(locked), "woocommerce-shop-a")
    assert state is not None

    async def finish() -> None:
        patch = {"metadata": {"labels": {"status": "deployed"}}}
        await kube.as_manager("helm").merge(SECRETS, locked["metadata"]["name"], patch, NAMESPACE)

    kube.before("replace", SECRETS, finish)
    with pytest.raises(ClusterError) as raised:
        await unlock(kube, NAMESPACE, state)
    assert raised.value.status == 409
