"""The unlocking of a release that a Helm process left `pending-*`, before the release step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.helm.release import ReleaseState, unlock
from reconciler.store.conditions import RELEASING

if TYPE_CHECKING:
    from reconciler.reconcile.context import Context
    from reconciler.reconcile.request import ReconcileRequest

LOCK_CHECK_SECONDS = 2.0


async def unlock_release(context: Context, request: ReconcileRequest, observed: ReleaseState) -> bool:
    """Unlock a pending release whose writer has ended; otherwise report the lock and return False.

    A revision that this status reported as started, in an earlier leader term, has no writer: a leader's Helm process
    is killed before another replica can lead. For any other revision (a person's Helm keeps our labels) only its age
    is known.
    """
    store, draft = request.store, request.draft
    is_from_earlier_term = (
        draft.reason("Released") == RELEASING and observed.fencing_token < context.leader_term.fencing_token
    )
    has_ended = is_from_earlier_term or observed.age_seconds() >= context.settings.helm_lock_seconds
    if has_ended and await unlock(context.kube, store.namespace, observed):
        draft.timeline.add(
            "ReleaseUnlocked",
            f"revision {observed.revision} was stuck in {observed.status}; marked as failed, nothing was uninstalled",
            level="warning",
            step="release",
        )
        return True
    draft.set_progress(
        "release",
        f"release locked: revision {observed.revision} is {observed.status}; waiting for its Helm process to end",
    )
    await context.write(draft)
    context.queue.add_later(store.store_id, LOCK_CHECK_SECONDS)
    return False
