"""The status of a store as the last reconcile left it; `draft.py` has the status that this reconcile writes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.store.conditions import Conditions
from reconciler.store.inventory import Inventory, parsed
from urumi.store import RETRY_ANNOTATION
from urumi.timestamps import parse_timestamp

if TYPE_CHECKING:
    from reconciler.kube.resources import Object
    from reconciler.store.object import StoreObject

PROVISION_STEPS = ("namespace", "guardrails", "credentials", "release", "health", "storefront")
DELETE_STEPS = ("uninstall", "namespace", "finalizer")


class StoreStatus:
    """What the status of a store says about its current provision."""

    def __init__(self, store: StoreObject) -> None:
        self.store = store
        self._status: Object = store.status
        self._conditions = Conditions(self._status.get("conditions") or (), store.generation)

    def is_true(self, kind: str) -> bool:
        """Return whether a condition is True for the current generation."""
        return self._conditions.is_true(kind)

    def reason(self, kind: str) -> str:
        """Return the reason of a condition, empty if it was never set."""
        return self._conditions.reason(kind)

    @property
    def was_ready(self) -> bool:
        """Return whether the current provision has reached Ready before."""
        return "readyAt" in self._status

    @property
    def released_revision(self) -> int:
        """Return the revision that was last reported as released, 0 if there was none."""
        return int((self._status.get("release") or {}).get("revision", 0))

    @property
    def inventory(self) -> Inventory:
        """Return the objects of the store with their marks, as they were last written."""
        return parsed(self._status.get("inventory", ""))

    @property
    def isolation_digest(self) -> str:
        """Return the digest of the quota, limits and network policies that were last applied, empty if none were."""
        return str(self._status.get("guardrails", ""))

    @property
    def attempts(self) -> int:
        """Return how many attempts of the current provision were started."""
        return int(self._status.get("attempts", 1))

    def start_reason(self, digest: str) -> str:
        """Return why a new provision has to start, empty if the current one is for this spec, chart and request."""
        if "startedAt" not in self._status:
            return f"{self.store.engine.value} store {self.store.store_id} requested"
        if self._status.get("observedGeneration") != self.store.generation:
            return "the store's spec changed"
        if self._status.get("lastHandledReconcileAt", "") != self.store.annotations.get(RETRY_ANNOTATION, ""):
            return "retry requested"
        return "" if self._status.get("desiredDigest") == digest else "the platform's chart or settings changed"

    def seconds_unhealthy(self) -> float:
        """Return how long the workloads have been reported unhealthy, 0 if they are not."""
        is_unhealthy = self._conditions.has_status("Healthy", "False")
        return self._conditions.seconds_since_transition("Healthy") if is_unhealthy else 0.0

    def seconds_since_start(self) -> float:
        """Return how long ago the current provision started."""
        return (datetime.now(UTC) - parse_timestamp(self._status["startedAt"])).total_seconds()

    def seconds_left(self) -> float:
        """Return how long the current provision may still take, negative after its deadline."""
        return (parse_timestamp(self._status["deadlineAt"]) - datetime.now(UTC)).total_seconds()

    def retry_in_seconds(self) -> float:
        """Return how long to wait for the next attempt, 0 if no retry is scheduled."""
        due = self._status.get("nextRetryAt")
        return max(0.0, (parse_timestamp(due) - datetime.now(UTC)).total_seconds()) if due else 0.0
