"""A provision, looked at from the top each time: what is missing next, and do that.

    start (if asked for) -> namespace -> guardrails -> credentials -> release -> health -> Ready

What each step does goes to the status with the next write, slow steps have one of their own, so that people see them
live. A step that has to wait
(for a Helm slot, for pods, for a retry) ends the reconcile; whatever it waits for wakes the store again. The same look
finds what somebody else changed, and puts it back.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reconciler.kube.resources import Object, is_deleting
from reconciler.metrics import FAILURES
from reconciler.queue.workqueue import backoff_seconds
from reconciler.steps.drift import restore_foundation, see_drift
from reconciler.steps.ensure_namespace import (
    ensure_credentials,
    ensure_isolation,
    ensure_namespace,
    namespace_terminating,
)
from reconciler.steps.readiness import judge
from reconciler.steps.release import adopt_release, install
from reconciler.steps.request import Attempt, look
from reconciler.store.inventory import with_applied
from reconciler.store.isolation import isolation_digest
from urumi.errors import BlockedError, ClusterError, ConfigurationError, StepError, TransientError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reconciler.steps.context import Context
    from reconciler.store.status import StatusDraft

Applied = list[Object]

# What takes less is told together with the step after it: a write costs the API server more than the step itself.
SLOW_STEP_SECONDS = 0.5


async def provision(context: Context, store: Object, draft: StatusDraft) -> None:
    """Take a store as far towards Ready as it can go now."""
    try:
        attempt = look(context, store, draft)
        await _begin(context, attempt)
        if draft.retry_in_seconds() > 0:
            context.queue.add_later(attempt.store_id, draft.retry_in_seconds())
            return
        if draft.is_true("Stalled") and not attempt.in_sync:
            return
        draft.status.pop("nextRetryAt", None)
        await _advance(context, attempt)
    except StepError as error:
        await _fail(context, store, draft, error)


async def _begin(context: Context, attempt: Attempt) -> None:
    draft = attempt.draft
    why = draft.new_request(attempt.desired.digest) or _unexpected(attempt) or _new_limits(context, attempt)
    if why:
        attempt.memory.is_founded = False
        draft.start(why, attempt.desired.digest, context.settings.max_provision_seconds)
        draft.status |= {**context.addresses(attempt.store), "simulated": context.view.is_simulated()}
        await context.write(draft)


def _unexpected(attempt: Attempt) -> str:
    """Return what is wrong with a release that was made and that nobody asked to change."""
    if attempt.in_sync or not attempt.draft.is_true("Released"):
        return ""
    if attempt.state is None:
        return f"its release {attempt.release} is gone"
    if attempt.state.digest == attempt.desired.digest:
        return f"its release {attempt.release} is {attempt.state.status} at revision {attempt.state.revision}"
    return f"release {attempt.release} was changed by another hand"


def _new_limits(context: Context, attempt: Attempt) -> str:
    """Return why a store that failed may do better now."""
    known = attempt.draft.status.get("guardrails", "")
    if not attempt.draft.is_true("Stalled") or known in ("", isolation_digest(context.settings, attempt.store_id)):
        return ""
    return "the platform's limits were changed"


async def _advance(context: Context, attempt: Attempt) -> None:
    home = context.view.namespaces.get(attempt.namespace)
    if home is not None and is_deleting(home):
        raise namespace_terminating(attempt.store_id)
    is_released = attempt.in_sync and attempt.draft.is_true("Released")
    if not is_released and not attempt.memory.is_founded:
        await _found(context, attempt)
    if is_released:
        await _keep_foundation(context, attempt)
        if await see_drift(context, attempt):
            return
    if not attempt.in_sync and not await install(context, attempt):
        return
    if attempt.in_sync and not attempt.draft.is_true("Released"):
        # A release made by a process that died before it could say so.
        adopt_release(attempt)
    context.limiter.release(attempt.store_id)
    await judge(context, attempt)


async def _found(context: Context, attempt: Attempt) -> None:
    draft = attempt.draft
    for step, event, message, work in _foundation(context, attempt):
        draft.progress(step, message)
        began = time.monotonic()
        applied = await _named(step, work())
        attempt.memory.act()
        draft.inventory = with_applied(draft.inventory, applied)
        if step == "guardrails":
            draft.status["guardrails"] = isolation_digest(context.settings, attempt.store_id)
        draft.event_once(event, message, step=step, seconds=time.monotonic() - began)
        if time.monotonic() - began > SLOW_STEP_SECONDS:
            await context.write(draft)
    attempt.memory.is_founded = True


def _foundation(
    context: Context, attempt: Attempt
) -> tuple[tuple[str, str, str, Callable[[], Awaitable[Applied]]], ...]:
    """Return the steps before the release: name, event, words, work."""
    kube, store_id, engine = context.kube, attempt.store_id, attempt.engine
    is_released = attempt.state is not None
    return (
        (
            "namespace",
            "NamespaceReady",
            f"namespace {attempt.namespace}",
            lambda: ensure_namespace(kube, attempt.store),
        ),
        (
            "guardrails",
            "GuardrailsReady",
            "quota, limits, network policies",
            lambda: ensure_isolation(kube, context.settings, store_id),
        ),
        (
            "credentials",
            "CredentialsReady",
            "admin account and keys",
            lambda: ensure_credentials(kube, store_id, engine, is_released=is_released),
        ),
    )


async def _keep_foundation(context: Context, attempt: Attempt) -> None:
    """Bring the guardrails up to date with the platform's settings, and put back what somebody else changed."""
    digest = isolation_digest(context.settings, attempt.store_id)
    if attempt.draft.status.get("guardrails") != digest:
        why, kind, level = "the platform's limits were changed and applied", "GuardrailsUpdated", "info"
    else:
        why, kind, level = restore_foundation(context, attempt), "DriftCorrected", "warning"
    if not why:
        return
    draft = attempt.draft
    for step, _, _, work in _foundation(context, attempt):
        draft.inventory = with_applied(draft.inventory, await _named(step, work()))
        attempt.memory.act()
    draft.status["guardrails"] = digest
    draft.event(kind, why, level="warning" if level == "warning" else "info", step="guardrails")
    await context.write(draft)


async def _fail(context: Context, store: Object, draft: StatusDraft, error: StepError) -> None:
    context.limiter.release(store["spec"]["storeId"])
    FAILURES.labels(_class_of(error)).inc()
    if isinstance(error, ConfigurationError | BlockedError):
        draft.fail(error)
    else:
        _retry_later(context, store, draft, error)
    await context.write(draft)


def _class_of(error: StepError) -> str:
    match error:
        case ConfigurationError():
            return "configuration"
        case BlockedError():
            return "blocked"
    return "transient"


def _retry_later(context: Context, store: Object, draft: StatusDraft, error: StepError) -> None:
    attempts = int(draft.status.get("attempts", 1))
    wait = backoff_seconds(attempts)
    draft.status["attempts"] = attempts + 1
    draft.error(error, retry_at=datetime.now(UTC) + timedelta(seconds=wait))
    draft.event("AttemptFailed", error.message, level="warning", step=error.step)
    if draft.seconds_left() <= 0:
        draft.stalled(error)
    context.queue.add_later(store["spec"]["storeId"], wait)


async def _named(step: str, work: Awaitable[Applied]) -> Applied:
    """Await a step, its cluster errors told as errors of that step."""
    try:
        return await work
    except ClusterError as error:
        # 403 is also what a namespace on its way out and a webhook in trouble answer; those pass.
        is_final = error.status in (400, 422) or (error.status == 403 and "terminat" not in error.message)
        kind = ConfigurationError if is_final else TransientError
        raise kind(error.message, step=step, reason=error.reason or "ClusterError") from error
