"""Stores and events as the server sends them, for the tests of its clients."""

from datetime import UTC, datetime, timedelta
from typing import Any

from urumi.wire import Store, StoreEvent

START = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def make_store(store_id: str = "shop-1", phase: str = "Ready", **fields: Any) -> Store:
    """Return a store of that phase."""
    engine = fields.pop("engine", "woocommerce")
    given = {
        "store_id": store_id,
        "uid": f"uid-of-{store_id}",
        "engine": engine,
        "phase": phase,
        "generation": 1,
        "observed_generation": 1,
        "namespace": f"store-{store_id}",
        "release_name": f"{engine}-{store_id}",
        "url": f"http://{store_id}.127.0.0.1.nip.io",
        "created_at": START,
        **fields,
    }
    return Store.model_validate(given)


def provisioning(store_id: str = "shop-1", message: str = "waiting for wordpress 0/1", **fields: Any) -> Store:
    """Return a store that is waiting for its workloads."""
    progress = {"step": "health", "index": 5, "total": 5, "message": message}
    return make_store(store_id, "Provisioning", progress=progress, **fields)


def failed(store_id: str = "shop-1", **fields: Any) -> Store:
    """Return a store whose provision failed."""
    error = {"step": "health", "reason": "ImagePullBackOff", "message": "no image", "hint": "Check the image."}
    return make_store(store_id, "Failed", last_error=error, **fields)


def event(kind: str, message: str = "", *, at: float = 0.0, **fields: Any) -> StoreEvent:
    """Return an event that happened `at` seconds after the start."""
    return StoreEvent.model_validate(
        {"type": kind, "message": message, "timestamp": START + timedelta(seconds=at), **fields}
    )


def many_stores(count: int) -> list[Store]:
    """Return that many stores, most of them Ready, created one second apart, the newest last."""
    phases = ["Ready"] * 7 + ["Provisioning", "Failed", "Pending"]
    return [
        make_store(
            f"shop-{number:05}",
            phases[number % len(phases)],
            created_at=START + timedelta(seconds=number),
            engine="medusa" if number % 3 == 0 else "woocommerce",
            events=[event("HelmInstallStarted", "helm upgrade --install", at=number, step="release")],
        )
        for number in range(count)
    ]
