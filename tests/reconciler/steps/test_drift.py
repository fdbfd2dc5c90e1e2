"""Drift: out-of-band changes are found, reverted at a limited rate, reported and counted."""

import pytest

from reconciler.kube.resources import (
    DEPLOYMENTS,
    LIMIT_RANGES,
    NAMESPACES,
    NETWORK_POLICIES,
    SERVICES,
    STATEFUL_SETS,
    Resource,
)
from reconciler.metrics import DRIFT_CORRECTIONS
from reconciler.reconcile.request import load_request
from reconciler.reconcile.term_state import TermState
from reconciler.steps.drift import Drift, DriftState, detect_drift
from reconciler.store.draft import StatusDraft
from reconciler.store.inventory import HELM, PLATFORM, Difference
from tests.reconciler.harness import NAMESPACE, RELEASE, STORE_ID, Scene
from urumi.errors import TransientError
from urumi.store import MANAGED_LABEL

pytestmark = pytest.mark.anyio

RATE_LIMITED = "Service wordpress was deleted; the next correction starts 10 s after the previous one"


async def delete_service(scene: Scene) -> None:
    """Delete an object of the release."""
    await scene.others.delete(SERVICES, "wordpress", NAMESPACE)


async def detect(scene: Scene, writer: str = HELM) -> Drift:
    """Return the drift of a writer's objects, without a reconcile."""
    store = await scene.store()
    draft = StatusDraft(store, max_events=20)
    return detect_drift(scene.context, load_request(scene.context, store, draft), writer)


async def test_a_store_as_it_was_left_has_no_drift(scene: Scene) -> None:
    await scene.ready_store()
    assert await detect(scene) == Drift(DriftState.NO_DRIFT)
    assert await detect(scene, PLATFORM) == Drift(DriftState.NO_DRIFT)


async def test_detection_changes_nothing(scene: Scene) -> None:
    await scene.ready_store()
    await delete_service(scene)
    store = await scene.store()
    draft = StatusDraft(store, max_events=20)
    request = load_request(scene.context, store, draft)
    delays, corrections = dict(scene.queue.delays), request.term_state.corrections
    drift = detect_drift(scene.context, request, HELM)
    assert drift.state is DriftState.CORRECTABLE
    assert draft.finish(scene.term.fencing_token) is None
    assert (scene.queue.delays, request.term_state.corrections) == (delays, corrections)


async def test_a_deleted_object_of_the_release_is_restored_by_helm_and_the_store_is_degraded_until_then(
    scene: Scene,
) -> None:
    await scene.ready_store()
    before = DRIFT_CORRECTIONS.labels("Service")._value.get()
    await delete_service(scene)
    scene.helm.gate.clear()
    reconcile = await scene.reconcile_until_helm_runs(2)
    during = await scene.seen()
    assert during.phase == "Degraded"
    assert during.event("DriftCorrected")["message"] == "Service wordpress was deleted; running Helm to revert it"
    scene.helm.gate.set()
    await reconcile
    after = await scene.seen()
    assert after.phase == "Ready"
    assert after.events[-1] == "Recovered"
    assert await scene.others.get(SERVICES, "wordpress", NAMESPACE) is not None
    assert DRIFT_CORRECTIONS.labels("Service")._value.get() == before + 1


async def test_a_changed_field_of_the_release_is_drift_and_an_added_one_is_not(scene: Scene) -> None:
    await scene.ready_store()
    await scene.others.merge(SERVICES, "wordpress", {"metadata": {"labels": {"team": "a"}}}, NAMESPACE)
    assert (await detect(scene)).state is DriftState.NO_DRIFT
    await scene.others.merge(SERVICES, "wordpress", {"spec": {"selector": {"app": "other"}}}, NAMESPACE)
    assert (await detect(scene)).summary == "Service wordpress was changed"


async def test_a_repeated_change_waits_for_its_correction_and_is_reported_meanwhile(scene: Scene) -> None:
    await scene.ready_store()
    await delete_service(scene)
    await scene.reconcile()
    await scene.make_ready()
    await scene.reconcile()
    await delete_service(scene)
    waiting = await scene.reconcile()
    assert len(scene.helm.installs) == 2
    assert waiting.phase == "Degraded"
    assert waiting.condition("Ready") == ("False", "Drifted")
    assert (waiting.progress["step"], waiting.progress["message"]) == ("release", RATE_LIMITED)
    assert waiting.event("Degraded")["message"] == RATE_LIMITED
    assert 9 < scene.queue.delays[STORE_ID][-1] <= 10
    again = await scene.reconcile()
    assert again.events.count("Degraded") == waiting.events.count("Degraded")
    state = scene.context.term_state(await scene.store())
    state.corrected_at -= 10
    corrected = await scene.reconcile()
    assert len(scene.helm.installs) == 3
    assert corrected.phase == "Ready"


async def test_our_own_last_write_is_not_taken_for_drift(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.ready_store()
    monkeypatch.setattr("reconciler.reconcile.term_state.SETTLE_SECONDS", 60.0)
    await delete_service(scene)
    drift = await detect(scene)
    assert drift.state is DriftState.UNCERTAIN
    assert 50 < drift.check_again_seconds <= 60
    await scene.reconcile()
    assert scene.helm.installs == [RELEASE]
    assert 50 < scene.queue.delays[STORE_ID][-1] <= 60


async def test_objects_of_the_platform_are_restored_without_helm_and_the_store_stays_ready(scene: Scene) -> None:
    await scene.ready_store()
    await scene.others.delete(LIMIT_RANGES, "store-limits", NAMESPACE)
    await scene.others.merge(NETWORK_POLICIES, "default-deny", {"spec": {"policyTypes": ["Ingress"]}}, NAMESPACE)
    seen = await scene.reconcile()
    assert seen.phase == "Ready"
    event = seen.event("DriftCorrected")
    assert event["message"] == "LimitRange store-limits was deleted, NetworkPolicy default-deny was changed; restored"
    assert (event["level"], event["step"]) == ("warning", "guardrails")
    assert scene.helm.installs == [RELEASE]
    assert (await detect(scene, PLATFORM)).state is DriftState.NO_DRIFT


async def test_a_repeated_change_of_the_platforms_objects_waits_too(scene: Scene) -> None:
    await scene.ready_store()
    for _ in range(2):
        await scene.others.delete(LIMIT_RANGES, "store-limits", NAMESPACE)
        seen = await scene.reconcile()
    assert seen.events.count("DriftCorrected") == 1
    assert await scene.list(LIMIT_RANGES) == []
    assert 9 < scene.queue.delays[STORE_ID][-1] <= 10


async def test_a_removed_label_of_the_namespace_comes_back(scene: Scene) -> None:
    await scene.ready_store()
    await scene.others.merge(NAMESPACES, NAMESPACE, {"metadata": {"labels": {MANAGED_LABEL: None}}})
    await scene.reconcile()
    namespace = await scene.others.get(NAMESPACES, NAMESPACE)
    assert namespace is not None
    assert namespace["metadata"]["labels"][MANAGED_LABEL] == "true"


@pytest.mark.parametrize(("resource", "name"), [(DEPLOYMENTS, "wordpress"), (STATEFUL_SETS, "mariadb")])
async def test_a_deleted_workload_is_drift(scene: Scene, resource: Resource, name: str) -> None:
    await scene.ready_store()
    await scene.others.delete(resource, name, NAMESPACE)
    seen = await scene.reconcile()
    assert len(scene.helm.installs) == 2
    assert seen.phase == "Degraded"
    assert seen.condition("Released") == ("True", "Deployed")


async def test_a_helm_error_during_a_correction_is_retried_as_any_other(scene: Scene) -> None:
    await scene.ready_store()
    await delete_service(scene)
    scene.helm.errors.append(TransientError("helm could not upgrade", step="release", reason="HelmFailed"))
    seen = await scene.reconcile()
    assert seen.event("AttemptFailed")["message"] == "helm could not upgrade"
    assert "nextRetryAt" in seen.status


def test_a_summary_names_the_first_of_many() -> None:
    many = tuple(Difference("Service", f"s{number}", is_deleted=True) for number in range(7))
    summary = Drift(DriftState.CORRECTABLE, many).summary
    assert summary.startswith("Service s0 was deleted, Service s1 was deleted")
    assert summary.endswith("Service s4 was deleted and 2 more")


@pytest.mark.parametrize(("corrections", "seconds"), [(1, 10.0), (2, 20.0), (4, 80.0), (50, 600.0)])
def test_the_interval_between_corrections_doubles_up_to_a_limit(corrections: int, seconds: float) -> None:
    assert TermState(corrections=corrections).correction_interval_seconds == seconds


def test_after_a_long_time_without_drift_the_count_starts_again() -> None:
    state = TermState()
    for _ in range(3):
        state.note_correction()
    assert state.corrections == 3
    state.corrected_at -= 1801
    assert state.correctable_in_seconds() == 0
    state.note_correction()
    assert state.corrections == 1
