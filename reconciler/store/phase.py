"""The phase of a store, derived from its conditions for people; no step of the reconciler branches on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.store.conditions import DRIFTED, STOREFRONT_SILENT, WAITING_FOR_SLOT, WORKLOADS_UNHEALTHY
from urumi.store import Phase

if TYPE_CHECKING:
    from reconciler.store.conditions import Conditions

_DEGRADED_REASONS = (WORKLOADS_UNHEALTHY, DRIFTED, STOREFRONT_SILENT)


def derive_phase(conditions: Conditions, *, is_deleting: bool, was_ready: bool) -> Phase:
    """Return the phase; `was_ready` says whether the current provision has reached Ready before."""
    if is_deleting:
        return Phase.DELETING
    if conditions.has_status("Ready", "True"):
        return Phase.READY
    if conditions.has_status("Stalled", "True"):
        return Phase.FAILED
    if was_ready and conditions.reason("Ready") in _DEGRADED_REASONS:
        return Phase.DEGRADED
    if conditions.find("Ready") is None or conditions.reason("Reconciling") == WAITING_FOR_SLOT:
        return Phase.PENDING
    return Phase.PROVISIONING
