"""The release step: one Helm process in one slot.

The step ends without a release while the store waits for a slot or for a lock; the concurrency limiter or the queue
brings it back.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from reconciler.helm.labels import DIGEST_KEY, EPOCH_KEY
from reconciler.steps.unlock_release import unlock_release
from urumi.errors import TransientError
from urumi.store import STORE_ID_LABEL

if TYPE_CHECKING:
    from reconciler.reconcile.context import Context
    from reconciler.reconcile.request import ReconcileRequest

QUOTA_SECONDS = 10.0
HELM_KILL_MARGIN_SECONDS = 30.0


async def install_release(context: Context, request: ReconcileRequest) -> bool:
    """Deploy the desired release; return False if the store waits for a slot or a lock.

    After True, the draft is changed and not yet written.

    Raises:
        ConfigurationError: Helm cannot succeed until the spec, the chart or the settings change.
        TransientError: Helm failed, or did not finish in time.
    """
    store, draft, desired, observed = request.store, request.draft, request.desired, request.observed_release
    if observed is not None and observed.is_pending and not await unlock_release(context, request, observed):
        return False
    if not await context.view.wait_for_quota(store.store_id, QUOTA_SECONDS):
        # A cluster without a quota controller does not block the release.
        draft.timeline.add(
            "QuotaNotInForce",
            f"quota not in force after {QUOTA_SECONDS:.0f} s: the cluster has not counted it, so it limits nothing yet",
            level="warning",
            step="guardrails",
        )
    if not context.limiter.acquire(store.store_id):
        draft.set_waiting_for_slot(context.limiter.limit)
        await context.write(draft)
        return False
    # Time in the queue does not count: the provision has its full time from here.
    draft.set_deadline(context.settings.max_provision_seconds)
    verb = "installing" if observed is None else "upgrading to"
    draft.set_releasing(f"{verb} chart {store.engine.value} {desired.chart_version} with Helm")
    draft.timeline.add_once(
        "HelmInstallStarted", f"release {store.release_name}, chart {desired.chart_version}", step="release"
    )
    await context.write(draft)
    began = time.monotonic()
    revision = await _run_helm(context, request)
    request.term_state.revision, request.term_state.digest = revision, desired.digest
    request.term_state.note_write()
    report_released(request, revision, time.monotonic() - began)
    return True


def report_released(request: ReconcileRequest, revision: int, seconds: float | None = None) -> None:
    """Report the desired release as deployed; `seconds` is how long Helm took, None if it ran in an earlier process."""
    desired = request.desired
    request.draft.set_released(revision, desired.chart_version, desired.digest)
    request.draft.timeline.add_once(
        "HelmInstalled", f"revision {revision} is deployed", step="release", seconds=seconds
    )


async def _run_helm(context: Context, request: ReconcileRequest) -> int:
    store, desired, seconds = request.store, request.desired, context.settings.helm_timeout_seconds
    labels = {
        STORE_ID_LABEL: store.store_id,
        DIGEST_KEY: desired.digest,
        EPOCH_KEY: str(context.leader_term.fencing_token),
    }
    try:
        async with asyncio.timeout(seconds + HELM_KILL_MARGIN_SECONDS):
            return await context.helm.install(
                store.release_name, store.namespace, desired.chart_dir, desired.values, labels
            )
    except TimeoutError as error:
        raise TransientError(
            f"helm timed out: release {store.release_name} was not deployed within {seconds:.0f} s; "
            "the Helm process was stopped",
            step="release",
            reason="HelmTimeout",
        ) from error
    finally:
        context.limiter.release(store.store_id)
