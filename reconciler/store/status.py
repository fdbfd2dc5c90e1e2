"""The status of a store as one draft: read from the object, changed in memory, written only where it says something.

Conditions are the truth and the phase is derived from them at the end. `Ready=True` is only ever set by `ready`,
when this generation and digest was observed healthy; starting anything takes it away.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reconciler.kube.resources import Object, annotations_of, is_deleting
from reconciler.store.inventory import HELM, Inventory, formatted, parsed, without
from reconciler.store.object import status_of
from reconciler.store.timeline import Level, appended, shortened, timeline_event
from urumi.store import RETRY_ANNOTATION, Phase
from urumi.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from urumi.errors import StepError

PROVISION_STEPS = ("namespace", "guardrails", "credentials", "release", "health", "storefront")
DELETE_STEPS = ("uninstall", "namespace", "finalizer")
MAX_ERROR_CHARACTERS = 1500
WAITING_FOR_SLOT = "WaitingForSlot"
WAITING_FOR_WORKLOADS = "WaitingForWorkloads"
WAITING_FOR_STOREFRONT = "WaitingForStorefront"
DEGRADED = "WorkloadsUnhealthy"
STOREFRONT_SILENT = "StorefrontSilent"
DRIFTED = "Drifted"
RELEASING = "Releasing"
DELETION_BLOCKED = "DeletionBlocked"
_NOT_NEWS = {"updatedAt": "", "epoch": 0}


class StatusDraft:
    """A store's status while it is being worked on."""

    def __init__(self, store: Object, *, max_events: int) -> None:
        self.store = store
        self.generation = int(store["metadata"].get("generation", 0))
        self.status: Object = status_of(store)
        self._max_events = max_events
        self._new_events: list[Object] = []

    def new_request(self, digest: str) -> str:
        """Return why a provision has to begin anew, empty where it does not: spec, chart or a person asked for it."""
        asked = annotations_of(self.store).get(RETRY_ANNOTATION, "")
        if "startedAt" not in self.status:
            return f"{self.store['spec']['engine']} store {self.store['spec']['storeId']} was asked for"
        if self.status.get("observedGeneration") != self.generation:
            return "the store's spec was changed"
        if self.status.get("lastHandledReconcileAt", "") != asked:
            return "another try was asked for"
        return "" if self.status.get("desiredDigest") == digest else "the platform's chart or settings were changed"

    def is_true(self, kind: str) -> bool:
        """Return whether a condition is True for this generation."""
        condition = self._find(kind)
        return (
            condition is not None
            and condition["status"] == "True"
            and condition.get("observedGeneration") == self.generation
        )

    def has_been_unhealthy(self, seconds: float) -> bool:
        """Return whether the workloads have been said to be unhealthy for so long."""
        known = self._find("Healthy")
        if known is None or known["status"] != "False":
            return False
        return (datetime.now(UTC) - parse_timestamp(known["lastTransitionTime"])).total_seconds() >= seconds

    def seconds_since_start(self) -> float:
        """Return how long the current provision has been going on."""
        return (datetime.now(UTC) - parse_timestamp(self.status["startedAt"])).total_seconds()

    def retry_in_seconds(self) -> float:
        """Return how long to wait for the next attempt, 0 where none is waited for."""
        due = self.status.get("nextRetryAt")
        return max(0.0, (parse_timestamp(due) - datetime.now(UTC)).total_seconds()) if due else 0.0

    def seconds_left(self) -> float:
        """Return how long the current provision may still take, negative where its time ran out."""
        return (parse_timestamp(self.status["deadlineAt"]) - datetime.now(UTC)).total_seconds()

    def set_deadline(self, limit_seconds: float) -> None:
        """Give the current provision this long from now."""
        self.status["deadlineAt"] = format_timestamp(datetime.now(UTC) + timedelta(seconds=limit_seconds))

    def start(self, why: str, digest: str, limit_seconds: float) -> None:
        """Begin a provision: nothing that was true of an earlier one is claimed any more."""
        for name in ("lastError", "nextRetryAt", "readyAt"):
            self.status.pop(name, None)
        if self.status.get("desiredDigest") != digest:
            self.inventory = without(self.inventory, HELM)
        asked = annotations_of(self.store).get(RETRY_ANNOTATION, "")
        self.status |= {
            "startedAt": format_timestamp(),
            "createdAt": self.store["metadata"]["creationTimestamp"],
            "observedGeneration": self.generation,
            "desiredDigest": digest,
            "attempts": 1,
            "lastHandledReconcileAt": asked,
        }
        self.set_deadline(limit_seconds)
        self._set("Ready", "False", "Provisioning", why)
        self._set("Reconciling", "True", "Provisioning", why)
        self._set("Stalled", "False", "Provisioning", "")
        self._set("Released", "Unknown", "Provisioning", "")
        self._set("Healthy", "Unknown", "Provisioning", "")
        self._set("StorefrontAnswers", "Unknown", "Provisioning", "")
        self.event("ProvisioningStarted", why)

    def take_over(self, epoch: int) -> None:
        """Say it where the leader of an earlier term had this in hand; the same server may lead again."""
        waits = self.reason("Reconciling") == WAITING_FOR_SLOT
        if self.is_true("Reconciling") and not waits and int(self.status.get("epoch", epoch)) < epoch:
            self.event("TakenOver", "the server that worked on it stopped leading; the work goes on from here")

    @property
    def inventory(self) -> Inventory:
        """Return what the store is made of, as it was left."""
        return parsed(self.status.get("inventory", ""))

    @inventory.setter
    def inventory(self, inventory: Inventory) -> None:
        self.status["inventory"] = formatted(inventory)

    def drifted(self, sentence: str, limit_seconds: float) -> None:
        """Say that somebody changed what was released; it is Ready no longer, though it has been."""
        self.set_deadline(limit_seconds)
        self._set("Released", "False", DRIFTED, sentence)
        self._set("Ready", "False", DRIFTED, sentence)
        self._set("Reconciling", "True", DRIFTED, sentence)
        self._set("Stalled", "False", DRIFTED, "")
        self.progress("release", f"restoring: {sentence}")

    def drift_waits(self, sentence: str) -> None:
        """Say that somebody changed what was released, soon after it was put back; that is done again, and not yet."""
        if self.is_true("Ready"):
            self.event("Degraded", sentence, level="warning", step="release")
        self._set("Ready", "False", DRIFTED, sentence)
        self._set("Reconciling", "True", DRIFTED, sentence)
        self.progress("release", sentence)

    def reason(self, kind: str) -> str:
        """Return the reason of a condition, empty where there is none."""
        return str((self._find(kind) or {}).get("reason", ""))

    def progress(self, step: str, message: str, steps: tuple[str, ...] = PROVISION_STEPS) -> None:
        """Say which step is under way and what it waits for."""
        self.status["progress"] = {
            "step": step,
            "index": steps.index(step) + 1,
            "total": len(steps),
            "message": shortened(message, 1000),
        }

    def waiting_for_slot(self, limit: int) -> None:
        """Say that the store is in line for Helm; its place would be old as soon as it was said."""
        message = f"waiting for one of {limit} provisioning slots"
        self._set("Reconciling", "True", WAITING_FOR_SLOT, message)
        self.progress("release", message)

    def releasing(self) -> None:
        """Say that Helm is at work."""
        self._set("Reconciling", "True", RELEASING, "helm is at work")
        self._set("Released", "False", RELEASING, "helm is at work")

    def released(self, revision: int, chart_version: str, digest: str) -> None:
        """Say what is released."""
        self.status["release"] = {"revision": revision, "chartVersion": chart_version, "digest": digest}
        self._set("Released", "True", "Deployed", f"revision {revision} of chart {chart_version}")

    def waiting_for_workloads(self, sentence: str) -> None:
        """Say which workloads are not there yet."""
        self._set("Healthy", "False", WAITING_FOR_WORKLOADS, sentence)
        self._set("Ready", "False", WAITING_FOR_WORKLOADS, sentence)
        self._set("Reconciling", "True", WAITING_FOR_WORKLOADS, sentence)
        self.progress("health", f"waiting for {sentence}")

    def waiting_for_storefront(self, healthy: str, sentence: str) -> None:
        """Say that the workloads are there and what the storefront does not do yet."""
        self._set("Healthy", "True", "WorkloadsHealthy", healthy)
        for kind, status in (("StorefrontAnswers", "False"), ("Ready", "False")):
            self._set(kind, status, WAITING_FOR_STOREFRONT, sentence)
        if not self.is_true("Stalled"):
            self._set("Reconciling", "True", WAITING_FOR_STOREFRONT, sentence)
        self.progress("storefront", sentence)

    def storefront_answers(self, status: str, reason: str, sentence: str) -> None:
        """Say what a visit to the storefront found; Unknown where there was none."""
        self._set("StorefrontAnswers", status, reason, sentence)

    def storefront_silent(self, healthy: str, sentence: str) -> None:
        """Say that a store that was Ready has its workloads again, and does not answer."""
        self._set("Healthy", "True", "WorkloadsHealthy", healthy)
        for kind in ("StorefrontAnswers", "Ready"):
            self._set(kind, "False", STOREFRONT_SILENT, sentence)
        self.progress("storefront", sentence)

    def still_unhealthy(self, sentence: str) -> None:
        """Say what a provision that is out of time still waits for."""
        self._set("Healthy", "False", WAITING_FOR_WORKLOADS, sentence)
        self.progress("health", f"waiting for {sentence}")

    def ready(self, sentence: str) -> None:
        """Say that this generation and digest was observed healthy now."""
        for name in ("lastError", "nextRetryAt", "progress"):
            self.status.pop(name, None)
        self.status["readyAt"] = format_timestamp()
        self._set("Healthy", "True", "WorkloadsHealthy", sentence)
        self._set("Ready", "True", "Ready", sentence)
        self._set("Reconciling", "False", "Ready", "")
        self._set("Stalled", "False", "Ready", "")

    def degraded(self, sentence: str) -> None:
        """Say that a store that was Ready no longer is."""
        self._set("Healthy", "False", DEGRADED, sentence)
        self._set("Ready", "False", DEGRADED, sentence)
        self.progress("health", sentence)

    def error(self, error: StepError, *, retry_at: datetime | None) -> None:
        """Keep an error; with `retry_at` it is tried again by itself."""
        self.status["lastError"] = {
            "step": error.step,
            "reason": error.reason,
            "message": shortened(error.message, MAX_ERROR_CHARACTERS),
            "hint": error.hint,
            "at": format_timestamp(),
        }
        self.status.pop("nextRetryAt", None)
        if retry_at is not None:
            self.status["nextRetryAt"] = format_timestamp(retry_at)
        self._set("Ready", "False", error.reason, error.message)
        if error.step == "release":
            self._set("Released", "False", error.reason, error.message)

    def fail(self, error: StepError) -> None:
        """Give up until something changes, and say so once."""
        if self.is_true("Stalled"):
            return
        self.error(error, retry_at=None)
        self.stalled(error)
        self.event("Failed", error.message, level="error", step=error.step)

    def stalled(self, error: StepError) -> None:
        """Say that the provision has failed and why."""
        self._set("Stalled", "True", error.reason, error.message)
        self._set("Reconciling", "False", error.reason, "")

    def deleting(self, step: str, message: str) -> None:
        """Say how far a deletion is."""
        self._set("Ready", "False", "Deleting", message)
        self._set("Reconciling", "True", "Deleting", message)
        self._set("Stalled", "False", "Deleting", "")
        self.progress(step, message, DELETE_STEPS)

    def deletion_blocked(self, step: str, blocker: str) -> None:
        """Say what a deletion has been waiting for all too long."""
        for kind, status in (("Ready", "False"), ("Stalled", "True"), ("Reconciling", "False")):
            self._set(kind, status, DELETION_BLOCKED, blocker)
        self.progress(step, blocker, DELETE_STEPS)

    def event(
        self, kind: str, message: str, *, level: Level = "info", step: str = "", seconds: float | None = None
    ) -> None:
        """Put an event on the timeline."""
        event = timeline_event(kind, message, level=level, step=step, seconds=seconds)
        self._new_events.append(event)
        self.status["events"] = appended(self.status.get("events") or [], event, max_entries=self._max_events)

    def event_once(self, kind: str, message: str, *, step: str = "", seconds: float | None = None) -> None:
        """Put an event on the timeline unless the current provision, or correction, has it already."""
        for event in reversed(self.status.get("events") or []):
            if event["type"] == kind:
                return
            if event["type"] in ("ProvisioningStarted", "DriftCorrected"):
                break
        self.event(kind, message, step=step, seconds=seconds)

    def take_events(self) -> list[Object]:
        """Return the events since the last time, and forget them."""
        events, self._new_events = self._new_events, []
        return events

    def finished(self, epoch: int) -> Object | None:
        """Return the status to write under an epoch, None where it says nothing new."""
        self.status["phase"] = self._phase().value
        before = status_of(self.store)
        # Who writes and when is no news of its own.
        if {**before, **_NOT_NEWS} == {**self.status, **_NOT_NEWS}:
            return None
        self.status |= {"updatedAt": format_timestamp(), "epoch": epoch}
        return self.status

    def _phase(self) -> Phase:
        ready, stalled, reconciling = (self._find(kind) or {} for kind in ("Ready", "Stalled", "Reconciling"))
        if is_deleting(self.store):
            return Phase.DELETING
        if ready.get("status") == "True":
            return Phase.READY
        if stalled.get("status") == "True":
            return Phase.FAILED
        if ready.get("reason") in (DEGRADED, DRIFTED, STOREFRONT_SILENT) and "readyAt" in self.status:
            return Phase.DEGRADED
        if not ready or reconciling.get("reason") == WAITING_FOR_SLOT:
            return Phase.PENDING
        return Phase.PROVISIONING

    def _find(self, kind: str) -> Object | None:
        return next((known for known in self.status.get("conditions") or () if known["type"] == kind), None)

    def _set(self, kind: str, status: str, reason: str, message: str) -> None:
        known = self._find(kind)
        flipped = known is None or known["status"] != status
        since = (
            format_timestamp(datetime.now(UTC).replace(microsecond=0))
            if flipped or not known
            else known["lastTransitionTime"]
        )
        condition = {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": shortened(message),
            "observedGeneration": self.generation,
            "lastTransitionTime": since,
        }
        conditions = self.status.setdefault("conditions", [])
        if known is None:
            conditions.append(condition)
        else:
            conditions[conditions.index(known)] = condition
