"""The finalizer of a Store: added before the first object is created, removed after the last one is gone."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from reconciler.kube.resources import STORES
from reconciler.store.object import StoreObject
from urumi.errors import ClusterNotFound
from urumi.store import FINALIZER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.kube.resources import Object
    from reconciler.reconcile.context import Context


async def ensure_finalizer(context: Context, store: StoreObject) -> StoreObject:
    """Add our finalizer to a store that does not have it, and return the store with it.

    Raises:
        ClusterError: the store changed since it was read (409), or the API server refused the patch.
    """
    if FINALIZER in store.finalizers:
        return store
    patch = _patch(store, [*store.finalizers, FINALIZER])
    patched = await context.kube.merge(STORES, store.name, patch, store.platform_namespace)
    context.view.stores.remember(patched)
    return StoreObject(patched)


async def remove_finalizer(context: Context, store: StoreObject) -> None:
    """Remove our finalizer, so that the API server removes the store; one that no longer exists is not an error."""
    patch = _patch(store, [finalizer for finalizer in store.finalizers if finalizer != FINALIZER])
    with contextlib.suppress(ClusterNotFound):
        await context.kube.merge(STORES, store.name, patch, store.platform_namespace)


def _patch(store: StoreObject, finalizers: Sequence[str]) -> Object:
    return {"metadata": {"finalizers": list(finalizers), "resourceVersion": store.resource_version}}
