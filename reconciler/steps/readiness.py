"""The last two steps, health and storefront: what was observed, said as Ready, waiting, Degraded or out of time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reconciler.engines.registry import ENGINES
from reconciler.kube.resources import uid_of
from reconciler.kube.warnings import warnings_about
from reconciler.metrics import FAILURES, PROVISION_SECONDS
from reconciler.steps.storefront import storefront_answer
from reconciler.store.health import Health, observe
from reconciler.store.hints import hint_for
from reconciler.store.inventory import with_released
from reconciler.store.status import WAITING_FOR_STOREFRONT, WAITING_FOR_WORKLOADS
from urumi.errors import ProvisionTimeout

if TYPE_CHECKING:
    from reconciler.steps.context import Context
    from reconciler.steps.request import Attempt
    from reconciler.steps.storefront import Answer
    from reconciler.store.status import StatusDraft

EXPLAIN_SECONDS = 5.0
TELL_SECONDS = 1.0


async def judge(context: Context, attempt: Attempt) -> None:
    """Say how a released store is now."""
    draft = attempt.draft
    owned = context.view.owned(attempt.store_id)
    draft.inventory = with_released(draft.inventory, owned, attempt.desired.digest)
    health = await _explained(context, attempt)
    if health.is_healthy:
        await _open(context, attempt, health)
        return
    context.visits.forget(uid_of(attempt.store))
    if "readyAt" in draft.status:
        _say_degraded(draft, health)
    elif _is_small_talk(context, attempt):
        return
    else:
        _wait_or_fail(context, attempt, health)
    await context.write(draft)


async def _open(context: Context, attempt: Attempt, health: Health) -> None:
    """Say that a store with healthy workloads is Ready as soon as its storefront answers."""
    draft = attempt.draft
    if not draft.is_true("Ready"):
        answer = storefront_answer(context, attempt)
        if answer is None:
            _ask(draft, health)
        elif answer.status == "False":
            _wait_for_storefront(context, attempt, health, answer)
        else:
            _say_ready(context, attempt, health, answer)
    await context.write(draft)
    if draft.is_true("Ready"):
        context.visits.forget(uid_of(attempt.store))


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
    observed = context.view.observed(attempt.store_id)
    health = observe(spec, digest, observed)
    if not health.unexplained:
        return health
    context.queue.add_later(attempt.store_id, EXPLAIN_SECONDS)
    if not attempt.draft.has_been_unhealthy(EXPLAIN_SECONDS):
        return health
    pods = {uid_of(pod) for pod in observed.pods.values()}
    warnings = await warnings_about(context.kube, attempt.namespace, health.unexplained, pods)
    return observe(spec, digest, context.view.observed(attempt.store_id), warnings)


def _say_ready(context: Context, attempt: Attempt, health: Health, answer: Answer) -> None:
    draft = attempt.draft
    if answer.status == "True":
        draft.event_once("StorefrontAnswers", answer.sentence, step="storefront")
        words = health.sentence
    else:
        words = f"{health.sentence} ({answer.sentence})"
    recovered = "readyAt" in draft.status
    draft.status["simulated"] = context.view.is_simulated()
    draft.storefront_answers(answer.status, answer.reason, answer.sentence)
    draft.ready(health.sentence)
    seconds = None if recovered else draft.seconds_since_start()
    if seconds is not None:
        PROVISION_SECONDS.observe(seconds)
    draft.event("Recovered" if recovered else "Ready", words, step="health", seconds=seconds)


def _ask(draft: StatusDraft, health: Health) -> None:
    if "readyAt" in draft.status:
        draft.storefront_silent(health.sentence, "its workloads are back, asking the storefront")
    elif draft.reason("StorefrontAnswers") != WAITING_FOR_STOREFRONT:
        draft.waiting_for_storefront(health.sentence, "asking the storefront")


def _wait_for_storefront(context: Context, attempt: Attempt, health: Health, answer: Answer) -> None:
    draft, left = attempt.draft, attempt.draft.seconds_left()
    sentence = f"waiting for the storefront: {answer.sentence}"
    if "readyAt" in draft.status:
        draft.storefront_silent(health.sentence, sentence)
        return
    draft.event_once("WaitingForStorefront", "the pods are ready, waiting for the shop to sell", step="storefront")
    draft.waiting_for_storefront(health.sentence, sentence)
    if left <= 0 and not draft.is_true("Stalled"):
        FAILURES.labels("timeout").inc()
        draft.fail(_no_answer(answer, context.settings.max_provision_seconds))


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


def _no_answer(answer: Answer, limit_seconds: float) -> ProvisionTimeout:
    return ProvisionTimeout(
        f"the shop does not sell after {limit_seconds:.0f} s: {answer.sentence}",
        step="storefront",
        reason="StorefrontSilent",
        hint="It becomes Ready by itself when the shop answers; read its pods' logs, retry, or delete the store.",
    )


def _timeout(health: Health, limit_seconds: float) -> ProvisionTimeout:
    return ProvisionTimeout(
        f"not ready within {limit_seconds:.0f} s: {health.sentence}",
        step="health",
        reason=health.reason,
        hint=hint_for(health.sentence),
    )
