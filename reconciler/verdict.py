"""The health step: what the workloads are like, said as Ready, waiting, Degraded or out of time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reconciler.engines import ENGINES
from reconciler.health import Health, observe
from reconciler.inventory import with_released
from reconciler.metrics import FAILURES, PROVISION_SECONDS
from reconciler.status import WAITING_FOR_WORKLOADS
from reconciler.warnings import warnings_about
from urumi.errors import ProvisionTimeout

if TYPE_CHECKING:
    from reconciler.attempt import Attempt
    from reconciler.context import Context
    from reconciler.status import StatusDraft

EXPLAIN_SECONDS = 3.0
TELL_SECONDS = 1.0


async def judge(context: Context, attempt: Attempt) -> None:
    """Say how a released store is now."""
    draft = attempt.draft
    owned = context.view.owned(attempt.store_id)
    draft.inventory = with_released(draft.inventory, owned, attempt.desired.digest)
    health = await _explained(context, attempt)
    if health.is_healthy:
        _say_ready(context, attempt, health)
    elif "readyAt" in draft.status:
        _say_degraded(draft, health)
    elif _is_small_talk(context, attempt):
        return
    else:
        _wait_or_fail(context, attempt, health)
    await context.write(draft)


def _is_small_talk(context: Context, attempt: Attempt) -> bool:
    """Return whether pods on their way were told of just now; then the next look will do."""
    wait = attempt.memory.told_at + TELL_SECONDS - time.monotonic()
    if wait <= 0 or attempt.draft.reason("Reconciling") != WAITING_FOR_WORKLOADS:
        attempt.memory.told_at = time.monotonic()
        return False
    context.queue.add_later(attempt.store_id, wait)
    return True


async def _explained(context: Context, attempt: Attempt) -> Health:
    """Return the health; where the objects have not said for a while why they wait, ask for Kubernetes' Events."""
    spec, digest = ENGINES[attempt.engine], attempt.desired.digest
    health = observe(spec, digest, context.view.observed(attempt.store_id))
    if not health.unexplained:
        return health
    context.queue.add_later(attempt.store_id, EXPLAIN_SECONDS)
    if not attempt.memory.has_waited(EXPLAIN_SECONDS):
        return health
    warnings = await warnings_about(context.kube, attempt.namespace, health.unexplained)
    return observe(spec, digest, context.view.observed(attempt.store_id), warnings)


def _say_ready(context: Context, attempt: Attempt, health: Health) -> None:
    draft = attempt.draft
    if draft.is_true("Ready"):
        return
    simulated = context.view.is_simulated()
    words = f"{health.sentence} (simulated containers: no shop answers)" if simulated else health.sentence
    recovered = "readyAt" in draft.status
    draft.status["simulated"] = simulated
    draft.ready(health.sentence)
    seconds = None if recovered else draft.seconds_since_start()
    if seconds is not None:
        PROVISION_SECONDS.observe(seconds)
    draft.event("Recovered" if recovered else "Ready", words, step="health", seconds=seconds)


def _say_degraded(draft: StatusDraft, health: Health) -> None:
    if draft.is_true("Ready"):
        draft.event("Degraded", health.sentence, level="warning", step="health")
    draft.degraded(health.sentence)


def _wait_or_fail(context: Context, attempt: Attempt, health: Health) -> None:
    draft, left = attempt.draft, attempt.draft.seconds_left()
    if draft.is_true("Stalled"):
        draft.still_unhealthy(health.sentence)
    elif left > 0:
        draft.event_once("WaitingForWorkloads", "helm is done, waiting for the pods", step="health")
        draft.waiting_for_workloads(health.sentence)
        context.queue.add_later(attempt.store_id, left)
    else:
        draft.still_unhealthy(health.sentence)
        FAILURES.labels("timeout").inc()
        draft.fail(_timeout(health, context.settings.max_provision_seconds))


def _timeout(health: Health, limit_seconds: float) -> ProvisionTimeout:
    return ProvisionTimeout(
        f"not ready within {limit_seconds:.0f} s: {health.sentence}",
        step="health",
        reason=health.reason,
        hint="It becomes Ready by itself when its workloads do; fix the cause, retry, or delete the store.",
    )
