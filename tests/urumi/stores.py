"""Stores and events made up for the tests of the urumi package."""

from datetime import UTC, datetime, timedelta
from typing import Any

from urumi.wire import Store, StoreEvent

START = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def make_store(store_id: str = "shop-1", phase: str = "Ready", **fields: Any) -> Store:
    """Return a store of that phase."""
    given = {
        "store_id": store_id,
        "uid": f"uid-of-{store_id}",
        "engine": "woocommerce",
        "phase": phase,
        "generation": 1,
        "observed_generation": 1,
        "namespace": f"store-{store_id}",
        "release_name": f"woocommerce-{store_id}",
        "url": f"http://{store_id}.127.0.0.1.nip.io",
        "created_at": START,
        **fields,
    }
    return Store.model_validate(given)


def provisioning(store_id: str = "shop-1", message: str = "waiting for wordpress 0/1", **fields: Any) -> Store:
    """Return a store that waits for its workloads."""
    progress = {"step": "health", "index": 5, "total": 5, "message": message}
    return make_store(store_id, "Provisioning", progress=progress, **fields)


def failed(store_id: str = "shop-1", **fields: Any) -> Store:
    """Return a store that did not come up."""
    error = {"step": "health", "reason": "ImagePullBackOff", "message": "no image", "hint": "Check the image."}
    return make_store(store_id, "Failed", last_error=error, **fields)


def event(kind: str, message: str = "", *, at: float = 0.0, **fields: Any) -> StoreEvent:
    """Return an event that happened `at` seconds after the start."""
    return StoreEvent.model_validate(
        {"type": kind, "message": message, "timestamp": START + timedelta(seconds=at), **fields}
    )
