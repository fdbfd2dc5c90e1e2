"""The namespace step: creates or updates the store's own namespace and leaves every other one alone."""

import pytest

from reconciler.kube.resources import NAMESPACES, QUOTAS
from reconciler.steps.ensure_namespace import ensure_namespace
from tests.reconciler.harness import NAMESPACE, STORE_ID, Harness
from urumi.errors import BlockedError, ClusterError, TransientError
from urumi.store import MANAGED_LABEL, STORE_ID_LABEL

pytestmark = pytest.mark.anyio


async def test_a_new_namespace_carries_labels_pod_security_and_the_uid_of_the_store(harness: Harness) -> None:
    await harness.create_store()
    store = await harness.store()
    [namespace] = await ensure_namespace(harness.kube, store)
    labels = namespace["metadata"]["labels"]
    assert (labels[MANAGED_LABEL], labels[STORE_ID_LABEL]) == ("true", STORE_ID)
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert namespace["metadata"]["annotations"]["urumi.ai/store-uid"] == store.uid


@pytest.mark.parametrize("lost", ["label", "annotation"])
async def test_removed_labels_are_restored_while_one_sign_of_ownership_is_left(harness: Harness, lost: str) -> None:
    await harness.create_store()
    store = await harness.store()
    await ensure_namespace(harness.kube, store)
    removed = {"labels": {STORE_ID_LABEL: None}} if lost == "label" else {"annotations": {"urumi.ai/store-uid": None}}
    await harness.others.merge(NAMESPACES, NAMESPACE, {"metadata": removed})
    [namespace] = await ensure_namespace(harness.kube, store)
    assert namespace["metadata"]["labels"][STORE_ID_LABEL] == STORE_ID
    assert namespace["metadata"]["annotations"]["urumi.ai/store-uid"] == store.uid


async def test_a_foreign_namespace_blocks_the_store_and_is_not_changed(harness: Harness) -> None:
    theirs = await harness.others.create(NAMESPACES, {"metadata": {"name": NAMESPACE}})
    await harness.create_store()
    seen = await harness.reconcile()
    assert (seen.phase, seen.error["reason"]) == ("Failed", "NamespaceNotOurs")
    assert seen.error["message"] == (
        f"namespace {NAMESPACE} exists and does not belong to this store: "
        f"expected the label {STORE_ID_LABEL}={STORE_ID}"
    )
    assert seen.error["hint"].startswith(f"Remove the namespace {NAMESPACE} and retry")
    assert await harness.others.get(NAMESPACES, NAMESPACE) == theirs
    assert await harness.list(QUOTAS) == []


async def test_a_namespace_that_appears_at_the_same_moment_is_not_adopted(harness: Harness) -> None:
    await harness.create_store()
    store = await harness.store()

    async def race() -> None:
        await harness.others.create(NAMESPACES, {"metadata": {"name": NAMESPACE}})

    harness.kube.before("create", NAMESPACES, race)
    with pytest.raises(TransientError) as raised:
        await ensure_namespace(harness.kube, store)
    assert raised.value.reason == "NamespaceRace"
    with pytest.raises(BlockedError):
        await ensure_namespace(harness.kube, store)


async def test_a_terminating_namespace_is_waited_for(harness: Harness) -> None:
    await harness.create_store()
    store = await harness.store()
    await ensure_namespace(harness.kube, store)
    await harness.others.merge(NAMESPACES, NAMESPACE, {"metadata": {"finalizers": ["test/hold"]}})
    await harness.others.delete(NAMESPACES, NAMESPACE)
    with pytest.raises(TransientError) as raised:
        await ensure_namespace(harness.kube, store)
    assert raised.value.reason == "NamespaceTerminating"
    assert f"kubectl describe namespace {NAMESPACE}" in raised.value.hint


async def test_other_errors_of_a_creation_are_not_hidden(harness: Harness) -> None:
    await harness.create_store()
    store = await harness.store()
    harness.kube.fail("create", NAMESPACES, ClusterError("forbidden", status=403, reason="Forbidden"))
    with pytest.raises(ClusterError) as raised:
        await ensure_namespace(harness.kube, store)
    assert raised.value.status == 403
