"""The foundation of a store: the three steps before the release, which the platform applies itself.

    namespace -> isolation (step `guardrails`) -> credentials

Their objects are in the inventory of the store, with the marks of our own writes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.steps.drift import DriftState, count_correction, detect_drift
from reconciler.steps.ensure_credentials import ensure_credentials
from reconciler.steps.ensure_isolation import ensure_isolation
from reconciler.steps.ensure_namespace import ensure_namespace
from reconciler.store.inventory import PLATFORM, with_applied
from reconciler.store.isolation import isolation_digest
from urumi.errors import ClusterError, ConfigurationError, TransientError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reconciler.kube.resources import Object
    from reconciler.reconcile.context import Context
    from reconciler.reconcile.request import ReconcileRequest

# Faster steps are reported with the next one: a write costs the API server more than the step itself.
SLOW_STEP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Step:
    """A step as the status reports it, and the call that applies its objects and returns them."""

    name: str
    event: str
    message: str
    run: Callable[[], Awaitable[list[Object]]]


async def ensure_foundation(context: Context, request: ReconcileRequest) -> None:
    """Create namespace, isolation and credentials of a store; a slow step is followed by a write of the status.

    Raises:
        StepError: one of the steps failed.
    """
    draft = request.draft
    for step in _foundation_steps(context, request):
        draft.set_progress(step.name, step.message)
        began = time.monotonic()
        await _apply(request, step)
        if step.name == "guardrails":
            draft.set_isolation_digest(isolation_digest(context.settings, request.store.store_id))
        seconds = time.monotonic() - began
        draft.timeline.add_once(step.event, step.message, step=step.name, seconds=seconds)
        if seconds > SLOW_STEP_SECONDS:
            await context.write(draft)
    request.term_state.has_foundation = True


async def keep_foundation(context: Context, request: ReconcileRequest) -> None:
    """Apply changed settings of the platform to a released store, and revert out-of-band changes."""
    draft, digest = request.draft, isolation_digest(context.settings, request.store.store_id)
    drift = None
    if draft.isolation_digest == digest:
        drift = detect_drift(context, request, PLATFORM)
        if drift.check_again_seconds > 0:
            context.queue.add_later(request.store.store_id, drift.check_again_seconds)
        if drift.state is not DriftState.CORRECTABLE:
            return
        count_correction(request, drift)
    for step in _foundation_steps(context, request):
        await _apply(request, step)
    draft.set_isolation_digest(digest)
    if drift is None:
        message = "the platform's quota, limits or network policies changed and were applied"
        draft.timeline.add("GuardrailsUpdated", message, step="guardrails")
    else:
        draft.timeline.add("DriftCorrected", f"{drift.summary}; restored", level="warning", step="guardrails")
    await context.write(draft)


def _foundation_steps(context: Context, request: ReconcileRequest) -> tuple[_Step, ...]:
    kube, store = context.kube, request.store
    is_released = request.observed_release is not None
    return (
        _Step("namespace", "NamespaceReady", f"namespace {store.namespace}", lambda: ensure_namespace(kube, store)),
        _Step(
            "guardrails",
            "GuardrailsReady",
            "quota, limits, network policies",
            lambda: ensure_isolation(kube, context.settings, store),
        ),
        _Step(
            "credentials",
            "CredentialsReady",
            "administrator account and keys",
            lambda: ensure_credentials(kube, store, is_released=is_released),
        ),
    )


async def _apply(request: ReconcileRequest, step: _Step) -> None:
    """Run a step and add its objects to the inventory; cluster errors become errors of that step."""
    try:
        applied = await step.run()
    except ClusterError as error:
        # 403 is also the answer of a terminating namespace and of a failing webhook; those are temporary.
        is_final = error.status in (400, 422) or (error.status == 403 and "terminat" not in error.message)
        kind = ConfigurationError if is_final else TransientError
        raise kind(error.message, step=step.name, reason=error.reason or "ClusterError") from error
    request.term_state.note_write()
    request.draft.set_inventory(with_applied(request.draft.inventory, applied))
