"""Phases as the dashboard groups and orders them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urumi.store import Phase

if TYPE_CHECKING:
    from urumi.wire import Store

SERVING_PHASES = frozenset({Phase.READY, Phase.DEGRADED})
MOVING_PHASES = frozenset({Phase.PENDING, Phase.PROVISIONING, Phase.DELETING})
FAILING_PHASES = frozenset({Phase.FAILED, Phase.DEGRADED})
# What needs attention comes first.
PHASE_ORDER = (
    Phase.FAILED,
    Phase.DEGRADED,
    Phase.PROVISIONING,
    Phase.PENDING,
    Phase.DELETING,
    Phase.READY,
    Phase.DELETED,
)


def as_deleted(store: Store) -> Store:
    """Return a store that was removed, as it was last seen, with phase Deleted.

    The API removes a deleted store instead of sending this phase. The dashboard sets it on its own copy, and only
    here, so that every text, glyph and rule that depends on the phase covers a removed store as well.
    """
    return store.model_copy(update={"phase": Phase.DELETED, "progress": None, "last_error": None})
