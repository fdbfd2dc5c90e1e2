"""The reconcile request of a living store: its desired release, its observed release, and the status draft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.store.conditions import DRIFTED, RELEASING
from reconciler.store.desired import DesiredRelease, desired_release

if TYPE_CHECKING:
    from reconciler.helm.release import ReleaseState
    from reconciler.reconcile.context import Context
    from reconciler.reconcile.term_state import TermState
    from reconciler.store.draft import StatusDraft
    from reconciler.store.object import StoreObject


@dataclass(frozen=True, slots=True)
class ReconcileRequest:
    """What one reconcile works on; `in_sync` says whether the desired release is deployed."""

    store: StoreObject
    draft: StatusDraft
    term_state: TermState
    desired: DesiredRelease
    observed_release: ReleaseState | None
    in_sync: bool


def load_request(context: Context, store: StoreObject, draft: StatusDraft) -> ReconcileRequest:
    """Return the reconcile request of a store.

    Raises:
        ConfigurationError: there is no chart for the engine of the store.
    """
    desired = desired_release(context.settings, store.spec)
    term_state = context.term_state(store)
    observed = context.view.release(store.store_id, store.release_name)
    if term_state.settles_in_seconds() and (observed is None or observed.revision < term_state.revision):
        # The informer does not show our own last install yet.
        is_deployed = term_state.digest == desired.digest
    else:
        is_deployed = observed is not None and observed.is_deployed(desired.digest)
    # After drift, and after an interrupted install, the same content is released again as a new revision.
    needs_new_revision = (
        draft.reason("Released") in (DRIFTED, RELEASING)
        and observed is not None
        and observed.revision <= draft.released_revision
    )
    return ReconcileRequest(store, draft, term_state, desired, observed, is_deployed and not needs_new_revision)
