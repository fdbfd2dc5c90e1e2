"""The release step: one Helm process in one slot, and what to do about a release that another Helm left locked."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.helm.release import EPOCH_KEY, ReleaseState, unlock
from reconciler.store.desired import DIGEST_KEY
from reconciler.store.status import RELEASING
from urumi.errors import TransientError
from urumi.store import STORE_ID_LABEL

if TYPE_CHECKING:
    from reconciler.steps.context import Context
    from reconciler.steps.request import Attempt

LOCK_LOOK_SECONDS = 2.0
QUOTA_SECONDS = 10.0
HELM_KILL_MARGIN_SECONDS = 30.0


async def install(context: Context, attempt: Attempt) -> bool:
    """Release the chart, the draft is yet to be written; False where the store waits for its turn or for a lock."""
    if attempt.state is not None and attempt.state.is_pending and not await _unlocked(context, attempt, attempt.state):
        return False
    await _wait_for_quota(context, attempt)
    draft = attempt.draft
    if not context.limiter.acquire(attempt.store_id):
        draft.waiting_for_slot(context.limiter.limit)
        await context.write(draft)
        return False
    version = attempt.desired.chart_version
    # The time in line does not count: the provision has its whole time from here.
    draft.set_deadline(context.settings.max_provision_seconds)
    draft.releasing()
    draft.progress("release", f"helm installs chart {attempt.engine.value} {version}")
    draft.event_once("HelmInstallStarted", f"release {attempt.release}, chart {version}", step="release")
    await context.write(draft)
    began = time.monotonic()
    revision = await _run_helm(context, attempt)
    attempt.memory.revision, attempt.memory.digest = revision, attempt.desired.digest
    attempt.memory.act()
    _released(attempt, revision, time.monotonic() - began)
    return True


async def _wait_for_quota(context: Context, attempt: Attempt) -> None:
    """Wait until the store's quota limits what Helm makes; a cluster that does not count it holds nothing up."""
    with suppress(TimeoutError):
        async with asyncio.timeout(QUOTA_SECONDS):
            await context.view.quotas.until(lambda: context.view.has_quota_in_force(attempt.store_id))
        return
    attempt.draft.event(
        "QuotaNotInForce",
        f"the cluster has not counted the store's quota in {QUOTA_SECONDS:.0f} s; it limits nothing until then",
        level="warning",
        step="guardrails",
    )


def adopt_release(attempt: Attempt) -> None:
    """Say that exactly what should be is released, whoever did it."""
    _released(attempt, attempt.state.revision if attempt.state else attempt.memory.revision)


def _released(attempt: Attempt, revision: int, seconds: float | None = None) -> None:
    draft, desired = attempt.draft, attempt.desired
    draft.released(revision, desired.chart_version, desired.digest)
    draft.event_once("HelmInstalled", f"revision {revision} is deployed", step="release", seconds=seconds)


async def _run_helm(context: Context, attempt: Attempt) -> int:
    desired, seconds = attempt.desired, context.settings.helm_timeout_seconds
    labels = {
        STORE_ID_LABEL: attempt.store_id,
        DIGEST_KEY: desired.digest,
        EPOCH_KEY: str(context.leader_term.epoch),
    }
    try:
        async with asyncio.timeout(seconds + HELM_KILL_MARGIN_SECONDS):
            return await context.helm.install(
                attempt.release, attempt.namespace, desired.chart_dir, desired.values, labels
            )
    except TimeoutError as error:
        raise TransientError(
            f"helm did not finish release {attempt.release} within {seconds:.0f} s and was stopped",
            step="release",
            reason="HelmTimeout",
        ) from error
    finally:
        context.limiter.release(attempt.store_id)


async def _unlocked(context: Context, attempt: Attempt, state: ReleaseState) -> bool:
    if _has_dead_writer(context, attempt, state) and await unlock(context.kube, attempt.namespace, state):
        attempt.draft.event(
            "ReleaseUnlocked",
            f"revision {state.revision} was left {state.status}; marked failed, nothing was uninstalled",
            level="warning",
            step="release",
        )
        return True
    attempt.draft.progress("release", f"another helm left revision {state.revision} {state.status}, waiting for it")
    await context.write(attempt.draft)
    context.queue.add_later(attempt.store_id, LOCK_LOOK_SECONDS)
    return False


def _has_dead_writer(context: Context, attempt: Attempt, state: ReleaseState) -> bool:
    """Return whether nobody works on a locked release any more.

    Ours of an earlier term is dead for certain: leadership passes on only after its Helm was killed. Of a revision that
    our status does not know (a person's Helm keeps our labels) only its age speaks.
    """
    was_ours = attempt.draft.reason("Released") == RELEASING
    if was_ours and state.epoch < context.leader_term.epoch:
        return True
    return state.age_seconds() >= context.settings.helm_lock_seconds
