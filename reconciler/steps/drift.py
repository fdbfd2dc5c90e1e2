"""Drift: what another hand changed or deleted of a released store, and when it may be put back.

What the platform applied itself is applied again at once and costs a few calls. What belongs to the release needs a
Helm upgrade; the store is Degraded meanwhile. Corrections of one store are paced: somebody who insists (another
controller, a person with a plan) is told on the timeline and not fought at full speed. What waits for its correction
is not Ready.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.metrics import DRIFT_CORRECTIONS
from reconciler.store.inventory import HELM, PLATFORM, differences

if TYPE_CHECKING:
    from reconciler.steps.context import Context
    from reconciler.steps.request import Attempt

MAX_NAMED = 5


def restore_foundation(context: Context, attempt: Attempt) -> str:
    """Return what is to be applied again, in words; empty where there is nothing, or not yet."""
    found = _found(context, attempt, PLATFORM)
    if not found or _waits(context, attempt):
        return ""
    return f"{_corrected(attempt, found)}; restored"


async def see_drift(context: Context, attempt: Attempt) -> bool:
    """Take a store whose release was tampered with out of sync, so that its chart is released again.

    Returns:
        Whether it is too early for that, and said.
    """
    found = _found(context, attempt, HELM)
    if not found:
        return False
    if _waits(context, attempt):
        attempt.draft.drift_waits(f"{_named(found)}; {attempt.memory.pace()}")
        await context.write(attempt.draft)
        return True
    words = _corrected(attempt, found)
    attempt.in_sync = False
    attempt.draft.drifted(words, context.settings.max_provision_seconds)
    attempt.draft.event("DriftCorrected", f"{words}; the chart is released again", level="warning", step="release")
    await context.write(attempt.draft)
    return False


def _found(context: Context, attempt: Attempt, owner: str) -> list[str]:
    found = differences(attempt.draft.inventory, context.view.owned(attempt.store_id), owner)
    settles_in = attempt.memory.settles_in_seconds()
    if found and settles_in > 0:
        # It may be our own last write, of which the informers have not heard yet.
        context.queue.add_later(attempt.store_id, settles_in)
        return []
    return found


def _waits(context: Context, attempt: Attempt) -> bool:
    wait = attempt.memory.correctable_in_seconds()
    if wait > 0:
        context.queue.add_later(attempt.store_id, wait)
    return wait > 0


def _corrected(attempt: Attempt, found: list[str]) -> str:
    attempt.memory.correct()
    for words in found:
        DRIFT_CORRECTIONS.labels(words.partition(" ")[0]).inc()
    return _named(found)


def _named(found: list[str]) -> str:
    return ", ".join(found[:MAX_NAMED]) + (f" and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else "")
