"""Drift: what another hand changed or deleted of a released store, and when it may be put back.

What the platform applied itself is applied again at once and costs a few calls. What belongs to the release needs a
Helm upgrade; the store is Degraded meanwhile. Corrections of one store are paced: somebody who insists (another
controller, a person with a plan) is told on the timeline and not fought at full speed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.inventory import HELM, PLATFORM, differences
from reconciler.metrics import DRIFT_CORRECTIONS

if TYPE_CHECKING:
    from reconciler.attempt import Attempt
    from reconciler.context import Context

MAX_NAMED = 5


def restore_foundation(context: Context, attempt: Attempt) -> str:
    """Return what is to be applied again, in words; empty where there is nothing, or not yet."""
    words = _corrections(context, attempt, PLATFORM)
    if words:
        attempt.memory.correct()
    return f"{words}; restored" if words else ""


async def see_drift(context: Context, attempt: Attempt) -> None:
    """Take a store whose release was tampered with out of sync, so that its chart is released again."""
    words = _corrections(context, attempt, HELM)
    if not words:
        return
    attempt.memory.correct()
    attempt.in_sync = False
    attempt.draft.drifted(words, context.settings.max_provision_seconds)
    attempt.draft.event("DriftCorrected", f"{words}; the chart is released again", level="warning", step="release")
    await context.write(attempt.draft)


def _corrections(context: Context, attempt: Attempt, owner: str) -> str:
    found = differences(attempt.draft.inventory, context.view.owned(attempt.store_id), owner)
    if not found:
        return ""
    wait = max(attempt.memory.settles_in_seconds(), attempt.memory.correctable_in_seconds())
    if wait > 0:
        context.queue.add_later(attempt.store_id, wait)
        return ""
    for words in found:
        DRIFT_CORRECTIONS.labels(words.partition(" ")[0]).inc()
    named = found[:MAX_NAMED]
    return ", ".join(named) + (f" and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else "")
