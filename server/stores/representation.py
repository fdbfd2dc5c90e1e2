"""The representation of a store in the API: a Store object, flattened into the shape of the wire model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconciler.store.object import StoreObject

_STATUS_FIELDS = (
    "observedGeneration",
    "url",
    "adminUrl",
    "updatedAt",
    "readyAt",
    "attempts",
    "nextRetryAt",
    "simulated",
    "progress",
    "lastError",
    "release",
    "conditions",
    "events",
)


def store_view(store: StoreObject) -> dict[str, Any]:
    """Return a store in the shape of `urumi.wire.Store`, without absent fields."""
    status = store.status
    view: dict[str, Any] = {
        "storeId": store.store_id,
        "uid": store.uid,
        "engine": store.engine.value,
        "phase": store.phase,
        "generation": store.generation,
        "namespace": store.namespace,
        "releaseName": store.release_name,
        "createdAt": store.created_at,
    }
    view |= {name: status[name] for name in _STATUS_FIELDS if name in status}
    if store.is_deleting:
        view["deletionRequestedAt"] = store.deletion_timestamp
    if store.requested_by:
        view["requestedBy"] = store.requested_by
    return view
