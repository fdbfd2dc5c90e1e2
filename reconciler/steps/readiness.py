"""The last two steps, health and storefront: evaluates a released store as Ready, waiting, Degraded or failed.

    workloads unhealthy --> Degraded (was Ready) | waiting until the deadline, then failed
    workloads healthy   --> storefront check --> Ready | waiting until the deadline, then failed

A failed store is evaluated further and becomes Ready as soon as its workloads and its storefront are.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reconciler.engines.registry import ENGINES
from reconciler.kube.resources import uid_of
from reconciler.kube.warnings import warnings_about
from reconciler.metrics import FAILURES, PROVISION_SECONDS
from reconciler.steps.storefront import storefront_result
from reconciler.store.conditions import WAITING_FOR_STOREFRONT, WAITING_FOR_WORKLOADS
from reconciler.store.health import Health, observe
from reconciler.store.hints import hint_for
from reconciler.store.inventory import with_released
from urumi.errors import ProvisionTimeout

if TYPE_CHECKING:
    from reconciler.reconcile.context import Context
    from reconciler.reconcile.request import ReconcileRequest
    from reconciler.reconcile.storefront_checks import StorefrontResult
    from reconciler.store.draft import StatusDraft

# After this long without a cause in the objects, Kubernetes' Events are read.
EXPLAIN_SECONDS = 5.0
REPORT_SECONDS = 1.0
CHECKING_AGAIN = "workloads are healthy again, checking the storefront"


async def evaluate_readiness(context: Context, request: ReconcileRequest) -> None:
    """Report the current health of a released store, and with healthy workloads the result of its storefront check."""
    store, draft = request.store, request.draft
    owned = context.view.owned(store.store_id)
    draft.set_inventory(with_released(draft.inventory, owned, request.desired.digest))
    health = await _observe_health(context, request)
    if health.is_healthy:
        if not draft.is_true("Ready"):
            _evaluate_storefront(context, request, health)
        await context.write(draft)
        if draft.is_true("Ready"):
            context.storefront_checks.forget(store.uid)
        return
    context.storefront_checks.forget(store.uid)
    if draft.was_ready:
        if draft.is_true("Ready"):
            draft.timeline.add("Degraded", health.sentence, level="warning", step="health")
        draft.set_degraded(health.sentence)
        await context.write(draft)
        return
    # Pods change several times a second while they start; once a second is enough.
    wait = request.term_state.reported_at + REPORT_SECONDS - time.monotonic()
    if wait > 0 and draft.reason("Reconciling") == WAITING_FOR_WORKLOADS:
        context.queue.add_later(store.store_id, wait)
        return
    request.term_state.reported_at = time.monotonic()
    left = draft.seconds_left()
    if left > 0 and not draft.is_true("Stalled"):
        draft.timeline.add_once("WaitingForWorkloads", "release deployed, waiting for its pods", step="health")
        context.queue.add_later(store.store_id, left)
    draft.set_waiting_for_workloads(health.sentence)
    limit = context.settings.max_provision_seconds
    _fail_if_overdue(
        draft,
        ProvisionTimeout(
            f"not ready after {limit:.0f} s: {health.sentence}",
            step="health",
            reason=health.reason,
            hint=hint_for(health.sentence),
        ),
    )
    await context.write(draft)


async def _observe_health(context: Context, request: ReconcileRequest) -> Health:
    """Return the health; if the objects give no cause for some seconds, the causes come from Kubernetes' Events."""
    store, digest = request.store, request.desired.digest
    engine = ENGINES[store.engine]
    observed = context.view.observed(store.store_id)
    health = observe(engine, digest, observed)
    if not health.unexplained:
        return health
    context.queue.add_later(store.store_id, EXPLAIN_SECONDS)
    if request.draft.seconds_unhealthy() < EXPLAIN_SECONDS:
        return health
    pods = {uid_of(pod) for pod in observed.pods.values()}
    warnings = await warnings_about(context.kube, store.namespace, health.unexplained, pods)
    return observe(engine, digest, context.view.observed(store.store_id), warnings)


def _evaluate_storefront(context: Context, request: ReconcileRequest, health: Health) -> None:
    """Report the result of the storefront check of a store that is not Ready, and start the check if it is due."""
    draft, result = request.draft, storefront_result(context, request)
    if result is not None and result.status != "False":
        _report_ready(context, request, health, result)
    elif draft.was_ready:
        finding = f"waiting for the storefront: {result.message}" if result else CHECKING_AGAIN
        draft.set_storefront_silent(health.sentence, finding)
    elif result is not None:
        draft.timeline.add_once(
            "WaitingForStorefront", "pods are ready, waiting for the storefront check to pass", step="storefront"
        )
        draft.set_waiting_for_storefront(health.sentence, f"waiting for the storefront: {result.message}")
        limit = context.settings.max_provision_seconds
        _fail_if_overdue(
            draft,
            ProvisionTimeout(
                f"storefront check still failing after {limit:.0f} s: {result.message}",
                step="storefront",
                reason="StorefrontSilent",
                hint="Read the logs of the store's pods. The store becomes Ready as soon as the check passes.",
            ),
        )
    elif draft.reason("StorefrontAnswers") != WAITING_FOR_STOREFRONT:
        draft.set_waiting_for_storefront(health.sentence, "checking the storefront")


def _fail_if_overdue(draft: StatusDraft, error: ProvisionTimeout) -> None:
    """Fail a provision whose deadline has passed; a store that has failed already keeps its error."""
    if draft.seconds_left() <= 0 and not draft.is_true("Stalled"):
        FAILURES.labels("timeout").inc()
        draft.fail(error)


def _report_ready(context: Context, request: ReconcileRequest, health: Health, result: StorefrontResult) -> None:
    draft, has_recovered = request.draft, request.draft.was_ready
    message = health.sentence
    if result.status == "True":
        draft.timeline.add_once("StorefrontAnswers", result.message, step="storefront")
    else:
        message = f"{health.sentence} ({result.message})"
    draft.set_storefront(result.status, result.reason, result.message)
    draft.set_ready(health.sentence, is_simulated=context.view.is_simulated())
    if has_recovered:
        draft.timeline.add("Recovered", message, step="health")
    else:
        seconds = draft.seconds_since_start()
        PROVISION_SECONDS.observe(seconds)
        draft.timeline.add("Ready", message, step="health", seconds=seconds)
