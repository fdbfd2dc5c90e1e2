"""The release step: slots, the quota, locked releases, and what Helm's errors lead to."""

import time

import pytest

from reconciler.kube.resources import QUOTAS, SECRETS, STORES, Object
from tests.reconciler.conftest import MakeHarness
from tests.reconciler.harness import NAMESPACE, RELEASE, STORE_ID, Harness
from urumi.errors import TransientError

pytestmark = pytest.mark.anyio

OTHER = "another-store"


async def release_secrets(harness: Harness) -> list[Object]:
    """Return the Secrets of the release, oldest first."""
    return [secret for secret in await harness.list(SECRETS) if secret["metadata"]["name"].startswith("sh.helm")]


async def test_the_release_carries_store_digest_and_leader_term(harness: Harness) -> None:
    await harness.create_store()
    seen = await harness.reconcile()
    [secret] = await release_secrets(harness)
    labels = secret["metadata"]["labels"]
    assert labels["urumi.ai/storeId"] == STORE_ID
    assert labels["urumi.ai/epoch"] == "2"
    assert labels["urumi.ai/digest"] == seen.status["release"]["digest"]
    assert seen.event("HelmInstallStarted")["message"] == f"release {RELEASE}, chart 0.1.0"


async def test_a_store_without_a_slot_is_pending_and_is_called_when_one_is_free(make_harness: MakeHarness) -> None:
    async with make_harness(max_concurrent_provisions=1) as harness:
        harness.limiter.acquire(OTHER)
        await harness.create_store()
        seen = await harness.reconcile()
        assert seen.phase == "Pending"
        assert seen.condition("Reconciling") == ("True", "WaitingForSlot")
        assert seen.progress["message"] == "waiting for a free provisioning slot (all 1 in use)"
        assert harness.helm.installs == []
        harness.limiter.release(OTHER)
        assert await harness.queue.take() == STORE_ID
        assert (await harness.reconcile()).condition("Released") == ("True", "Deployed")
        assert harness.limiter.acquire(OTHER)


async def test_a_slot_is_released_after_an_error(make_harness: MakeHarness) -> None:
    async with make_harness(max_concurrent_provisions=1) as harness:
        harness.helm.errors.append(TransientError("helm could not install", step="release", reason="HelmFailed"))
        await harness.create_store()
        await harness.reconcile()
        assert harness.limiter.acquire(OTHER)


async def test_helm_runs_after_the_quota_is_in_force(harness: Harness) -> None:
    harness.counts_quotas = False
    await harness.create_store()
    reconcile = harness.spawn(harness.reconcile())
    while not await harness.others.get(QUOTAS, "store-quota", NAMESPACE):
        assert not reconcile.done()
        await harness.settle()
    for _ in range(20):
        await harness.settle()
    assert harness.helm.installs == []
    quota = await harness.others.get(QUOTAS, "store-quota", NAMESPACE)
    assert quota is not None
    await harness.controllers.replace_status(QUOTAS, quota, {"hard": quota["spec"]["hard"]})
    await reconcile
    assert harness.helm.installs == [RELEASE]
    assert "QuotaNotInForce" not in (await harness.seen()).events


async def test_a_quota_that_is_not_counted_is_reported_and_does_not_block(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.steps.release.QUOTA_SECONDS", 0.01)
    harness.counts_quotas = False
    await harness.create_store()
    seen = await harness.reconcile()
    assert seen.event("QuotaNotInForce")["message"].startswith("quota not in force after 0 s")
    assert seen.condition("Released") == ("True", "Deployed")


async def test_helm_that_does_not_finish_is_stopped_and_retried(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.steps.release.HELM_KILL_MARGIN_SECONDS", 0.0)
    async with make_harness(helm_timeout_seconds=0.01) as harness:
        harness.helm.gate.clear()
        await harness.create_store()
        seen = await harness.reconcile()
        assert (seen.error["reason"], seen.status["attempts"]) == ("HelmTimeout", 2)
        assert seen.error["message"].startswith(f"helm timed out: release {RELEASE} was not deployed within 0 s")
        assert harness.limiter.acquire(OTHER)


async def test_a_locked_release_of_a_running_helm_is_waited_for(harness: Harness) -> None:
    await harness.ready_store()
    await harness.helm.write_revision(RELEASE, NAMESPACE, "pending-upgrade")
    await harness.edit_store(spec={"values": {"store": {"title": "New"}}})
    seen = await harness.reconcile()
    assert seen.phase == "Provisioning"
    assert seen.progress["message"].startswith("release locked: revision 2 is pending-upgrade; waiting")
    assert harness.helm.installs == [RELEASE]
    assert 2.0 in harness.queue.delays[STORE_ID]


async def locked_release(harness: Harness, *, epoch: str, age_seconds: float) -> None:
    """Create the store and leave its release locked, as a Helm process that ended does."""
    await harness.create_store()
    harness.helm.gate.clear()
    reconcile = await harness.reconcile_until_helm_runs()
    reconcile.cancel()
    await harness.helm.write_revision(RELEASE, NAMESPACE, "pending-install", **{"urumi.ai/epoch": epoch})
    [secret] = await release_secrets(harness)
    modified = {"metadata": {"labels": {"modifiedAt": str(int(time.time() - age_seconds))}}}
    await harness.others.merge(SECRETS, secret["metadata"]["name"], modified, NAMESPACE)
    harness.helm.gate.set()
    harness.helm.installs.clear()
    harness.limiter.release(STORE_ID)


@pytest.mark.parametrize(
    ("epoch", "age_seconds", "unlocks"),
    [
        pytest.param("2", 0.0, True, id="of an earlier leader term"),
        pytest.param("3", 0.0, False, id="of this term, new"),
        pytest.param("3", 60.0, True, id="old"),
    ],
)
async def test_a_locked_release_is_unlocked_if_its_helm_has_ended(
    harness: Harness, epoch: str, age_seconds: float, unlocks: bool
) -> None:
    await locked_release(harness, epoch=epoch, age_seconds=age_seconds)
    await harness.context.storefront_checks.close()
    harness.new_term(fencing_token=3)
    seen = await harness.reconcile()
    assert ("ReleaseUnlocked" in seen.events) is unlocks
    assert (harness.helm.installs == [RELEASE]) is unlocks
    if unlocks:
        message = "revision 1 was stuck in pending-install; marked as failed, nothing was uninstalled"
        assert seen.event("ReleaseUnlocked")["message"] == message
        assert seen.status["release"]["revision"] == 2


async def test_a_release_that_its_helm_finishes_before_the_unlock_is_not_unlocked(harness: Harness) -> None:
    await locked_release(harness, epoch="2", age_seconds=60.0)
    await harness.context.storefront_checks.close()
    harness.new_term(fencing_token=3)

    async def finish() -> None:
        [secret] = await release_secrets(harness)
        patch = {"metadata": {"labels": {"status": "deployed"}}}
        await harness.others.merge(SECRETS, secret["metadata"]["name"], patch, NAMESPACE)

    # The first two reads of Secrets belong to the credentials step.
    harness.kube.before("get", SECRETS, idle, times=2)
    harness.kube.before("get", SECRETS, finish)
    seen = await harness.reconcile()
    assert "ReleaseUnlocked" not in seen.events
    assert harness.helm.installs == []
    assert seen.progress["message"].startswith("release locked")


async def idle() -> None:
    """Do nothing."""


async def test_our_own_install_counts_before_the_informer_shows_it(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.create_store()
    await harness.reconcile()
    monkeypatch.setattr("reconciler.reconcile.term_state.SETTLE_SECONDS", 60.0)
    harness.context.term_state(await harness.store()).revision = 2
    seen = await harness.reconcile()
    assert harness.helm.installs == [RELEASE]
    assert seen.condition("Released") == ("True", "Deployed")


async def test_time_in_the_queue_does_not_count_as_time_of_the_provision(make_harness: MakeHarness) -> None:
    async with make_harness(max_concurrent_provisions=1) as harness:
        harness.limiter.acquire(OTHER)
        await harness.create_store()
        pending = await harness.reconcile()
        long_ago = {**pending.status, "deadlineAt": "2026-01-01T00:00:00Z"}
        await harness.controllers.replace_status(STORES, (await harness.store()).raw, long_ago)
        harness.limiter.release(OTHER)
        assert (await harness.reconcile()).phase == "Provisioning"


async def test_the_end_of_helm_counts_as_a_write_that_informers_may_not_show_yet(harness: Harness) -> None:
    await harness.create_store()
    harness.helm.gate.clear()
    reconcile = await harness.reconcile_until_helm_runs()
    term_state = harness.context.term_state(await harness.store())
    term_state.written_at = float("-inf")
    harness.helm.gate.set()
    await reconcile
    assert term_state.written_at > float("-inf")
    assert (term_state.revision, term_state.digest) == (1, (await harness.seen()).status["release"]["digest"])
