"""Stores for the tests of the page: created now, and with the address of the shop's admin."""

from datetime import UTC, datetime
from typing import Any

import testing.stores
from testing.stores import event
from urumi.wire import Store


def make_store(store_id: str, phase: str = "Ready", **fields: Any) -> Store:
    """Return a store of that phase, created now unless the fields say otherwise."""
    given = {
        "admin_url": f"http://{store_id}.127.0.0.1.nip.io/wp-admin/",
        "created_at": datetime.now(UTC),
        "attempts": 1,
        **fields,
    }
    return testing.stores.make_store(store_id, phase, **given)


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
