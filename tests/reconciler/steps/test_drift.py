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
from tests.reconciler.harness import NAMESPACE, RELEASE, STORE_ID, Harness
from urumi.errors import TransientError
from urumi.store import MANAGED_LABEL

pytestmark = pytest.mark.anyio

RATE_LIMITED = "Service wordpress was deleted; the next correction starts 10 s after the previous one"


async def delete_service(harness: Harness) -> None:
    """Delete an object of the release."""
    await harness.others.delete(SERVICES, "wordpress", NAMESPACE)


async def detect(harness: Harness, writer: str = HELM) -> Drift:
    """Return the drift of a writer's objects, without a reconcile."""
    store = await harness.store()
    draft = StatusDraft(store, max_events=20)
    return detect_drift(harness.context, load_request(harness.context, store, draft), writer)


async def test_an_unchanged_store_has_no_drift(harness: Harness) -> None:
    await harness.ready_store()
    assert await detect(harness) == Drift(DriftState.NO_DRIFT)
    assert await detect(harness, PLATFORM) == Drift(DriftState.NO_DRIFT)


async def test_detection_changes_nothing(harness: Harness) -> None:
    await harness.ready_store()
    await delete_service(harness)
    store = await harness.store()
    draft = StatusDraft(store, max_events=20)
    request = load_request(harness.context, store, draft)
    delays, corrections = dict(harness.queue.delays), request.term_state.corrections
    drift = detect_drift(harness.context, request, HELM)
    assert drift.state is DriftState.CORRECTABLE
    assert draft.finish(harness.term.fencing_token) is None
    assert (harness.queue.delays, request.term_state.corrections) == (delays, corrections)


async def test_a_deleted_object_of_the_release_is_restored_by_helm_and_the_store_is_degraded_until_then(
    harness: Harness,
) -> None:
    await harness.ready_store()
    before = DRIFT_CORRECTIONS.labels("Service")._value.get()
    await delete_service(harness)
    harness.helm.gate.clear()
    reconcile = await harness.reconcile_until_helm_runs(2)
    during = await harness.seen()
    assert during.phase == "Degraded"
    assert during.event("DriftCorrected")["message"] == "Service wordpress was deleted; running Helm to revert it"
    harness.helm.gate.set()
    await reconcile
    after = await harness.seen()
    assert after.phase == "Ready"
    assert after.events[-1] == "Recovered"
    assert await harness.others.get(SERVICES, "wordpress", NAMESPACE) is not None
    assert DRIFT_CORRECTIONS.labels("Service")._value.get() == before + 1


async def test_a_changed_field_of_the_release_is_drift_and_an_added_one_is_not(harness: Harness) -> None:
    await harness.ready_store()
    await harness.others.merge(SERVICES, "wordpress", {"metadata": {"labels": {"team": "a"}}}, NAMESPACE)
    assert (await detect(harness)).state is DriftState.NO_DRIFT
    await harness.others.merge(SERVICES, "wordpress", {"spec": {"selector": {"app": "other"}}}, NAMESPACE)
    assert (await detect(harness)).summary == "Service wordpress was changed"


async def test_a_repeated_change_is_reported_while_its_correction_waits(harness: Harness) -> None:
    await harness.ready_store()
    await delete_service(harness)
    await harness.reconcile()
    await harness.make_ready()
    await harness.reconcile()
    await delete_service(harness)
    waiting = await harness.reconcile()
    assert len(harness.helm.installs) == 2
    assert waiting.phase == "Degraded"
    assert waiting.condition("Ready") == ("False", "Drifted")
    assert (waiting.progress["step"], waiting.progress["message"]) == ("release", RATE_LIMITED)
    assert waiting.event("Degraded")["message"] == RATE_LIMITED
    assert 9 < harness.queue.delays[STORE_ID][-1] <= 10
    again = await harness.reconcile()
    assert again.events.count("Degraded") == waiting.events.count("Degraded")
    state = harness.context.term_state(await harness.store())
    state.corrected_at -= 10
    corrected = await harness.reconcile()
    assert len(harness.helm.installs) == 3
    assert corrected.phase == "Ready"


async def test_our_own_last_write_is_not_drift(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    await harness.ready_store()
    monkeypatch.setattr("reconciler.reconcile.term_state.SETTLE_SECONDS", 60.0)
    await delete_service(harness)
    drift = await detect(harness)
    assert drift.state is DriftState.UNCERTAIN
    assert 50 < drift.check_again_seconds <= 60
    await harness.reconcile()
    assert harness.helm.installs == [RELEASE]
    assert 50 < harness.queue.delays[STORE_ID][-1] <= 60


async def test_objects_of_the_platform_are_restored_without_helm_and_the_store_stays_ready(harness: Harness) -> None:
    await harness.ready_store()
    await harness.others.delete(LIMIT_RANGES, "store-limits", NAMESPACE)
    await harness.others.merge(NETWORK_POLICIES, "default-deny", {"spec": {"policyTypes": ["Ingress"]}}, NAMESPACE)
    seen = await harness.reconcile()
    assert seen.phase == "Ready"
    event = seen.event("DriftCorrected")
    assert event["message"] == "LimitRange store-limits was deleted, NetworkPolicy default-deny was changed; restored"
    assert (event["level"], event["step"]) == ("warning", "guardrails")
    assert harness.helm.installs == [RELEASE]
    assert (await detect(harness, PLATFORM)).state is DriftState.NO_DRIFT


async def test_a_repeated_change_of_the_platforms_objects_waits_too(harness: Harness) -> None:
    await harness.ready_store()
    for _ in range(2):
        await harness.others.delete(LIMIT_RANGES, "store-limits", NAMESPACE)
        seen = await harness.reconcile()
    assert seen.events.count("DriftCorrected") == 1
    assert await harness.list(LIMIT_RANGES) == []
    assert 9 < harness.queue.delays[STORE_ID][-1] <= 10


async def test_a_removed_label_of_the_namespace_is_restored(harness: Harness) -> None:
    await harness.ready_store()
    await harness.others.merge(NAMESPACES, NAMESPACE, {"metadata": {"labels": {MANAGED_LABEL: None}}})
    await harness.reconcile()
    namespace = await harness.others.get(NAMESPACES, NAMESPACE)
    assert namespace is not None
    assert namespace["metadata"]["labels"][MANAGED_LABEL] == "true"


@pytest.mark.parametrize(("resource", "name"), [(DEPLOYMENTS, "wordpress"), (STATEFUL_SETS, "mariadb")])
async def test_a_deleted_workload_is_drift(harness: Harness, resource: Resource, name: str) -> None:
    await harness.ready_store()
    await harness.others.delete(resource, name, NAMESPACE)
    seen = await harness.reconcile()
    assert len(harness.helm.installs) == 2
    assert seen.phase == "Degraded"
    assert seen.condition("Released") == ("True", "Deployed")


async def test_a_helm_error_during_a_correction_is_retried_as_any_other(harness: Harness) -> None:
    await harness.ready_store()
    await delete_service(harness)
    harness.helm.errors.append(TransientError("helm could not upgrade", step="release", reason="HelmFailed"))
    seen = await harness.reconcile()
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
