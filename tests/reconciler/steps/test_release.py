"""The release step: slots, the quota, locked releases, and what Helm's errors lead to."""

import time

import pytest

from reconciler.kube.resources import QUOTAS, SECRETS, STORES, Object
from tests.reconciler.conftest import Scenes
from tests.reconciler.harness import NAMESPACE, RELEASE, STORE_ID, Scene
from urumi.errors import TransientError

pytestmark = pytest.mark.anyio

OTHER = "another-store"


async def release_secrets(scene: Scene) -> list[Object]:
    """Return the Secrets of the release, oldest first."""
    return [secret for secret in await scene.list(SECRETS) if secret["metadata"]["name"].startswith("sh.helm")]


async def test_the_release_carries_store_digest_and_leader_term(scene: Scene) -> None:
    await scene.create_store()
    seen = await scene.reconcile()
    [secret] = await release_secrets(scene)
    labels = secret["metadata"]["labels"]
    assert labels["urumi.ai/storeId"] == STORE_ID
    assert labels["urumi.ai/epoch"] == "2"
    assert labels["urumi.ai/digest"] == seen.status["release"]["digest"]
    assert seen.event("HelmInstallStarted")["message"] == f"release {RELEASE}, chart 0.1.0"


async def test_a_store_without_a_slot_is_pending_and_is_called_when_one_is_free(scenes: Scenes) -> None:
    async with scenes(max_concurrent_provisions=1) as scene:
        scene.limiter.acquire(OTHER)
        await scene.create_store()
        seen = await scene.reconcile()
        assert seen.phase == "Pending"
        assert seen.condition("Reconciling") == ("True", "WaitingForSlot")
        assert seen.progress["message"] == "waiting for a free provisioning slot (all 1 in use)"
        assert scene.helm.installs == []
        scene.limiter.release(OTHER)
        assert await scene.queue.take() == STORE_ID
        assert (await scene.reconcile()).condition("Released") == ("True", "Deployed")
        assert scene.limiter.acquire(OTHER)


async def test_a_slot_is_given_back_after_an_error(scenes: Scenes) -> None:
    async with scenes(max_concurrent_provisions=1) as scene:
        scene.helm.errors.append(TransientError("helm could not install", step="release", reason="HelmFailed"))
        await scene.create_store()
        await scene.reconcile()
        assert scene.limiter.acquire(OTHER)


async def test_helm_runs_after_the_quota_is_in_force(scene: Scene) -> None:
    scene.counts_quotas = False
    await scene.create_store()
    reconcile = scene.spawn(scene.reconcile())
    while not await scene.others.get(QUOTAS, "store-quota", NAMESPACE):
        assert not reconcile.done()
        await scene.settle()
    for _ in range(20):
        await scene.settle()
    assert scene.helm.installs == []
    quota = await scene.others.get(QUOTAS, "store-quota", NAMESPACE)
    assert quota is not None
    await scene.controllers.replace_status(QUOTAS, quota, {"hard": quota["spec"]["hard"]})
    await reconcile
    assert scene.helm.installs == [RELEASE]
    assert "QuotaNotInForce" not in (await scene.seen()).events


async def test_a_quota_that_nobody_counts_is_reported_and_does_not_block(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.steps.release.QUOTA_SECONDS", 0.01)
    scene.counts_quotas = False
    await scene.create_store()
    seen = await scene.reconcile()
    assert seen.event("QuotaNotInForce")["message"].startswith("quota not in force after 0 s")
    assert seen.condition("Released") == ("True", "Deployed")


async def test_helm_that_does_not_finish_is_stopped_and_retried(
    scenes: Scenes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.steps.release.HELM_KILL_MARGIN_SECONDS", 0.0)
    async with scenes(helm_timeout_seconds=0.01) as scene:
        scene.helm.gate.clear()
        await scene.create_store()
        seen = await scene.reconcile()
        assert (seen.error["reason"], seen.status["attempts"]) == ("HelmTimeout", 2)
        assert seen.error["message"].startswith(f"helm timed out: release {RELEASE} was not deployed within 0 s")
        assert scene.limiter.acquire(OTHER)


async def test_a_locked_release_of_a_running_helm_is_waited_for(scene: Scene) -> None:
    await scene.ready_store()
    await scene.helm.write_revision(RELEASE, NAMESPACE, "pending-upgrade")
    await scene.edit_store(spec={"values": {"store": {"title": "New"}}})
    seen = await scene.reconcile()
    assert seen.phase == "Provisioning"
    assert seen.progress["message"].startswith("release locked: revision 2 is pending-upgrade; waiting")
    assert scene.helm.installs == [RELEASE]
    assert 2.0 in scene.queue.delays[STORE_ID]


async def locked_release(scene: Scene, *, epoch: str, age_seconds: float) -> None:
    """Create the store and leave its release locked, as a Helm process that ended does."""
    await scene.create_store()
    scene.helm.gate.clear()
    reconcile = await scene.reconcile_until_helm_runs()
    reconcile.cancel()
    await scene.helm.write_revision(RELEASE, NAMESPACE, "pending-install", **{"urumi.ai/epoch": epoch})
    [secret] = await release_secrets(scene)
    modified = {"metadata": {"labels": {"modifiedAt": str(int(time.time() - age_seconds))}}}
    await scene.others.merge(SECRETS, secret["metadata"]["name"], modified, NAMESPACE)
    scene.helm.gate.set()
    scene.helm.installs.clear()
    scene.limiter.release(STORE_ID)


@pytest.mark.parametrize(
    ("epoch", "age_seconds", "unlocks"),
    [
        pytest.param("2", 0.0, True, id="of an earlier leader term"),
        pytest.param("3", 0.0, False, id="of this term, new"),
        pytest.param("3", 60.0, True, id="old"),
    ],
)
async def test_a_locked_release_is_unlocked_if_its_helm_has_ended(
    scene: Scene, epoch: str, age_seconds: float, unlocks: bool
) -> None:
    await locked_release(scene, epoch=epoch, age_seconds=age_seconds)
    await scene.context.storefront_checks.close()
    scene.new_term(fencing_token=3)
    seen = await scene.reconcile()
    assert ("ReleaseUnlocked" in seen.events) is unlocks
    assert (scene.helm.installs == [RELEASE]) is unlocks
    if unlocks:
        message = "revision 1 was stuck in pending-install; marked as failed, nothing was uninstalled"
        assert seen.event("ReleaseUnlocked")["message"] == message
        assert seen.status["release"]["revision"] == 2


async def test_a_release_that_its_helm_finishes_meanwhile_is_not_unlocked(scene: Scene) -> None:
    await locked_release(scene, epoch="2", age_seconds=60.0)
    await scene.context.storefront_checks.close()
    scene.new_term(fencing_token=3)

    async def finish() -> None:
        [secret] = await release_secrets(scene)
        patch = {"metadata": {"labels": {"status": "deployed"}}}
        await scene.others.merge(SECRETS, secret["metadata"]["name"], patch, NAMESPACE)

    # The first two reads of Secrets are of the credentials step.
    scene.kube.before("get", SECRETS, idle, times=2)
    scene.kube.before("get", SECRETS, finish)
    seen = await scene.reconcile()
    assert "ReleaseUnlocked" not in seen.events
    assert scene.helm.installs == []
    assert seen.progress["message"].startswith("release locked")


async def idle() -> None:
    """Do nothing."""


async def test_our_own_install_counts_before_the_informer_shows_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.create_store()
    await scene.reconcile()
    monkeypatch.setattr("reconciler.reconcile.term_state.SETTLE_SECONDS", 60.0)
    scene.context.term_state(await scene.store()).revision = 2
    seen = await scene.reconcile()
    assert scene.helm.installs == [RELEASE]
    assert seen.condition("Released") == ("True", "Deployed")


async def test_time_in_the_queue_does_not_count_as_time_of_the_provision(scenes: Scenes) -> None:
    async with scenes(max_concurrent_provisions=1) as scene:
        scene.limiter.acquire(OTHER)
        await scene.create_store()
        pending = await scene.reconcile()
        long_ago = {**pending.status, "deadlineAt": "2026-01-01T00:00:00Z"}
        await scene.controllers.replace_status(STORES, (await scene.store()).raw, long_ago)
        scene.limiter.release(OTHER)
        assert (await scene.reconcile()).phase == "Provisioning"


async def test_the_end_of_helm_counts_as_a_write_that_informers_may_not_show_yet(scene: Scene) -> None:
    await scene.create_store()
    scene.helm.gate.clear()
    reconcile = await scene.reconcile_until_helm_runs()
    term_state = scene.context.term_state(await scene.store())
    term_state.written_at = float("-inf")
    scene.helm.gate.set()
    await reconcile
    assert term_state.written_at > float("-inf")
    assert (term_state.revision, term_state.digest) == (1, (await scene.seen()).status["release"]["digest"])
