"""A provision, evaluated from the start on every reconcile: do the first step that is missing.

    start (if requested) -> namespace -> isolation -> credentials -> release -> health -> storefront -> Ready

Steps report to the status with the next write; a slow step is followed by a write at once, so that people see it live.
A step that has to wait (for a Helm slot, for pods, for a retry) ends the reconcile, and the end of the wait queues the
store again. The same evaluation finds out-of-band changes and reverts them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reconciler.engines.registry import ENGINES
from reconciler.kube.resources import Object, is_deleting
from reconciler.metrics import DRIFT_CORRECTIONS, FAILURES
from reconciler.queue.workqueue import backoff_seconds
from reconciler.steps.drift import Drift, DriftState, detect_drift
from reconciler.steps.ensure_credentials import ensure_credentials
from reconciler.steps.ensure_isolation import ensure_isolation
from reconciler.steps.ensure_namespace import ensure_namespace, namespace_terminating
from reconciler.steps.readiness import evaluate_readiness
from reconciler.steps.release import install_release, report_released
from reconciler.steps.request import ReconcileRequest, load_request
from reconciler.store.desired import store_host
from reconciler.store.inventory import HELM, PLATFORM, with_applied
from reconciler.store.isolation import isolation_digest
from urumi.errors import BlockedError, ClusterError, ConfigurationError, StepError, TransientError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reconciler.steps.context import Context
    from reconciler.store.draft import StatusDraft
    from reconciler.store.object import StoreObject

# Faster steps are reported with the next one: a write costs the API server more than the step itself.
SLOW_STEP_SECONDS = 0.5


async def provision(context: Context, store: StoreObject, draft: StatusDraft) -> None:
    """Advance a store towards Ready as far as it can go now."""
    try:
        request = load_request(context, store, draft)
        await _start_if_requested(context, request)
        wait = draft.retry_in_seconds()
        if wait > 0:
            context.queue.add_later(store.store_id, wait)
            return
        if draft.is_true("Stalled") and not request.in_sync:
            return
        draft.clear_retry()
        await _advance(context, request)
    except StepError as error:
        await _report_error(context, store, draft, error)


async def _start_if_requested(context: Context, request: ReconcileRequest) -> None:
    store, draft, settings = request.store, request.draft, context.settings
    why = (
        draft.start_reason(request.desired.digest)
        or _unexpected_release(request)
        or _changed_isolation(context, request)
    )
    if not why:
        return
    request.term_state.has_foundation = False
    draft.start_provision(why, request.desired.digest, settings.max_provision_seconds)
    url = f"{settings.scheme}://{store_host(settings, store.spec)}"
    admin_url = url + ENGINES[store.engine].admin_path
    draft.set_addresses(url=url, admin_url=admin_url, is_simulated=context.view.is_simulated())
    await context.write(draft)


def _unexpected_release(request: ReconcileRequest) -> str:
    """Return how a deployed release differs from the last report although nobody requested a change, empty if not."""
    if request.in_sync or not request.draft.is_true("Released"):
        return ""
    name, observed = request.store.release_name, request.observed_release
    if observed is None:
        return f"release {name} is missing"
    if observed.digest == request.desired.digest:
        return f"release {name} is {observed.status} at revision {observed.revision}"
    return f"release {name} was changed out of band"


def _changed_isolation(context: Context, request: ReconcileRequest) -> str:
    """Return why a failed store may succeed now: the platform's quota, limits or policies changed since it failed."""
    applied = request.draft.isolation_digest
    if not request.draft.is_true("Stalled") or not applied:
        return ""
    is_current = applied == isolation_digest(context.settings, request.store.store_id)
    return "" if is_current else "the platform's quota, limits or network policies changed"


async def _advance(context: Context, request: ReconcileRequest) -> None:
    store, draft = request.store, request.draft
    home = context.view.namespaces.get(store.namespace)
    if home is not None and is_deleting(home):
        raise namespace_terminating(store)
    needs_release = not request.in_sync
    if request.in_sync and draft.is_true("Released"):
        await _keep_foundation(context, request)
        drift = detect_drift(context, request, HELM)
        if drift.check_again_seconds > 0:
            context.queue.add_later(store.store_id, drift.check_again_seconds)
        if drift.state is DriftState.RATE_LIMITED:
            interval = request.term_state.correction_interval_seconds
            draft.set_drift_detected(
                f"{drift.summary}; the next correction starts {interval:.0f} s after the previous one"
            )
            await context.write(draft)
            return
        if drift.state is DriftState.CORRECTABLE:
            _count_correction(request, drift)
            draft.set_drift_corrected(drift.summary, context.settings.max_provision_seconds)
            draft.timeline.add(
                "DriftCorrected", f"{drift.summary}; running Helm to revert it", level="warning", step="release"
            )
            await context.write(draft)
            needs_release = True
    elif not request.term_state.has_foundation:
        await _ensure_foundation(context, request)
    if needs_release and not await install_release(context, request):
        return
    if not needs_release and not draft.is_true("Released"):
        # The release was deployed by a process that ended before it reported it.
        observed = request.observed_release
        report_released(request, observed.revision if observed else request.term_state.revision)
    context.limiter.release(store.store_id)
    await evaluate_readiness(context, request)


async def _ensure_foundation(context: Context, request: ReconcileRequest) -> None:
    draft = request.draft
    for step, event, message, work in _foundation_steps(context, request):
        draft.set_progress(step, message)
        began = time.monotonic()
        await _apply(request, step, work)
        if step == "guardrails":
            draft.set_isolation_digest(isolation_digest(context.settings, request.store.store_id))
        seconds = time.monotonic() - began
        draft.timeline.add_once(event, message, step=step, seconds=seconds)
        if seconds > SLOW_STEP_SECONDS:
            await context.write(draft)
    request.term_state.has_foundation = True


async def _keep_foundation(context: Context, request: ReconcileRequest) -> None:
    """Apply changed settings of the platform to a released store, and revert out-of-band changes."""
    draft, digest = request.draft, isolation_digest(context.settings, request.store.store_id)
    drift = None
    if draft.isolation_digest == digest:
        drift = detect_drift(context, request, PLATFORM)
        if drift.check_again_seconds > 0:
            context.queue.add_later(request.store.store_id, drift.check_again_seconds)
        if drift.state is not DriftState.CORRECTABLE:
            return
        _count_correction(request, drift)
    for step, _, _, work in _foundation_steps(context, request):
        await _apply(request, step, work)
    draft.set_isolation_digest(digest)
    if drift is None:
        message = "the platform's quota, limits or network policies changed and were applied"
        draft.timeline.add("GuardrailsUpdated", message, step="guardrails")
    else:
        draft.timeline.add("DriftCorrected", f"{drift.summary}; restored", level="warning", step="guardrails")
    await context.write(draft)


def _foundation_steps(
    context: Context, request: ReconcileRequest
) -> tuple[tuple[str, str, str, Callable[[], Awaitable[list[Object]]]], ...]:
    """Return the steps before the release: step, event, message, work."""
    kube, store = context.kube, request.store
    is_released = request.observed_release is not None
    return (
        ("namespace", "NamespaceReady", f"namespace {store.namespace}", lambda: ensure_namespace(kube, store)),
        (
            "guardrails",
            "GuardrailsReady",
            "quota, limits, network policies",
            lambda: ensure_isolation(kube, context.settings, store),
        ),
        (
            "credentials",
            "CredentialsReady",
            "administrator account and keys",
            lambda: ensure_credentials(kube, store, is_released=is_released),
        ),
    )


async def _apply(request: ReconcileRequest, step: str, work: Callable[[], Awaitable[list[Object]]]) -> None:
    """Do a step and add its objects to the inventory; cluster errors become errors of that step."""
    try:
        applied = await work()
    except ClusterError as error:
        # 403 is also the answer of a terminating namespace and of a failing webhook; those are temporary.
        is_final = error.status in (400, 422) or (error.status == 403 and "terminat" not in error.message)
        kind = ConfigurationError if is_final else TransientError
        raise kind(error.message, step=step, reason=error.reason or "ClusterError") from error
    request.term_state.note_write()
    request.draft.set_inventory(with_applied(request.draft.inventory, applied))


def _count_correction(request: ReconcileRequest, drift: Drift) -> None:
    request.term_state.note_correction()
    for difference in drift.differences:
        DRIFT_CORRECTIONS.labels(difference.kind).inc()


async def _report_error(context: Context, store: StoreObject, draft: StatusDraft, error: StepError) -> None:
    context.limiter.release(store.store_id)
    match error:
        case ConfigurationError():
            failure = "configuration"
        case BlockedError():
            failure = "blocked"
        case _:
            failure = "transient"
    FAILURES.labels(failure).inc()
    if failure == "transient":
        wait = backoff_seconds(draft.attempts)
        draft.schedule_retry(error, wait)
        context.queue.add_later(store.store_id, wait)
    else:
        draft.fail(error)
    await context.write(draft)
