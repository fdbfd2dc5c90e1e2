"""A deletion, evaluated from the start on every reconcile: uninstall, delete the namespace, remove the finalizer.

Each part may already be gone. A failed uninstall does not stop a deletion, because deleting the namespace removes the
objects of the release. A namespace that does not belong to the store is not changed. The finalizer is removed when the
namespace is gone. If the namespace stays, the conditions name what blocks it, and the deletion ends as soon as that is
removed.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.kube.resources import (
    CLAIMS,
    DEPLOYMENTS,
    NAMESPACES,
    STATEFUL_SETS,
    is_deleting,
    uid_of,
)
from reconciler.steps.ensure_namespace import belongs_to
from reconciler.steps.finalizer import remove_finalizer
from urumi.errors import StepError
from urumi.store import FINALIZER

if TYPE_CHECKING:
    from reconciler.reconcile.context import Context
    from reconciler.store.draft import StatusDraft
    from reconciler.store.object import StoreObject

CHECK_SECONDS = 2.0
POD_SECONDS = 60.0


async def delete(context: Context, store: StoreObject, draft: StatusDraft) -> None:
    """Advance the deletion of a store as far as it can go now."""
    if FINALIZER not in store.finalizers:
        return
    namespace = await context.kube.get(NAMESPACES, store.namespace)
    if namespace is None or not belongs_to(namespace, store):
        context.forget(store)
        await remove_finalizer(context, draft.store)
        return
    if not draft.timeline.has("Deleting"):
        draft.start_deletion(f"deleting namespace {store.namespace} and everything in it")
        await context.write(draft)
    if not is_deleting(namespace):
        if not await _uninstall(context, store, draft) or not await _has_no_pods(context, store, draft):
            return
        await context.kube.delete(NAMESPACES, store.namespace, uid=uid_of(namespace))
        draft.timeline.add_once("NamespaceDeleting", f"namespace {store.namespace} is terminating", step="namespace")
    # Kubernetes names what blocks a namespace in conditions that are True.
    blockers = [
        str(condition.get("message", ""))
        for condition in (namespace.get("status") or {}).get("conditions") or ()
        if condition["status"] == "True"
    ]
    cause = f": {'; '.join(blockers)}" if blockers else ""
    if blockers and _seconds_since_request(store) >= context.settings.deletion_patience_seconds:
        draft.set_deletion_blocked("namespace", f"deletion of namespace {store.namespace} blocked{cause}")
    else:
        draft.set_deleting("namespace", f"waiting for namespace {store.namespace} to be deleted{cause}")
    await context.write(draft)
    context.queue.add_later(store.store_id, CHECK_SECONDS)


async def _uninstall(context: Context, store: StoreObject, draft: StatusDraft) -> bool:
    """Uninstall the release; return False if the store waits for a slot."""
    store_id, release, term_state = store.store_id, store.release_name, context.term_state(store)
    # A release that this process has just installed may not be in the informer yet.
    is_new = term_state.revision and term_state.settles_in_seconds()
    if context.view.release(store_id, release) is None and not is_new:
        context.limiter.release(store_id)
        return True
    if not context.limiter.acquire(store_id):
        limit = context.limiter.limit
        draft.set_deleting("uninstall", f"waiting for a free slot to uninstall the release (all {limit} in use)")
        await context.write(draft)
        return False
    began = time.monotonic()
    try:
        await context.helm.uninstall(release, store.namespace)
    except StepError as error:
        draft.timeline.add(
            "UninstallFailed",
            f"{error.message}; deleting the namespace removes the objects of the release",
            level="warning",
            step="uninstall",
        )
    else:
        seconds = time.monotonic() - began
        draft.timeline.add_once(
            "ReleaseUninstalled", f"release {release} uninstalled", step="uninstall", seconds=seconds
        )
    finally:
        context.limiter.release(store_id)
    term_state.revision = 0
    return True


async def _has_no_pods(context: Context, store: StoreObject, draft: StatusDraft) -> bool:
    """Return whether the pods are gone or their time is over; volume claims go with the last pod that uses them.

    Kubernetes empties a namespace in rounds that are many seconds apart; one without pods is deleted in the first.
    """
    # The uninstall keeps the claims, and nothing is uninstalled if the release was already gone.
    for resource in (DEPLOYMENTS, STATEFUL_SETS, CLAIMS):
        await context.kube.delete_all(resource, store.namespace)
    count = len(context.view.observed(store.store_id).pods)
    if not count or _seconds_since_request(store) > POD_SECONDS:
        return True
    draft.set_deleting("uninstall", f"waiting for {count} {'pod' if count == 1 else 'pods'} to terminate")
    await context.write(draft)
    context.queue.add_later(store.store_id, CHECK_SECONDS)
    return False


def _seconds_since_request(store: StoreObject) -> float:
    return (datetime.now(UTC) - store.deletion_requested_at).total_seconds()
