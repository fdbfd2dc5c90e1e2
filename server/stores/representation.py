"""A Store object as callers see it: the custom resource flattened into the wire model's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.store.object import status_of
from urumi.store import Engine, Phase, namespace_name, release_name

if TYPE_CHECKING:
    from reconciler.kube.resources import Object

_FROM_STATUS = (
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


def store_view(store: Object) -> dict[str, Any]:
    """Return a store in the shape of `urumi.wire.Store`, absent fields left out."""
    meta, spec, status = store["metadata"], store["spec"], status_of(store)
    view: dict[str, Any] = {
        "storeId": spec["storeId"],
        "uid": meta["uid"],
        "engine": spec["engine"],
        "phase": phase_of(store),
        "generation": meta.get("generation", 0),
        "namespace": namespace_name(spec["storeId"]),
        "releaseName": release_name(Engine(spec["engine"]), spec["storeId"]),
        "createdAt": meta["creationTimestamp"],
    }
    view |= {name: status[name] for name in _FROM_STATUS if name in status}
    if "deletionTimestamp" in meta:
        view["deletionRequestedAt"] = meta["deletionTimestamp"]
    if spec.get("requestedBy"):
        view["requestedBy"] = spec["requestedBy"]
    return view


def phase_of(store: Object) -> str:
    """Return the phase; a store that the reconciler has not looked at yet is Pending."""
    if "deletionTimestamp" in store["metadata"]:
        return Phase.DELETING.value
    return str((store.get("status") or {}).get("phase") or Phase.PENDING.value)
