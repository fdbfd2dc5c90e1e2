"""The status draft: conditions that do not lie, a phase that follows from them, no write that says nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.store.status import StatusDraft
from urumi.errors import ConfigurationError


def store(**status: Any) -> dict[str, Any]:
    """Return a Store object of generation 2."""
    meta = {"name": "shop-a", "uid": "u1", "generation": 2, "creationTimestamp": "2026-11-24T10:00:00Z"}
    return {"metadata": meta, "spec": {"storeId": "shop-a", "engine": "medusa"}, "status": status}


def started() -> StatusDraft:
    """Return a draft whose provision has begun."""
    draft = StatusDraft(store(), max_events=20)
    draft.start("asked for", "d1", 600)
    return draft


def written(draft: StatusDraft) -> dict[str, Any]:
    """Return what would be written."""
    status = draft.finished(1)
    assert status is not None
    return status


def condition(draft: StatusDraft, kind: str) -> dict[str, Any]:
    """Return one condition."""
    return dict(next(each for each in draft.status["conditions"] if each["type"] == kind))


def test_a_start_takes_everything_away_that_was_true_before() -> None:
    draft = started()
    draft.released(1, "0.1.0", "d1")
    draft.ready("all 1/1")
    draft.start("the store's spec was changed", "d2", 600)
    assert written(draft)["phase"] == "Provisioning"
    assert condition(draft, "Ready")["status"] == "False"
    assert "readyAt" not in draft.status


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param({"observedGeneration": 1}, "the store's spec was changed", id="spec"),
        pytest.param({"desiredDigest": "d0"}, "the platform's chart or settings were changed", id="chart"),
        pytest.param({"lastHandledReconcileAt": "earlier"}, "another try was asked for", id="retry"),
    ],
)
def test_a_provision_begins_anew_for_a_reason(change: dict[str, Any], why: str) -> None:
    status = written(started())
    draft = StatusDraft(store(**{**status, **change}), max_events=20)
    assert draft.new_request("d1") == why


def test_the_phase_follows_from_the_conditions() -> None:
    draft = started()
    assert written(draft)["phase"] == "Provisioning"
    draft.waiting_for_slot(4)
    assert written(draft)["phase"] == "Pending"
    draft.releasing()
    assert written(draft)["phase"] == "Provisioning"
    draft.released(1, "0.1.0", "d1")
    draft.waiting_for_workloads("web 0/1")
    assert written(draft)["phase"] == "Provisioning"
    draft.ready("web 1/1")
    assert written(draft)["phase"] == "Ready"
    draft.degraded("web 0/1")
    assert written(draft)["phase"] == "Degraded"
    error = ConfigurationError("no", step="release", reason="HelmRefused")
    draft.error(error, retry_at=None)
    draft.stalled(error)
    assert written(draft)["phase"] == "Failed"


def test_ready_of_an_older_generation_is_not_true() -> None:
    draft = started()
    draft.ready("web 1/1")
    status = written(draft)
    newer = store(**status)
    newer["metadata"]["generation"] = 3
    assert StatusDraft(newer, max_events=20).is_true("Ready") is False


def test_a_transition_time_moves_only_when_the_status_flips() -> None:
    draft = started()
    condition_before = condition(draft, "Ready") | {"lastTransitionTime": "2026-11-24T09:00:00Z"}
    draft.status["conditions"] = [condition_before]
    draft.waiting_for_workloads("web 0/1")
    assert condition(draft, "Ready")["lastTransitionTime"] == "2026-11-24T09:00:00Z"
    draft.ready("web 1/1")
    assert condition(draft, "Ready")["lastTransitionTime"] != "2026-11-24T09:00:00Z"


def test_a_status_that_says_nothing_new_is_not_written() -> None:
    status = written(started())
    draft = StatusDraft(store(**status), max_events=20)
    assert draft.finished(1) is None
    draft.progress("namespace", "namespace store-shop-a")
    assert draft.finished(1) is not None


def test_every_reason_is_a_word_that_the_api_server_takes() -> None:
    draft = started()
    draft.waiting_for_slot(1)
    draft.releasing()
    draft.released(1, "0.1.0", "d")
    draft.ready("x")
    draft.degraded("y")
    draft.deleting("uninstall", "deleting")
    assert all(each["reason"].isidentifier() for each in draft.status["conditions"])


def test_the_time_of_a_provision_runs_out() -> None:
    draft = started()
    assert 595 < draft.seconds_left() <= 600
    draft.status["deadlineAt"] = (datetime.now(UTC) - timedelta(seconds=5)).isoformat()
    assert draft.seconds_left() < 0
