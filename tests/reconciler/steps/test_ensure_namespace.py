"""The namespace step: creates or updates the store's own namespace and leaves every other one alone."""

import pytest

from reconciler.kube.resources import NAMESPACES, QUOTAS
from reconciler.steps.ensure_namespace import ensure_namespace
from tests.reconciler.harness import NAMESPACE, STORE_ID, Scene
from urumi.errors import BlockedError, ClusterError, TransientError
from urumi.store import MANAGED_LABEL, STORE_ID_LABEL

pytestmark = pytest.mark.anyio


async def test_a_new_namespace_carries_labels_pod_security_and_the_uid_of_the_store(scene: Scene) -> None:
    await scene.create_store()
    store = await scene.store()
    [namespace] = await ensure_namespace(scene.kube, store)
    labels = namespace["metadata"]["labels"]
    assert (labels[MANAGED_LABEL], labels[STORE_ID_LABEL]) == ("true", STORE_ID)
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert namespace["metadata"]["annotations"]["urumi.ai/store-uid"] == store.uid


@pytest.mark.parametrize("lost", ["label", "annotation"])
async def test_labels_that_were_removed_come_back_as_long_as_one_sign_of_ownership_is_left(
    scene: Scene, lost: str
) -> None:
    await scene.create_store()
    store = await scene.store()
    await ensure_namespace(scene.kube, store)
    removed = {"labels": {STORE_ID_LABEL: None}} if lost == "label" else {"annotations": {"urumi.ai/store-uid": None}}
    await scene.others.merge(NAMESPACES, NAMESPACE, {"metadata": removed})
    [namespace] = await ensure_namespace(scene.kube, store)
    assert namespace["metadata"]["labels"][STORE_ID_LABEL] == STORE_ID
    assert namespace["metadata"]["annotations"]["urumi.ai/store-uid"] == store.uid


async def test_a_namespace_of_somebody_else_blocks_the_store_and_is_not_changed(scene: Scene) -> None:
    theirs = await scene.others.create(NAMESPACES, {"metadata": {"name": NAMESPACE}})
    await scene.create_store()
    seen = await scene.reconcile()
    assert (seen.phase, seen.error["reason"]) == ("Failed", "NamespaceNotOurs")
    assert seen.error["message"] == (
        f"namespace {NAMESPACE} exists and does not belong to this store: "
        f"expected the label {STORE_ID_LABEL}={STORE_ID}"
    )
    assert seen.error["hint"].startswith(f"Remove the namespace {NAMESPACE} and retry")
    assert await scene.others.get(NAMESPACES, NAMESPACE) == theirs
    assert await scene.list(QUOTAS) == []


async def test_a_namespace_that_appears_at_the_same_moment_is_not_adopted(scene: Scene) -> None:
    await scene.create_store()
    store = await scene.store()

    async def race() -> None:
        await scene.others.create(NAMESPACES, {"metadata": {"name": NAMESPACE}})

    scene.kube.before("create", NAMESPACES, race)
    with pytest.raises(TransientError) as raised:
        await ensure_namespace(scene.kube, store)
    assert raised.value.reason == "NamespaceRace"
    with pytest.raises(BlockedError):
        await ensure_namespace(scene.kube, store)


async def test_a_terminating_namespace_is_waited_for(scene: Scene) -> None:
    await scene.create_store()
    store = await scene.store()
    await ensure_namespace(scene.kube, store)
    await scene.others.merge(NAMESPACES, NAMESPACE, {"metadata": {"finalizers": ["test/hold"]}})
    await scene.others.delete(NAMESPACES, NAMESPACE)
    with pytest.raises(TransientError) as raised:
        await ensure_namespace(scene.kube, store)
    assert raised.value.reason == "NamespaceTerminating"
    assert f"kubectl describe namespace {NAMESPACE}" in raised.value.hint


async def test_other_errors_of_a_creation_are_not_hidden(scene: Scene) -> None:
    await scene.create_store()
    store = await scene.store()
    scene.kube.fail("create", NAMESPACES, ClusterError("forbidden", status=403, reason="Forbidden"))
    with pytest.raises(ClusterError) as raised:
        await ensure_namespace(scene.kube, store)
    assert raised.value.status == 403
