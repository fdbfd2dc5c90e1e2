"""The isolation step, named `guardrails` in the API: quota, default limits and network policies of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.store.isolation import isolation_objects

if TYPE_CHECKING:
    from reconciler.kube.client import Kube
    from reconciler.kube.resources import Object
    from reconciler.settings import Settings
    from reconciler.store.object import StoreObject


async def ensure_isolation(kube: Kube, settings: Settings, store: StoreObject) -> list[Object]:
    """Apply quota, limits and network policies; return them for the inventory."""
    return [
        await kube.apply(resource, item, namespace=store.namespace)
        for resource, item in isolation_objects(settings, store.store_id)
    ]
