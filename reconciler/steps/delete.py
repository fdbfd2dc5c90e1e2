"""A deletion, looked at from the top each time: uninstall the release, delete the namespace, let the object go.

Each part may already be gone. A failing uninstall does not stop a deletion, since the namespace takes everything of
the release with it. A namespace that is not the store's is left alone. The finalizer goes last, when the namespace is
seen gone; when it does not go, the conditions name what holds it up, and the deletion ends as soon as that is away.
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
    STORES,
    Object,
    is_deleting,
    name_of,
    uid_of,
)
from reconciler.steps.ensure_namespace import is_ours
from urumi.errors import ClusterError, StepError
from urumi.store import FINALIZER, Engine, namespace_name, release_name
from urumi.timestamps import parse_timestamp

if TYPE_CHECKING:
    from reconciler.steps.context import Context
    from reconciler.store.status import StatusDraft

LOOK_SECONDS = 2.0
EMPTYING_SECONDS = 60.0


async def delete(context: Context, store: Object, draft: StatusDraft) -> None:
    """Take a store's deletion as far as it can go now."""
    if FINALIZER not in (store["metadata"].get("finalizers") or ()):
        return
    name = namespace_name(store["spec"]["storeId"])
    namespace = await context.kube.get(NAMESPACES, name)
    if namespace is None or not is_ours(namespace, store):
        await _let_go(context, draft)
        return
    await _announce(context, draft, f"namespace {name} and everything in it")
    if not is_deleting(namespace):
        if not await _uninstall(context, store, draft) or not await _emptied(context, store, draft):
            return
        await context.kube.delete(NAMESPACES, name, uid=uid_of(namespace))
        draft.event_once("NamespaceDeleting", f"namespace {name} is being deleted", step="namespace")
    _say_waiting(context, store, draft, namespace)
    await context.write(draft)
    context.queue.add_later(store["spec"]["storeId"], LOOK_SECONDS)


async def _announce(context: Context, draft: StatusDraft, what: str) -> None:
    if any(event["type"] == "Deleting" for event in draft.status.get("events") or ()):
        return
    for name in ("lastError", "nextRetryAt"):
        draft.status.pop(name, None)
    draft.deleting("uninstall", f"deleting {what}")
    draft.event("Deleting", f"deleting {what}")
    await context.write(draft)


async def _uninstall(context: Context, store: Object, draft: StatusDraft) -> bool:
    """Uninstall the release; False where the store has to wait for its turn."""
    store_id = store["spec"]["storeId"]
    release = release_name(Engine(store["spec"]["engine"]), store_id)
    memory = context.memory(store)
    if context.view.release(store_id, release) is None and not (memory.revision and memory.settles_in_seconds()):
        context.limiter.release(store_id)
        return True
    if not context.limiter.acquire(store_id):
        draft.deleting("uninstall", f"waiting for one of {context.limiter.limit} slots for helm uninstall")
        await context.write(draft)
        return False
    began = time.monotonic()
    try:
        await context.helm.uninstall(release, namespace_name(store_id))
    except StepError as error:
        draft.event(
            "UninstallFailed", f"{error.message}; the namespace takes it along", level="warning", step="uninstall"
        )
    else:
        seconds = time.monotonic() - began
        draft.event_once("ReleaseUninstalled", f"release {release} is gone", step="uninstall", seconds=seconds)
    finally:
        context.limiter.release(store_id)
    memory.revision = 0
    return True


async def _emptied(context: Context, store: Object, draft: StatusDraft) -> bool:
    """Return whether the pods are gone, or have had their time; volume claims go with the last pod that uses them.

    Kubernetes deletes a namespace that still holds them in rounds of many seconds; an empty one goes in the first.
    """
    store_id = store["spec"]["storeId"]
    # The uninstall leaves the claims, and leaves everything where the release was gone already.
    for resource in (DEPLOYMENTS, STATEFUL_SETS, CLAIMS):
        await context.kube.delete_all(resource, namespace_name(store_id))
    count = len(context.view.observed(store_id).pods)
    asked_at = parse_timestamp(store["metadata"]["deletionTimestamp"])
    if not count or (datetime.now(UTC) - asked_at).total_seconds() > EMPTYING_SECONDS:
        return True
    draft.deleting("uninstall", f"waiting for {count} {'pod' if count == 1 else 'pods'} to end")
    await context.write(draft)
    context.queue.add_later(store_id, LOOK_SECONDS)
    return False


async def _let_go(context: Context, draft: StatusDraft) -> None:
    """Take our finalizer off; the API server then removes the object."""
    context.forget(draft.store)
    meta = draft.store["metadata"]
    kept = [finalizer for finalizer in meta.get("finalizers") or () if finalizer != FINALIZER]
    patch = {"metadata": {"finalizers": kept, "resourceVersion": meta["resourceVersion"]}}
    try:
        await context.kube.merge(STORES, meta["name"], patch, meta["namespace"])
    except ClusterError as error:
        if error.status != 404:
            raise


def _say_waiting(context: Context, store: Object, draft: StatusDraft, namespace: Object) -> None:
    """Say that the namespace is waited for; where that takes too long, that it is blocked and by what."""
    name, remains = name_of(namespace), _remains(namespace)
    waited_seconds = (datetime.now(UTC) - parse_timestamp(store["metadata"]["deletionTimestamp"])).total_seconds()
    if not remains or waited_seconds < context.settings.deletion_patience_seconds:
        draft.deleting("namespace", f"waiting for namespace {name} to go{remains}")
        return
    blocker = f"namespace {name} does not go{remains}"
    if not draft.is_true("Stalled"):
        draft.event("DeletionBlocked", blocker, level="error", step="namespace")
    draft.deletion_blocked("namespace", blocker)


def _remains(namespace: Object) -> str:
    # Kubernetes itself says what holds a namespace up, in conditions that are True while something does.
    words = [
        str(condition.get("message", ""))
        for condition in (namespace.get("status") or {}).get("conditions") or ()
        if condition["status"] == "True"
    ]
    return f": {'; '.join(words)}" if words else ""
