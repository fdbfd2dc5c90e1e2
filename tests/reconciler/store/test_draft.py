"""The status draft: truthful conditions, a phase derived from them, and no write without a change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.store.draft import StatusDraft
from reconciler.store.inventory import formatted
from reconciler.store.object import StoreObject
from urumi.errors import ConfigurationError, TransientError

REFUSED = ConfigurationError("no", step="release", reason="HelmRefused", hint="Check it.")


def store(*, generation: int = 2, annotations: dict[str, str] | None = None, **status: Any) -> StoreObject:
    """Return a Store with a status."""
    meta = {
        "name": "shop-a",
        "uid": "u1",
        "generation": generation,
        "creationTimestamp": "2026-11-24T10:00:00Z",
        "annotations": annotations or {},
    }
    return StoreObject({"metadata": meta, "spec": {"storeId": "shop-a", "engine": "medusa"}, "status": status})


def draft_of(known: StoreObject) -> StatusDraft:
    """Return a draft of a store's status."""
    return StatusDraft(known, max_events=20)


def started() -> StatusDraft:
    """Return a draft whose provision has started."""
    draft = draft_of(store())
    draft.start_provision("medusa store shop-a requested", "d1", 600)
    return draft


def written(draft: StatusDraft) -> dict[str, Any]:
    """Return the status that would be written."""
    status = draft.finish(1)
    assert status is not None
    return status


def condition(draft: StatusDraft, kind: str) -> dict[str, Any]:
    """Return one condition as it would be written."""
    return dict(next(each for each in written(draft)["conditions"] if each["type"] == kind))


def test_a_start_resets_the_conditions_of_the_previous_provision() -> None:
    draft = started()
    draft.set_inventory({"Service/shop": "helm:1", "Secret/store-admin": "urumi:2"})
    draft.set_released(1, "0.1.0", "d1")
    draft.set_ready("all 1/1", is_simulated=False)
    draft.start_provision("the store's spec changed", "d2", 600)
    status = written(draft)
    assert status["phase"] == "Provisioning"
    assert condition(draft, "Ready")["status"] == "False"
    assert condition(draft, "Released")["status"] == "Unknown"
    assert "readyAt" not in status
    assert status["inventory"] == formatted({"Secret/store-admin": "urumi:2"})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param({"observedGeneration": 1}, "the store's spec changed", id="spec"),
        pytest.param({"desiredDigest": "d0"}, "the platform's chart or settings changed", id="chart"),
        pytest.param({"lastHandledReconcileAt": "earlier"}, "retry requested", id="retry"),
    ],
)
def test_a_provision_starts_again_for_a_reason(change: dict[str, Any], why: str) -> None:
    status = written(started())
    assert draft_of(store(**{**status, **change})).start_reason("d1") == why


def test_a_store_without_a_status_starts_because_it_was_requested() -> None:
    assert draft_of(store()).start_reason("d1") == "medusa store shop-a requested"


def test_the_phase_follows_from_the_conditions() -> None:
    draft = started()
    assert written(draft)["phase"] == "Provisioning"
    draft.set_waiting_for_slot(4)
    assert written(draft)["phase"] == "Pending"
    draft.set_releasing("installing chart medusa 0.1.0 with Helm")
    assert written(draft)["phase"] == "Provisioning"
    draft.set_released(1, "0.1.0", "d1")
    draft.set_waiting_for_workloads("web 0/1")
    assert written(draft)["phase"] == "Provisioning"
    draft.set_ready("web 1/1", is_simulated=False)
    assert written(draft)["phase"] == "Ready"
    draft.set_degraded("web 0/1")
    assert written(draft)["phase"] == "Degraded"
    draft.fail(REFUSED)
    assert written(draft)["phase"] == "Failed"


def test_the_phase_of_a_deletion_is_deleting_for_any_conditions() -> None:
    ready = started()
    ready.set_ready("web 1/1", is_simulated=False)
    raw = store(**written(ready)).raw
    raw["metadata"]["deletionTimestamp"] = "2026-11-24T11:00:00Z"
    draft = draft_of(StoreObject(raw))
    draft.start_deletion("deleting namespace store-shop-a and everything in it")
    assert written(draft)["phase"] == "Deleting"


def test_ready_of_an_older_generation_is_not_true() -> None:
    draft = started()
    draft.set_ready("web 1/1", is_simulated=False)
    assert draft_of(store(generation=3, **written(draft))).is_true("Ready") is False


def test_an_unchanged_status_is_not_written() -> None:
    draft = draft_of(store(**written(started())))
    assert draft.finish(1) is None
    assert draft.finish(2) is None
    draft.set_progress("namespace", "namespace store-shop-a")
    assert draft.finish(2) is not None


def test_every_reason_is_an_identifier_as_the_api_server_requires() -> None:
    draft = started()
    draft.set_waiting_for_slot(1)
    draft.set_releasing("installing")
    draft.set_released(1, "0.1.0", "d")
    draft.set_ready("x", is_simulated=True)
    draft.set_degraded("y")
    draft.set_deleting("uninstall", "deleting")
    assert all(each["reason"].isidentifier() for each in written(draft)["conditions"])


def test_the_time_of_a_provision_runs_out() -> None:
    draft = started()
    assert 595 < draft.seconds_left() <= 600
    draft.set_deadline(-5)
    assert draft.seconds_left() < 0


def test_a_failure_is_reported_once_and_keeps_its_first_error() -> None:
    draft = started()
    draft.fail(REFUSED)
    draft.fail(ConfigurationError("another", step="release", reason="ChartMissing"))
    status = written(draft)
    assert (status["lastError"]["message"], status["lastError"]["hint"]) == ("no", "Check it.")
    assert [event["type"] for event in status["events"]] == ["ProvisioningStarted", "Failed"]
    assert condition(draft, "Released")["reason"] == "HelmRefused"


def test_a_retry_is_scheduled_with_the_error_and_counts_the_attempt() -> None:
    draft = started()
    draft.schedule_retry(TransientError("no route", step="namespace", reason="Unreachable"), 30)
    assert draft.attempts == 2
    assert 25 < draft.retry_in_seconds() <= 30
    assert written(draft)["phase"] == "Provisioning"
    draft.clear_retry()
    assert draft.retry_in_seconds() == 0


def test_an_error_after_the_deadline_fails_the_provision_and_keeps_the_retry() -> None:
    draft = started()
    draft.set_deadline(-1)
    draft.schedule_retry(TransientError("no route", step="namespace", reason="Unreachable"), 30)
    assert written(draft)["phase"] == "Failed"
    assert draft.retry_in_seconds() > 0


def test_a_failed_store_that_waits_for_its_workloads_stays_failed() -> None:
    draft = started()
    draft.fail(REFUSED)
    draft.set_waiting_for_workloads("web 0/1")
    assert written(draft)["phase"] == "Failed"
    assert condition(draft, "Reconciling")["status"] == "False"
    assert condition(draft, "Healthy")["message"] == "web 0/1"


def test_a_drifted_store_is_degraded_until_its_correction_has_ended() -> None:
    draft = started()
    draft.set_ready("web 1/1", is_simulated=False)
    draft.set_drift_detected("Service web was deleted; the next correction starts 10 s after the previous one")
    draft.set_drift_detected("Service web was deleted; the next correction starts 10 s after the previous one")
    status = written(draft)
    assert status["phase"] == "Degraded"
    assert [event["type"] for event in status["events"]].count("Degraded") == 1
    draft.set_drift_corrected("Service web was deleted", 600)
    assert written(draft)["phase"] == "Degraded"
    assert draft.reason("Released") == "Drifted"


def test_a_blocked_deletion_is_reported_once_on_the_timeline() -> None:
    draft = started()
    draft.start_deletion("deleting")
    for _ in range(2):
        draft.set_deletion_blocked("namespace", "deletion of namespace store-shop-a blocked: some finalizer")
    status = written(draft)
    assert [event["type"] for event in status["events"]].count("DeletionBlocked") == 1
    assert condition(draft, "Stalled")["reason"] == "DeletionBlocked"
    assert "lastError" not in status


@pytest.mark.parametrize(
    ("waits", "epoch", "is_noted"),
    [
        pytest.param(False, 2, True, id="worked on by an earlier term"),
        pytest.param(False, 1, False, id="worked on by this term"),
        pytest.param(True, 2, False, id="queued by an earlier term"),
    ],
)
def test_a_takeover_is_noted_if_the_leader_before_worked_on_the_store(waits: bool, epoch: int, is_noted: bool) -> None:
    draft = started()
    if waits:
        draft.set_waiting_for_slot(4)
    taken_over = draft_of(store(**written(draft)))
    taken_over.note_takeover(epoch)
    assert taken_over.timeline.has("TakenOver") is is_noted


def test_unhealthy_time_counts_from_the_transition() -> None:
    draft = started()
    assert draft.seconds_unhealthy() == 0
    draft.set_waiting_for_workloads("web 0/1")
    status = written(draft)
    since = (datetime.now(UTC) - timedelta(seconds=60)).isoformat()
    for each in status["conditions"]:
        each["lastTransitionTime"] = since
    assert draft_of(store(**status)).seconds_unhealthy() > 55
