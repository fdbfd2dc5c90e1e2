"""A deletion: every part may already be gone, and what blocks it is named."""

import pytest

from reconciler.kube.resources import CLAIMS, DEPLOYMENTS, NAMESPACES, PODS, STATEFUL_SETS, STORES
from tests.reconciler.conftest import Scenes
from tests.reconciler.harness import NAMESPACE, PLATFORM, RELEASE, STORE_ID, Scene, Seen
from urumi.errors import ClusterError, TransientError
from urumi.store import FINALIZER, store_labels

pytestmark = pytest.mark.anyio


async def request_deletion(scene: Scene) -> None:
    """Request the deletion of the store."""
    await scene.others.delete(STORES, STORE_ID, PLATFORM)


async def is_gone(scene: Scene) -> bool:
    """Return whether the Store is gone."""
    return await scene.others.get(STORES, STORE_ID, PLATFORM) is None


async def delete_completely(scene: Scene) -> Seen:
    """Reconcile until the store is gone, and return its last status."""
    last = Seen({})
    for _ in range(5):
        if await is_gone(scene):
            return last
        seen = await scene.reconcile()
        last = seen if seen.status else last
    raise AssertionError(last.status)


async def hold_namespace(scene: Scene) -> None:
    """Let a finalizer keep the namespace, and Kubernetes name it."""
    namespace = await scene.others.merge(NAMESPACES, NAMESPACE, {"metadata": {"finalizers": ["test/hold"]}})
    held = {"type": "NamespaceFinalizersRemaining", "status": "True", "message": "in 1 resource: test/hold"}
    await scene.controllers.replace_status(NAMESPACES, namespace, {"phase": "Terminating", "conditions": [held]})


async def test_a_ready_store_is_uninstalled_then_its_namespace_then_its_finalizer(scene: Scene) -> None:
    await scene.ready_store()
    await request_deletion(scene)
    last = await delete_completely(scene)
    assert last.phase == "Deleting"
    assert last.events[-3:] == ["Deleting", "ReleaseUninstalled", "NamespaceDeleting"]
    assert last.event("Deleting")["message"] == f"deleting namespace {NAMESPACE} and everything in it"
    assert last.event("ReleaseUninstalled")["message"] == f"release {RELEASE} uninstalled"
    assert scene.helm.uninstalls == [RELEASE]
    assert await scene.others.get(NAMESPACES, NAMESPACE) is None


async def test_a_store_that_was_never_provisioned_goes_at_once(scene: Scene) -> None:
    await scene.create_store()
    await request_deletion(scene)
    await scene.reconcile()
    assert await is_gone(scene)
    assert scene.helm.uninstalls == []


async def test_a_store_without_our_finalizer_is_not_touched(scene: Scene) -> None:
    await scene.create_store()
    await scene.edit_store(metadata={"finalizers": ["test/other"]})
    await request_deletion(scene)
    scene.kube.calls.clear()
    await scene.reconcile()
    assert scene.kube.calls == []


async def test_finalizers_of_others_stay(scene: Scene) -> None:
    await scene.create_store()
    await scene.edit_store(metadata={"finalizers": [FINALIZER, "test/other"]})
    await request_deletion(scene)
    await scene.reconcile()
    store = await scene.others.get(STORES, STORE_ID, PLATFORM)
    assert store is not None
    assert store["metadata"]["finalizers"] == ["test/other"]


async def test_a_release_that_is_gone_already_needs_no_helm(scene: Scene) -> None:
    await scene.ready_store()
    await scene.helm.uninstall(RELEASE, NAMESPACE)
    scene.helm.uninstalls.clear()
    await request_deletion(scene)
    await delete_completely(scene)
    assert scene.helm.uninstalls == []


async def test_a_release_that_the_informer_does_not_show_yet_is_uninstalled(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.create_store()
    await scene.reconcile()
    await scene.helm.uninstall(RELEASE, NAMESPACE)
    scene.helm.uninstalls.clear()
    monkeypatch.setattr("reconciler.reconcile.term_state.SETTLE_SECONDS", 60.0)
    await request_deletion(scene)
    await scene.reconcile()
    assert scene.helm.uninstalls == [RELEASE]


async def test_a_failed_uninstall_is_reported_and_does_not_stop_the_deletion(scene: Scene) -> None:
    await scene.ready_store()
    scene.helm.errors.append(TransientError("helm could not uninstall", step="release", reason="HelmFailed"))
    await request_deletion(scene)
    last = await delete_completely(scene)
    message = "helm could not uninstall; deleting the namespace removes the objects of the release"
    assert last.event("UninstallFailed")["message"] == message
    assert scene.limiter.acquire("another-store")


async def test_an_uninstall_waits_for_a_slot(scenes: Scenes) -> None:
    async with scenes(max_concurrent_provisions=1) as scene:
        await scene.ready_store()
        scene.limiter.acquire("another-store")
        await request_deletion(scene)
        seen = await scene.reconcile()
        assert seen.phase == "Deleting"
        assert seen.progress["message"] == "waiting for a free slot to uninstall the release (all 1 in use)"
        assert scene.helm.uninstalls == []
        scene.limiter.release("another-store")
        await delete_completely(scene)
        assert scene.helm.uninstalls == [RELEASE]


@pytest.mark.parametrize(("count", "message"), [(1, "waiting for 1 pod to"), (2, "waiting for 2 pods to")])
async def test_the_namespace_is_deleted_after_the_pods(scene: Scene, count: int, message: str) -> None:
    await scene.ready_store()
    for number in range(count):
        meta = {"name": f"pod-{number}", "labels": store_labels(STORE_ID)}
        await scene.controllers.create(PODS, {"metadata": meta, "spec": {}}, NAMESPACE)
    await scene.controllers.create(CLAIMS, {"metadata": {"name": "data"}, "spec": {}}, NAMESPACE)
    await request_deletion(scene)
    seen = await scene.reconcile()
    assert seen.progress["message"] == f"{message} terminate"
    assert [await scene.list(kind) for kind in (DEPLOYMENTS, STATEFUL_SETS, CLAIMS)] == [[], [], []]
    assert await scene.others.get(NAMESPACES, NAMESPACE) is not None
    assert 2.0 in scene.queue.delays[STORE_ID]
    await scene.controllers.delete_all(PODS, NAMESPACE)
    await delete_completely(scene)


async def test_pods_that_stay_do_not_keep_the_namespace_for_ever(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.steps.delete.POD_SECONDS", -1.0)
    await scene.ready_store()
    meta = {"name": "pod", "labels": store_labels(STORE_ID)}
    await scene.controllers.create(PODS, {"metadata": meta, "spec": {}}, NAMESPACE)
    await request_deletion(scene)
    await delete_completely(scene)


async def test_a_namespace_of_somebody_else_is_left_alone(scene: Scene) -> None:
    theirs = await scene.others.create(NAMESPACES, {"metadata": {"name": NAMESPACE}})
    await scene.create_store()
    await request_deletion(scene)
    await scene.reconcile()
    assert await is_gone(scene)
    assert await scene.others.get(NAMESPACES, NAMESPACE) == theirs


async def test_a_namespace_that_is_replaced_meanwhile_is_not_deleted(scene: Scene) -> None:
    await scene.ready_store()
    await request_deletion(scene)

    async def replace() -> None:
        await scene.others.delete(NAMESPACES, NAMESPACE)
        await scene.others.create(NAMESPACES, {"metadata": {"name": NAMESPACE}})

    scene.kube.before("delete", NAMESPACES, replace)
    with pytest.raises(ClusterError) as raised:
        await scene.reconcile()
    assert raised.value.status == 409
    await scene.reconcile()
    assert await is_gone(scene)
    assert await scene.others.get(NAMESPACES, NAMESPACE) is not None


@pytest.mark.parametrize("patience_seconds", [60.0, 1e-6])
async def test_a_namespace_that_stays_is_waited_for_and_after_some_time_its_blocker_is_named(
    scenes: Scenes, patience_seconds: float
) -> None:
    async with scenes(deletion_patience_seconds=patience_seconds) as scene:
        await scene.ready_store()
        await hold_namespace(scene)
        await request_deletion(scene)
        await scene.reconcile()
        await hold_namespace(scene)
        seen = await scene.reconcile()
        cause = "in 1 resource: test/hold"
        if patience_seconds > 1:
            assert seen.condition("Stalled") == ("False", "Deleting")
            assert seen.progress["message"] == f"waiting for namespace {NAMESPACE} to be deleted: {cause}"
        else:
            assert seen.condition("Stalled") == ("True", "DeletionBlocked")
            assert seen.progress["message"] == f"deletion of namespace {NAMESPACE} blocked: {cause}"
            assert (await scene.reconcile()).events.count("DeletionBlocked") == 1
        await scene.others.merge(NAMESPACES, NAMESPACE, {"metadata": {"finalizers": None}})
        await delete_completely(scene)


async def test_a_deletion_forgets_the_store(scene: Scene) -> None:
    await scene.ready_store()
    store = await scene.store()
    before = scene.context.term_state(store)
    await request_deletion(scene)
    await delete_completely(scene)
    assert scene.context.term_state(store) is not before


@pytest.mark.parametrize("status", [404, 409])
async def test_a_store_that_is_gone_before_its_finalizer_is_removed_is_no_error(scene: Scene, status: int) -> None:
    await scene.create_store()
    await request_deletion(scene)
    scene.kube.fail("merge", STORES, ClusterError("no", status=status))
    if status == 404:
        await scene.reconcile()
    else:
        with pytest.raises(ClusterError):
            await scene.reconcile()


async def test_a_failed_store_is_deleted_without_its_error(scene: Scene) -> None:
    scene.helm.errors.append(TransientError("helm could not install", step="release", reason="HelmFailed"))
    await scene.create_store()
    assert "nextRetryAt" in (await scene.reconcile()).status
    await hold_namespace(scene)
    await request_deletion(scene)
    seen = await scene.reconcile()
    assert "lastError" not in seen.status
    assert "nextRetryAt" not in seen.status


async def test_a_release_is_uninstalled_once_though_it_was_installed_just_before(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.ready_store()
    meta = {"name": "pod", "labels": store_labels(STORE_ID)}
    await scene.controllers.create(PODS, {"metadata": meta, "spec": {}}, NAMESPACE)
    monkeypatch.setattr("reconciler.reconcile.term_state.SETTLE_SECONDS", 60.0)
    await request_deletion(scene)
    await scene.reconcile()
    await scene.reconcile()
    assert scene.helm.uninstalls == [RELEASE]
