"""A deletion: every part may already be gone, and what blocks it is named."""

import pytest

from reconciler.kube.resources import CLAIMS, DEPLOYMENTS, NAMESPACES, PODS, STATEFUL_SETS, STORES
from tests.reconciler.conftest import MakeHarness
from tests.reconciler.harness import NAMESPACE, PLATFORM, RELEASE, STORE_ID, Harness, ObservedStatus
from urumi.errors import ClusterConflict, ClusterError, ClusterNotFound, TransientError
from urumi.store import FINALIZER, store_labels

pytestmark = pytest.mark.anyio


async def request_deletion(harness: Harness) -> None:
    """Request the deletion of the store."""
    await harness.others.delete(STORES, STORE_ID, PLATFORM)


async def is_gone(harness: Harness) -> bool:
    """Return whether the Store is gone."""
    return await harness.others.get(STORES, STORE_ID, PLATFORM) is None


async def delete_completely(harness: Harness) -> ObservedStatus:
    """Reconcile until the store is gone, and return its last status."""
    last = ObservedStatus({})
    for _ in range(5):
        if await is_gone(harness):
            return last
        seen = await harness.reconcile()
        last = seen if seen.status else last
    raise AssertionError(last.status)


async def hold_namespace(harness: Harness) -> None:
    """Add a finalizer to the namespace, with the condition that names it."""
    namespace = await harness.others.merge(NAMESPACES, NAMESPACE, {"metadata": {"finalizers": ["test/hold"]}})
    held = {"type": "NamespaceFinalizersRemaining", "status": "True", "message": "in 1 resource: test/hold"}
    await harness.controllers.replace_status(NAMESPACES, namespace, {"phase": "Terminating", "conditions": [held]})


async def test_a_ready_store_is_uninstalled_then_its_namespace_then_its_finalizer(harness: Harness) -> None:
    await harness.ready_store()
    await request_deletion(harness)
    last = await delete_completely(harness)
    assert last.phase == "Deleting"
    assert last.events[-3:] == ["Deleting", "ReleaseUninstalled", "NamespaceDeleting"]
    assert last.event("Deleting")["message"] == f"deleting namespace {NAMESPACE} and everything in it"
    assert last.event("ReleaseUninstalled")["message"] == f"release {RELEASE} uninstalled"
    assert harness.helm.uninstalls == [RELEASE]
    assert await harness.others.get(NAMESPACES, NAMESPACE) is None


async def test_a_store_that_was_never_provisioned_is_deleted_immediately(harness: Harness) -> None:
    await harness.create_store()
    await request_deletion(harness)
    await harness.reconcile()
    assert await is_gone(harness)
    assert harness.helm.uninstalls == []


async def test_a_store_without_our_finalizer_is_not_touched(harness: Harness) -> None:
    await harness.create_store()
    await harness.edit_store(metadata={"finalizers": ["test/other"]})
    await request_deletion(harness)
    harness.kube.calls.clear()
    await harness.reconcile()
    assert harness.kube.calls == []


async def test_finalizers_of_others_stay(harness: Harness) -> None:
    await harness.create_store()
    await harness.edit_store(metadata={"finalizers": [FINALIZER, "test/other"]})
    await request_deletion(harness)
    await harness.reconcile()
    store = await harness.others.get(STORES, STORE_ID, PLATFORM)
    assert store is not None
    assert store["metadata"]["finalizers"] == ["test/other"]


async def test_a_release_that_is_gone_already_needs_no_helm(harness: Harness) -> None:
    await harness.ready_store()
    await harness.helm.uninstall(RELEASE, NAMESPACE)
    harness.helm.uninstalls.clear()
    await request_deletion(harness)
    await delete_completely(harness)
    assert harness.helm.uninstalls == []


async def test_a_release_that_the_informer_does_not_show_yet_is_uninstalled(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.create_store()
    await harness.reconcile()
    await harness.helm.uninstall(RELEASE, NAMESPACE)
    harness.helm.uninstalls.clear()
    monkeypatch.setattr("reconciler.reconcile.term_state.SETTLE_SECONDS", 60.0)
    await request_deletion(harness)
    await harness.reconcile()
    assert harness.helm.uninstalls == [RELEASE]


async def test_a_failed_uninstall_is_reported_and_does_not_stop_the_deletion(harness: Harness) -> None:
    await harness.ready_store()
    harness.helm.errors.append(TransientError("helm could not uninstall", step="release", reason="HelmFailed"))
    await request_deletion(harness)
    last = await delete_completely(harness)
    message = "helm could not uninstall; deleting the namespace removes the objects of the release"
    assert last.event("UninstallFailed")["message"] == message
    assert harness.limiter.acquire("another-store")


async def test_an_uninstall_waits_for_a_slot(make_harness: MakeHarness) -> None:
    async with make_harness(max_concurrent_provisions=1) as harness:
        await harness.ready_store()
        harness.limiter.acquire("another-store")
        await request_deletion(harness)
        seen = await harness.reconcile()
        assert seen.phase == "Deleting"
        assert seen.progress["message"] == "waiting for a free slot to uninstall the release (all 1 in use)"
        assert harness.helm.uninstalls == []
        harness.limiter.release("another-store")
        await delete_completely(harness)
        assert harness.helm.uninstalls == [RELEASE]


@pytest.mark.parametrize(("count", "message"), [(1, "waiting for 1 pod to"), (2, "waiting for 2 pods to")])
async def test_the_namespace_is_deleted_after_the_pods(harness: Harness, count: int, message: str) -> None:
    await harness.ready_store()
    for number in range(count):
        meta = {"name": f"pod-{number}", "labels": store_labels(STORE_ID)}
        await harness.controllers.create(PODS, {"metadata": meta, "spec": {}}, NAMESPACE)
    await harness.controllers.create(CLAIMS, {"metadata": {"name": "data"}, "spec": {}}, NAMESPACE)
    await request_deletion(harness)
    seen = await harness.reconcile()
    assert seen.progress["message"] == f"{message} terminate"
    assert [await harness.list(kind) for kind in (DEPLOYMENTS, STATEFUL_SETS, CLAIMS)] == [[], [], []]
    assert await harness.others.get(NAMESPACES, NAMESPACE) is not None
    assert 2.0 in harness.queue.delays[STORE_ID]
    await harness.controllers.delete_all(PODS, NAMESPACE)
    await delete_completely(harness)


async def test_the_namespace_is_deleted_after_a_time_even_if_pods_stay(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.steps.delete.POD_SECONDS", -1.0)
    await harness.ready_store()
    meta = {"name": "pod", "labels": store_labels(STORE_ID)}
    await harness.controllers.create(PODS, {"metadata": meta, "spec": {}}, NAMESPACE)
    await request_deletion(harness)
    await delete_completely(harness)


async def test_a_foreign_namespace_is_left_alone(harness: Harness) -> None:
    theirs = await harness.others.create(NAMESPACES, {"metadata": {"name": NAMESPACE}})
    await harness.create_store()
    await request_deletion(harness)
    await harness.reconcile()
    assert await is_gone(harness)
    assert await harness.others.get(NAMESPACES, NAMESPACE) == theirs


async def test_a_namespace_that_is_replaced_during_the_deletion_is_not_deleted(harness: Harness) -> None:
    await harness.ready_store()
    await request_deletion(harness)

    async def replace() -> None:
        await harness.others.delete(NAMESPACES, NAMESPACE)
        await harness.others.create(NAMESPACES, {"metadata": {"name": NAMESPACE}})

    harness.kube.before("delete", NAMESPACES, replace)
    with pytest.raises(ClusterError) as raised:
        await harness.reconcile()
    assert raised.value.status == 409
    await harness.reconcile()
    assert await is_gone(harness)
    assert await harness.others.get(NAMESPACES, NAMESPACE) is not None


@pytest.mark.parametrize("patience_seconds", [60.0, 1e-6])
async def test_a_namespace_that_stays_is_waited_for_and_after_some_time_its_blocker_is_named(
    make_harness: MakeHarness, patience_seconds: float
) -> None:
    async with make_harness(deletion_patience_seconds=patience_seconds) as harness:
        await harness.ready_store()
        await hold_namespace(harness)
        await request_deletion(harness)
        await harness.reconcile()
        await hold_namespace(harness)
        seen = await harness.reconcile()
        cause = "in 1 resource: test/hold"
        if patience_seconds > 1:
            assert seen.condition("Stalled") == ("False", "Deleting")
            assert seen.progress["message"] == f"waiting for namespace {NAMESPACE} to be deleted: {cause}"
        else:
            assert seen.condition("Stalled") == ("True", "DeletionBlocked")
            assert seen.progress["message"] == f"deletion of namespace {NAMESPACE} blocked: {cause}"
            assert (await harness.reconcile()).events.count("DeletionBlocked") == 1
        await harness.others.merge(NAMESPACES, NAMESPACE, {"metadata": {"finalizers": None}})
        await delete_completely(harness)


async def test_a_deletion_discards_the_state_of_the_store(harness: Harness) -> None:
    await harness.ready_store()
    store = await harness.store()
    before = harness.context.term_state(store)
    await request_deletion(harness)
    await delete_completely(harness)
    assert harness.context.term_state(store) is not before


async def test_a_store_that_is_gone_before_its_finalizer_is_removed_is_no_error(harness: Harness) -> None:
    await harness.create_store()
    await request_deletion(harness)
    harness.kube.fail("merge", STORES, ClusterNotFound("no"))
    await harness.reconcile()


async def test_a_store_that_changed_before_its_finalizer_is_removed_is_reconciled_again(harness: Harness) -> None:
    await harness.create_store()
    await request_deletion(harness)
    harness.kube.fail("merge", STORES, ClusterConflict("no"))
    with pytest.raises(ClusterConflict):
        await harness.reconcile()


async def test_a_failed_store_is_deleted_without_its_error(harness: Harness) -> None:
    harness.helm.errors.append(TransientError("helm could not install", step="release", reason="HelmFailed"))
    await harness.create_store()
    assert "nextRetryAt" in (await harness.reconcile()).status
    await hold_namespace(harness)
    await request_deletion(harness)
    seen = await harness.reconcile()
    assert "lastError" not in seen.status
    assert "nextRetryAt" not in seen.status


async def test_a_release_is_uninstalled_once_though_it_was_installed_just_before(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.ready_store()
    meta = {"name": "pod", "labels": store_labels(STORE_ID)}
    await harness.controllers.create(PODS, {"metadata": meta, "spec": {}}, NAMESPACE)
    monkeypatch.setattr("reconciler.reconcile.term_state.SETTLE_SECONDS", 60.0)
    await request_deletion(harness)
    await harness.reconcile()
    await harness.reconcile()
    assert harness.helm.uninstalls == [RELEASE]
