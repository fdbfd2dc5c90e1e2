"""Drift: objects of a released store that were changed or deleted out of band, and when they may be reverted.

Objects that the platform applied itself (namespace, isolation, credentials) are applied again, which costs a few API
calls. Objects of the release need a Helm upgrade, and the store is Degraded until it has run. Corrections of one store
are rate-limited: another controller, or a person, that repeats its change is reported on the timeline and does not
cause one Helm run after the other. A store that waits for its correction is not Ready.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from reconciler.metrics import DRIFT_CORRECTIONS
from reconciler.store.inventory import Difference, differences

if TYPE_CHECKING:
    from reconciler.reconcile.context import Context
    from reconciler.reconcile.request import ReconcileRequest

MAX_NAMED = 5


class DriftState(Enum):
    """What to do about the objects of one writer."""

    NO_DRIFT = auto()
    UNCERTAIN = auto()  # the informers may not show our own last write yet
    RATE_LIMITED = auto()  # the last correction was too recent
    CORRECTABLE = auto()


@dataclass(frozen=True, slots=True)
class Drift:
    """The out-of-band changes of one writer's objects; `check_again_seconds` is 0 unless they have to wait."""

    state: DriftState
    differences: tuple[Difference, ...] = ()
    check_again_seconds: float = 0.0

    @property
    def summary(self) -> str:
        """Return the differences as text, the first few of many: "Service wordpress was deleted, ..."."""
        more = len(self.differences) - MAX_NAMED
        named = ", ".join(str(difference) for difference in self.differences[:MAX_NAMED])
        return f"{named} and {more} more" if more > 0 else named


def detect_drift(context: Context, request: ReconcileRequest, writer: str) -> Drift:
    """Return how the objects of a writer (`HELM` or `PLATFORM`) differ from the inventory; nothing is changed."""
    found = differences(request.draft.inventory, context.view.owned(request.store.store_id), writer)
    if not found:
        return Drift(DriftState.NO_DRIFT)
    settles_in = request.term_state.settles_in_seconds()
    if settles_in > 0:
        return Drift(DriftState.UNCERTAIN, found, settles_in)
    wait = request.term_state.correctable_in_seconds()
    if wait > 0:
        return Drift(DriftState.RATE_LIMITED, found, wait)
    return Drift(DriftState.CORRECTABLE, found)


def count_correction(request: ReconcileRequest, drift: Drift) -> None:
    """Count a correction, for the rate limit and for the metrics."""
    request.term_state.note_correction()
    for difference in drift.differences:
        DRIFT_CORRECTIONS.labels(difference.kind).inc()
