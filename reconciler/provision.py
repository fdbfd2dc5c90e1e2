"""A provision, looked at from the top each time: what is missing next, and do that.

    start (if asked for) -> namespace -> guardrails -> credentials -> release -> health -> Ready

Every step writes what it does to the status before and after, so that people see it live. A step that has to wait
(for a Helm slot, for pods, for a retry) ends the reconcile; whatever it waits for wakes the store again.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reconciler.chart import DesiredRelease, desired_release
from reconciler.engines import ENGINES
from reconciler.foundation import ensure_credentials, ensure_guardrails, ensure_namespace
from reconciler.health import Health, observe
from reconciler.release import ReleaseState, unlock
from reconciler.resources import Object, uid_of
from urumi.errors import (
    BlockedError,
    ClusterError,
    ConfigurationError,
    ProvisionTimeout,
    StepError,
    TransientError,
)
from urumi.store import STORE_ID_LABEL, Engine, namespace_name, release_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reconciler.context import Context
    from reconciler.status import StatusDraft

RETRY_FIRST_SECONDS = 2.0
RETRY_MOST_SECONDS = 300.0
LOCK_LOOK_SECONDS = 2.0
HELM_KILL_MARGIN_SECONDS = 30.0


@dataclass(slots=True)
class Attempt:
    """One look at one store."""

    store: Object
    draft: StatusDraft
    desired: DesiredRelease
    state: ReleaseState | None
    in_sync: bool

    @property
    def store_id(self) -> str:
        """Return the store's id."""
        return str(self.store["spec"]["storeId"])

    @property
    def engine(self) -> Engine:
        """Return the store's engine."""
        return Engine(self.store["spec"]["engine"])


async def provision(context: Context, store: Object, draft: StatusDraft) -> None:
    """Take a store as far towards Ready as it can go now."""
    try:
        desired = desired_release(context.settings, store["spec"])
        state = context.view.release(store["spec"]["storeId"], _release(store))
        attempt = Attempt(store, draft, desired, state, context.is_released(store, state, desired.digest))
        await _begin(context, attempt)
        if draft.retry_in_seconds() > 0:
            _come_back(context, attempt, draft.retry_in_seconds())
            return
        if draft.is_true("Stalled") and not attempt.in_sync:
            return
        draft.status.pop("nextRetryAt", None)
        await _advance(context, attempt)
    except StepError as error:
        await _fail(context, store, draft, error)


async def _begin(context: Context, attempt: Attempt) -> None:
    draft, digest = attempt.draft, attempt.desired.digest
    why = draft.new_request(digest)
    if not why and draft.is_true("Released") and not attempt.in_sync:
        why = "what is released is not what should be"
    if why:
        context.forget(uid_of(attempt.store))
        draft.start(why, digest, context.settings.max_provision_seconds)
        draft.status |= context.addresses(attempt.store)
        await context.write(draft)


async def _advance(context: Context, attempt: Attempt) -> None:
    uid = uid_of(attempt.store)
    if not (attempt.in_sync and attempt.draft.is_true("Released")) and uid not in context.founded:
        await _found(context, attempt)
        context.founded.add(uid)
    if not attempt.in_sync and not await _release_chart(context, attempt):
        return
    if attempt.in_sync and not attempt.draft.is_true("Released"):
        # A release made by a process that died before it could say so.
        _released(attempt, attempt.state.revision if attempt.state else 0)
    context.slots.leave(attempt.store_id)
    await _judge(context, attempt)


async def _found(context: Context, attempt: Attempt) -> None:
    kube, store_id = context.kube, attempt.store_id
    steps: tuple[tuple[str, str, str, Callable[[], Awaitable[None]]], ...] = (
        (
            "namespace",
            "NamespaceReady",
            f"namespace {namespace_name(store_id)}",
            lambda: ensure_namespace(kube, attempt.store),
        ),
        (
            "guardrails",
            "GuardrailsReady",
            "quota, limits, network policies",
            lambda: ensure_guardrails(kube, context.settings, store_id),
        ),
        (
            "credentials",
            "CredentialsReady",
            "admin account and keys",
            lambda: ensure_credentials(kube, store_id, attempt.engine),
        ),
    )
    for step, event, message, work in steps:
        attempt.draft.progress(step, message)
        began = time.monotonic()
        await _named(step, work())
        attempt.draft.event_once(event, message, step=step, seconds=time.monotonic() - began)
        await context.write(attempt.draft)


async def _release_chart(context: Context, attempt: Attempt) -> bool:
    """Release the chart; False where the store has to wait for its turn or for a lock."""
    if attempt.state is not None and attempt.state.is_pending and not await _unlocked(context, attempt, attempt.state):
        return False
    draft = attempt.draft
    if not context.slots.take(attempt.store_id):
        draft.waiting_for_slot(context.slots.ahead_of(attempt.store_id), context.slots.limit)
        await context.write(draft)
        return False
    release, version = _release(attempt.store), attempt.desired.chart_version
    # The time in line does not count: the provision has its whole time from here.
    draft.set_deadline(context.settings.max_provision_seconds)
    draft.releasing()
    draft.progress("release", f"helm installs chart {attempt.engine.value} {version}")
    draft.event_once("HelmInstallStarted", f"release {release}, chart {version}", step="release")
    await context.write(draft)
    began = time.monotonic()
    revision = await _run_helm(context, attempt, release)
    context.released[uid_of(attempt.store)] = (revision, attempt.desired.digest)
    _released(attempt, revision, time.monotonic() - began)
    await context.write(draft)
    return True


async def _run_helm(context: Context, attempt: Attempt, release: str) -> int:
    desired, seconds = attempt.desired, context.settings.helm_timeout_seconds
    labels = {STORE_ID_LABEL: attempt.store_id, "urumi.ai/digest": desired.digest}
    try:
        async with asyncio.timeout(seconds + HELM_KILL_MARGIN_SECONDS):
            return await context.helm.install(
                release, namespace_name(attempt.store_id), desired.chart_dir, desired.values, labels
            )
    except TimeoutError as error:
        raise TransientError(
            f"helm did not finish release {release} within {seconds:.0f} s and was stopped",
            step="release",
            reason="HelmTimeout",
        ) from error
    finally:
        context.slots.leave(attempt.store_id)


def _released(attempt: Attempt, revision: int, seconds: float | None = None) -> None:
    draft, desired = attempt.draft, attempt.desired
    draft.released(revision, desired.chart_version, desired.digest)
    draft.event_once("HelmInstalled", f"revision {revision} is deployed", step="release", seconds=seconds)


async def _unlocked(context: Context, attempt: Attempt, state: ReleaseState) -> bool:
    namespace = namespace_name(attempt.store_id)
    lock_seconds = context.settings.helm_lock_seconds
    if state.age_seconds() >= lock_seconds and await unlock(context.kube, namespace, state):
        attempt.draft.event(
            "ReleaseUnlocked",
            f"revision {state.revision} was left {state.status}; marked failed, nothing was uninstalled",
            level="warning",
            step="release",
        )
        return True
    attempt.draft.progress("release", f"another helm left revision {state.revision} {state.status}, waiting for it")
    await context.write(attempt.draft)
    _come_back(context, attempt, LOCK_LOOK_SECONDS)
    return False


async def _judge(context: Context, attempt: Attempt) -> None:
    """Say what the workloads are like: Ready, waiting, Degraded, or out of time."""
    draft, spec = attempt.draft, ENGINES[attempt.engine]
    health = observe(spec, attempt.desired.digest, context.view.observed(attempt.store_id))
    if health.is_healthy:
        _say_ready(context, attempt, health)
    elif "readyAt" in draft.status:
        _say_degraded(draft, health)
    else:
        _wait_or_fail(context, attempt, health)
    await context.write(draft)


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
        _come_back(context, attempt, left)
    else:
        draft.still_unhealthy(health.sentence)
        _stall(draft, _timeout(health, context.settings.max_provision_seconds))


def _timeout(health: Health, limit_seconds: float) -> ProvisionTimeout:
    return ProvisionTimeout(
        f"not ready within {limit_seconds:.0f} s: {health.sentence}",
        step="health",
        reason=health.reason,
        hint="It becomes Ready by itself when its workloads do; fix the cause, retry, or delete the store.",
    )


async def _fail(context: Context, store: Object, draft: StatusDraft, error: StepError) -> None:
    context.slots.leave(store["spec"]["storeId"])
    if isinstance(error, ConfigurationError | BlockedError):
        _stall(draft, error)
    else:
        _retry_later(context, store, draft, error)
    await context.write(draft)


def _stall(draft: StatusDraft, error: StepError) -> None:
    if draft.is_true("Stalled"):
        return
    draft.error(error, retry_at=None)
    draft.stalled(error)
    draft.event("Failed", error.message, level="error", step=error.step)


def _retry_later(context: Context, store: Object, draft: StatusDraft, error: StepError) -> None:
    attempts = int(draft.status.get("attempts", 1))
    wait = min(RETRY_MOST_SECONDS, RETRY_FIRST_SECONDS * 2 ** min(attempts - 1, 10))
    wait *= random.uniform(0.8, 1.2)  # noqa: S311 - jitter
    draft.status["attempts"] = attempts + 1
    draft.error(error, retry_at=datetime.now(UTC) + timedelta(seconds=wait))
    draft.event("AttemptFailed", error.message, level="warning", step=error.step)
    if draft.seconds_left() <= 0:
        draft.stalled(error)
    context.queue.add_later(store["spec"]["storeId"], wait)


def _come_back(context: Context, attempt: Attempt, seconds: float) -> None:
    context.queue.add_later(attempt.store_id, seconds)


async def _named(step: str, work: Awaitable[None]) -> None:
    """Await a step, its cluster errors told as errors of that step."""
    try:
        await work
    except ClusterError as error:
        kind = ConfigurationError if error.status in (400, 403, 422) else TransientError
        raise kind(error.message, step=step, reason=error.reason or "ClusterError") from error


def _release(store: Object) -> str:
    return release_name(Engine(store["spec"]["engine"]), store["spec"]["storeId"])
