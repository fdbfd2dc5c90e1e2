"""The conditions of a store: one metav1.Condition per type, as Kubernetes defines it.

Conditions are the source of truth about a store; the phase is derived from them. Each condition names the generation
that it was observed for, and its transition time changes only when its status does.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from reconciler.store.timeline import shortened
from urumi.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.kube.resources import Object

ConditionStatus = Literal["True", "False", "Unknown"]

# Reasons on which the phase or a step depends.
WAITING_FOR_SLOT = "WaitingForSlot"
WAITING_FOR_WORKLOADS = "WaitingForWorkloads"
WAITING_FOR_STOREFRONT = "WaitingForStorefront"
WORKLOADS_UNHEALTHY = "WorkloadsUnhealthy"
STOREFRONT_SILENT = "StorefrontSilent"
DRIFTED = "Drifted"
RELEASING = "Releasing"
DELETION_BLOCKED = "DeletionBlocked"


class Conditions:
    """The list of conditions of one store at one generation; `items` is the list that belongs in the status."""

    def __init__(self, items: Sequence[Object], generation: int) -> None:
        self.items: list[Object] = list(items)
        self._generation = generation

    def find(self, kind: str) -> Object | None:
        """Return a condition, None if it was never set."""
        return next((condition for condition in self.items if condition["type"] == kind), None)

    def reason(self, kind: str) -> str:
        """Return the reason of a condition, empty if it was never set."""
        return str((self.find(kind) or {}).get("reason", ""))

    def has_status(self, kind: str, status: ConditionStatus) -> bool:
        """Return whether a condition has this status, for whichever generation."""
        return (self.find(kind) or {}).get("status") == status

    def is_true(self, kind: str) -> bool:
        """Return whether a condition is True for the current generation."""
        condition = self.find(kind) or {}
        return condition.get("status") == "True" and condition.get("observedGeneration") == self._generation

    def seconds_since_transition(self, kind: str) -> float:
        """Return how long a condition has had its status, 0 if it was never set."""
        condition = self.find(kind)
        if condition is None:
            return 0.0
        return (datetime.now(UTC) - parse_timestamp(condition["lastTransitionTime"])).total_seconds()

    def set(self, kind: str, status: ConditionStatus, reason: str, message: str = "") -> None:
        """Set a condition; its transition time changes only if its status does."""
        known = self.find(kind)
        if known is not None and known["status"] == status:
            since = known["lastTransitionTime"]
        else:
            # metav1.Time has whole seconds.
            since = format_timestamp(datetime.now(UTC).replace(microsecond=0))
        condition: Object = {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": shortened(message),
            "observedGeneration": self._generation,
            "lastTransitionTime": since,
        }
        if known is None:
            self.items.append(condition)
        else:
            self.items[self.items.index(known)] = condition
