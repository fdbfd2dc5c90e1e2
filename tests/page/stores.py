"""Stores as the page sees them, made up for its tests: one in each phase, and thousands where that matters."""

from datetime import UTC, datetime, timedelta
from typing import Any

from urumi.wire import Store

START = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def make_store(store_id: str, phase: str = "Ready", **fields: Any) -> Store:
    """Return a store of that phase, created now unless the fields say otherwise."""
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
        "admin_url": f"http://{store_id}.127.0.0.1.nip.io/wp-admin/",
        "created_at": datetime.now(UTC),
        "attempts": 1,
        **fields,
    }
    return Store.model_validate(given)


def event(kind: str, message: str = "", *, at: float = 0.0, **fields: Any) -> dict[str, Any]:
    """Return a timeline event that happened `at` seconds after the start."""
    return {"type": kind, "message": message, "timestamp": START + timedelta(seconds=at), **fields}


def hostile_store(store_id: str, text: str) -> Store:
    """Return a store whose every free text is `text`."""
    return make_store(
        store_id,
        "Failed",
        uid=text,
        namespace=text,
        release_name=text,
        url=f"javascript:{text}",
        admin_url=text,
        progress={"step": text, "index": 2, "total": 6, "message": text},
        last_error={"step": text, "reason": text, "message": text, "hint": text},
        release={"revision": 1, "chart_version": text, "digest": text},
        requested_by={"user": text, "ip": text, "user_agent": text},
        conditions=[{"type": text, "status": "False", "reason": text, "message": text}],
        events=[event(text, text, step=text, level="error", count=3)],
    )


def many_stores(count: int) -> list[Store]:
    """Return so many stores, most of them Ready, created a second apart, the last one newest."""
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
