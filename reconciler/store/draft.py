"""The status of a store as a draft: read from the Store, changed in memory, and written only if it differs.

    Store --> StatusDraft --> set_... and timeline.add (one per fact that a step observed) --> finish --> PUT status

Only the methods below change a draft. Conditions are the source of truth, and `finish` derives the phase from them.
`Ready=True` is set by `set_ready` alone, after this generation and digest was observed healthy; starting anything sets
it to False.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reconciler.store.conditions import (
    DELETION_BLOCKED,
    DRIFTED,
    RELEASING,
    STOREFRONT_SILENT,
    WAITING_FOR_SLOT,
    WAITING_FOR_STOREFRONT,
    WAITING_FOR_WORKLOADS,
    WORKLOADS_UNHEALTHY,
    ConditionStatus,
)
from reconciler.store.inventory import HELM, Inventory, formatted, without
from reconciler.store.phase import derive_phase
from reconciler.store.status import DELETE_STEPS, PROVISION_STEPS, StoreStatus
from reconciler.store.timeline import Timeline, shortened
from urumi.store import RETRY_ANNOTATION
from urumi.timestamps import format_timestamp

if TYPE_CHECKING:
    from reconciler.kube.resources import Object
    from reconciler.store.object import StoreObject
    from urumi.errors import StepError

MAX_ERROR_CHARACTERS = 1500
MAX_PROGRESS_CHARACTERS = 1000


class StatusDraft(StoreStatus):
    """The status of one store during one reconcile."""

    def __init__(self, store: StoreObject, *, max_events: int) -> None:
        super().__init__(store)
        self.timeline = Timeline(self._status.get("events") or (), max_entries=max_events)

    # A provision, from its start to Ready.

    def start_provision(self, why: str, digest: str, limit_seconds: float) -> None:
        """Start a provision: every statement about an earlier one is withdrawn."""
        self._remove("lastError", "nextRetryAt", "readyAt")
        if self._status.get("desiredDigest") != digest:
            self.set_inventory(without(self.inventory, HELM))
        self._status |= {
            "startedAt": format_timestamp(),
            "createdAt": self.store.created_at,
            "observedGeneration": self.store.generation,
            "desiredDigest": digest,
            "attempts": 1,
            "lastHandledReconcileAt": self.store.annotations.get(RETRY_ANNOTATION, ""),
        }
        self.set_deadline(limit_seconds)
        self._set(("Ready",), "False", "Provisioning", why)
        self._set(("Reconciling",), "True", "Provisioning", why)
        self._set(("Stalled",), "False", "Provisioning")
        self._set(("Released", "Healthy", "StorefrontAnswers"), "Unknown", "Provisioning")
        self.timeline.add("ProvisioningStarted", why)

    def set_addresses(self, *, url: str, admin_url: str, is_simulated: bool) -> None:
        """Set where the store is found, and whether its containers are simulated."""
        self._status |= {
            "url": url,
            "adminUrl": admin_url,
            "namespace": self.store.namespace,
            "releaseName": self.store.release_name,
            "simulated": is_simulated,
        }

    def set_deadline(self, limit_seconds: float) -> None:
        """Let the current provision take this long from now."""
        self._status["deadlineAt"] = format_timestamp(datetime.now(UTC) + timedelta(seconds=limit_seconds))

    def set_inventory(self, inventory: Inventory) -> None:
        """Set the objects of the store with their marks."""
        self._status["inventory"] = formatted(inventory)

    def set_isolation_digest(self, digest: str) -> None:
        """Set the digest of the quota, limits and network policies that were applied."""
        self._status["guardrails"] = digest

    def set_progress(self, step: str, message: str, steps: tuple[str, ...] = PROVISION_STEPS) -> None:
        """Set the current step and what it waits for."""
        self._status["progress"] = {
            "step": step,
            "index": steps.index(step) + 1,
            "total": len(steps),
            "message": shortened(message, MAX_PROGRESS_CHARACTERS),
        }

    def set_waiting_for_slot(self, limit: int) -> None:
        """Report that the store is queued for Helm; its position would be out of date at once, so none is given."""
        message = f"waiting for a free provisioning slot (all {limit} in use)"
        self._set(("Reconciling",), "True", WAITING_FOR_SLOT, message)
        self.set_progress("release", message)

    def set_releasing(self, message: str) -> None:
        """Report that Helm is running."""
        self._set(("Reconciling",), "True", RELEASING, message)
        self._set(("Released",), "False", RELEASING, message)
        self.set_progress("release", message)

    def set_released(self, revision: int, chart_version: str, digest: str) -> None:
        """Report which revision is deployed."""
        self._status["release"] = {"revision": revision, "chartVersion": chart_version, "digest": digest}
        self._set(("Released",), "True", "Deployed", f"revision {revision} of chart {chart_version}")

    def set_waiting_for_workloads(self, sentence: str) -> None:
        """Report which workloads are not ready yet; a provision that has failed stays failed."""
        self._set(("Healthy",), "False", WAITING_FOR_WORKLOADS, sentence)
        if not self.is_true("Stalled"):
            self._set(("Ready",), "False", WAITING_FOR_WORKLOADS, sentence)
            self._set(("Reconciling",), "True", WAITING_FOR_WORKLOADS, sentence)
        self.set_progress("health", f"waiting for {sentence}")

    def set_waiting_for_storefront(self, healthy: str, sentence: str) -> None:
        """Report healthy workloads and the result of the storefront check that does not pass yet."""
        self._set(("Healthy",), "True", "WorkloadsHealthy", healthy)
        self._set(("StorefrontAnswers", "Ready"), "False", WAITING_FOR_STOREFRONT, sentence)
        if not self.is_true("Stalled"):
            self._set(("Reconciling",), "True", WAITING_FOR_STOREFRONT, sentence)
        self.set_progress("storefront", sentence)

    def set_storefront(self, status: ConditionStatus, reason: str, sentence: str) -> None:
        """Set the result of the storefront check, Unknown if none was made."""
        self._set(("StorefrontAnswers",), status, reason, sentence)

    def set_ready(self, sentence: str, *, is_simulated: bool) -> None:
        """Report that this generation and digest was observed healthy now."""
        self._remove("lastError", "nextRetryAt", "progress")
        self._status |= {"readyAt": format_timestamp(), "simulated": is_simulated}
        self._set(("Healthy",), "True", "WorkloadsHealthy", sentence)
        self._set(("Ready",), "True", "Ready", sentence)
        self._set(("Reconciling", "Stalled"), "False", "Ready")

    # After Ready.

    def set_degraded(self, sentence: str) -> None:
        """Report that the workloads of a store that was Ready are not healthy."""
        self._set(("Healthy", "Ready"), "False", WORKLOADS_UNHEALTHY, sentence)
        self.set_progress("health", sentence)

    def set_storefront_silent(self, healthy: str, sentence: str) -> None:
        """Report that the workloads of a store that was Ready are healthy again and its storefront check fails."""
        self._set(("Healthy",), "True", "WorkloadsHealthy", healthy)
        self._set(("StorefrontAnswers", "Ready"), "False", STOREFRONT_SILENT, sentence)
        self.set_progress("storefront", sentence)

    def set_drift_detected(self, sentence: str) -> None:
        """Report an out-of-band change of the release that is not corrected yet."""
        if self.is_true("Ready"):
            self.timeline.add("Degraded", sentence, level="warning", step="release")
        self._set(("Ready",), "False", DRIFTED, sentence)
        self._set(("Reconciling",), "True", DRIFTED, sentence)
        self.set_progress("release", sentence)

    def set_drift_corrected(self, sentence: str, limit_seconds: float) -> None:
        """Report an out-of-band change of the release that the next Helm run reverts."""
        self.set_deadline(limit_seconds)
        self._set(("Released", "Ready"), "False", DRIFTED, sentence)
        self._set(("Reconciling",), "True", DRIFTED, sentence)
        self._set(("Stalled",), "False", DRIFTED)
        self.set_progress("release", f"reverting: {sentence}")

    # Errors.

    @property
    def has_scheduled_retry(self) -> bool:
        """Return whether the last error is retried: a transient error is, also after the deadline of the provision."""
        return "nextRetryAt" in self._status

    def clear_retry(self) -> None:
        """Remove the scheduled retry, because it starts now."""
        self._remove("nextRetryAt")

    def fail(self, error: StepError) -> None:
        """Report an error that is not retried until something changes; a store that has failed keeps its error."""
        if self.is_true("Stalled"):
            return
        self._set_error(error)
        self._set_stalled(error)
        self.timeline.add("Failed", error.message, level="error", step=error.step)

    def schedule_retry(self, error: StepError, wait_seconds: float) -> None:
        """Report an error that is retried after a wait; after its deadline the store is Stalled meanwhile."""
        self._status["attempts"] = self.attempts + 1
        self._set_error(error)
        self._status["nextRetryAt"] = format_timestamp(datetime.now(UTC) + timedelta(seconds=wait_seconds))
        self.timeline.add("AttemptFailed", error.message, level="warning", step=error.step)
        if self.seconds_left() <= 0:
            self._set_stalled(error)

    def _set_error(self, error: StepError) -> None:
        self._status["lastError"] = {
            "step": error.step,
            "reason": error.reason,
            "message": shortened(error.message, MAX_ERROR_CHARACTERS),
            "hint": error.hint,
            "at": format_timestamp(),
        }
        self._remove("nextRetryAt")
        kinds = ("Ready", "Released") if error.step == "release" else ("Ready",)
        self._set(kinds, "False", error.reason, error.message)

    def _set_stalled(self, error: StepError) -> None:
        self._set(("Stalled",), "True", error.reason, error.message)
        self._set(("Reconciling",), "False", error.reason)

    # A deletion.

    def start_deletion(self, message: str) -> None:
        """Start a deletion: the error and the scheduled retry of a provision no longer matter."""
        self._remove("lastError", "nextRetryAt")
        self.set_deleting("uninstall", message)
        self.timeline.add("Deleting", message)

    def set_deleting(self, step: str, message: str) -> None:
        """Report the current step of a deletion."""
        self._set(("Ready",), "False", "Deleting", message)
        self._set(("Reconciling",), "True", "Deleting", message)
        self._set(("Stalled",), "False", "Deleting")
        self.set_progress(step, message, DELETE_STEPS)

    def set_deletion_blocked(self, step: str, blocker: str) -> None:
        """Report what a deletion waits for after its patience has run out."""
        if not self.is_true("Stalled"):
            self.timeline.add("DeletionBlocked", blocker, level="error", step=step)
        self._set(("Ready", "Reconciling"), "False", DELETION_BLOCKED, blocker)
        self._set(("Stalled",), "True", DELETION_BLOCKED, blocker)
        self.set_progress(step, blocker, DELETE_STEPS)

    # The start and the end of a reconcile.

    def note_takeover(self, fencing_token: int) -> None:
        """Add an event if the leader of an earlier term was working on this store."""
        is_worked_on = self.is_true("Reconciling") and self.reason("Reconciling") != WAITING_FOR_SLOT
        if is_worked_on and int(self._status.get("epoch", fencing_token)) < fencing_token:
            self.timeline.add("TakenOver", "the leader changed; the new leader continues the reconcile")

    def finish(self, fencing_token: int) -> Object | None:
        """Return the status to write in a leader term, None if it says nothing new."""
        phase = derive_phase(self._conditions, is_deleting=self.store.is_deleting, was_ready=self.was_ready)
        self._status["phase"] = phase.value
        if self._conditions.items:
            self._status["conditions"] = self._conditions.items
        if self.timeline.entries:
            self._status["events"] = self.timeline.entries
        # A new writer or a new time of writing is not a change.
        ignored = {"updatedAt": "", "epoch": 0}
        if {**self.store.status, **ignored} == {**self._status, **ignored}:
            return None
        self._status |= {"updatedAt": format_timestamp(), "epoch": fencing_token}
        return self._status

    def _set(self, kinds: tuple[str, ...], status: ConditionStatus, reason: str, message: str = "") -> None:
        for kind in kinds:
            self._conditions.set(kind, status, reason, message)

    def _remove(self, *names: str) -> None:
        for name in names:
            self._status.pop(name, None)
