"""A provision, evaluated from the start on every reconcile: do the first step that is missing.

    start (if requested) -> namespace -> isolation -> credentials -> release -> health -> storefront -> Ready

Steps report to the status with the next write; a slow step is followed by a write at once, so that people see it live.
A step that has to wait (for a Helm slot, for pods, for a retry) ends the reconcile, and the end of the wait queues the
store again. The same evaluation finds out-of-band changes and reverts them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.engines.registry import ENGINES
from reconciler.kube.resources import is_deleting
from reconciler.metrics import FAILURES
from reconciler.queue.workqueue import RETRY_BACKOFF
from reconciler.reconcile.request import ReconcileRequest, load_request
from reconciler.steps.drift import DriftState, count_correction, detect_drift
from reconciler.steps.ensure_namespace import namespace_terminating
from reconciler.steps.foundation import ensure_foundation, keep_foundation
from reconciler.steps.readiness import evaluate_readiness
from reconciler.steps.release import install_release, report_released
from reconciler.store.desired import store_url
from reconciler.store.inventory import HELM
from reconciler.store.isolation import isolation_digest
from urumi.errors import BlockedError, ConfigurationError, StepError

if TYPE_CHECKING:
    from reconciler.reconcile.context import Context
    from reconciler.store.draft import StatusDraft
    from reconciler.store.object import StoreObject


async def provision(context: Context, store: StoreObject, draft: StatusDraft) -> None:
    """Advance a store towards Ready as far as it can go now."""
    try:
        await _advance(context, load_request(context, store, draft))
    except (ConfigurationError, BlockedError) as error:
        context.limiter.release(store.store_id)
        FAILURES.labels("configuration" if isinstance(error, ConfigurationError) else "blocked").inc()
        draft.fail(error)
        await context.write(draft)
    except StepError as error:
        context.limiter.release(store.store_id)
        FAILURES.labels("transient").inc()
        wait = RETRY_BACKOFF.wait_seconds(draft.attempts)
        draft.schedule_retry(error, wait)
        context.queue.add_later(store.store_id, wait)
        await context.write(draft)


async def _advance(context: Context, request: ReconcileRequest) -> None:
    store, draft, settings = request.store, request.draft, context.settings
    why = _start_reason(context, request)
    if why:
        request.term_state.has_foundation = False
        draft.start_provision(why, request.desired.digest, settings.max_provision_seconds)
        url = store_url(settings, store.spec)
        admin_url = url + ENGINES[store.engine].admin_path
        draft.set_addresses(url=url, admin_url=admin_url, is_simulated=context.view.is_simulated())
        await context.write(draft)
    wait = draft.retry_in_seconds()
    if wait > 0:
        context.queue.add_later(store.store_id, wait)
        return
    if draft.is_true("Stalled") and not draft.has_scheduled_retry and not request.in_sync:
        return
    draft.clear_retry()
    namespace = context.view.namespaces.get(store.namespace)
    if namespace is not None and is_deleting(namespace):
        raise namespace_terminating(store)
    if not request.in_sync:
        if not request.term_state.has_foundation:
            await ensure_foundation(context, request)
        is_released = await install_release(context, request)
    elif draft.is_true("Released"):
        await keep_foundation(context, request)
        is_released = await _keep_release(context, request)
    else:
        if not request.term_state.has_foundation:
            await ensure_foundation(context, request)
        # The release was deployed by a process that ended before it reported it.
        observed = request.observed_release
        report_released(request, observed.revision if observed else request.term_state.revision)
        is_released = True
    if is_released:
        context.limiter.release(store.store_id)
        await evaluate_readiness(context, request)


def _start_reason(context: Context, request: ReconcileRequest) -> str:
    """Return why a new provision has to start, empty if the current one continues."""
    draft, desired, observed = request.draft, request.desired, request.observed_release
    requested = draft.start_reason(desired.digest)
    if requested:
        return requested
    if not request.in_sync and draft.is_true("Released"):
        release = request.store.release_name
        if observed is None:
            return f"release {release} is missing"
        if observed.digest == desired.digest:
            return f"release {release} is {observed.status} at revision {observed.revision}"
        return f"release {release} was changed out of band"
    isolation = isolation_digest(context.settings, request.store.store_id)
    if draft.is_true("Stalled") and draft.isolation_digest not in ("", isolation):
        # A failed store may succeed with other limits.
        return "the platform's quota, limits or network policies changed"
    return ""


async def _keep_release(context: Context, request: ReconcileRequest) -> bool:
    """Revert out-of-band changes of a deployed release; return False while the release waits for that."""
    draft, drift = request.draft, detect_drift(context, request, HELM)
    if drift.check_again_seconds > 0:
        context.queue.add_later(request.store.store_id, drift.check_again_seconds)
    match drift.state:
        case DriftState.RATE_LIMITED:
            interval = request.term_state.correction_interval_seconds
            draft.set_drift_detected(
                f"{drift.summary}; the next correction starts {interval:.0f} s after the previous one"
            )
            await context.write(draft)
            return False
        case DriftState.CORRECTABLE:
            count_correction(request, drift)
            draft.set_drift_corrected(drift.summary, context.settings.max_provision_seconds)
            draft.timeline.add(
                "DriftCorrected", f"{drift.summary}; running Helm to revert it", level="warning", step="release"
            )
            await context.write(draft)
            return await install_release(context, request)
    return True
