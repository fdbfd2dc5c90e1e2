"""What a store is doing: its progress, its error, how long it has been so, and when it is retried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.model.phases import FAILING_PHASES, MOVING_PHASES
from tui.text.values import age, host_of
from urumi.store import Phase

if TYPE_CHECKING:
    from datetime import datetime

    from urumi.wire import Store

_IDLE_TEXTS = {Phase.PENDING: "waiting in the queue", Phase.DELETING: "deleting", Phase.DELETED: "deleted"}


def status_text(store: Store) -> str:
    """Return the state of a store in one line: its progress while it moves, its error, else its host."""
    if store.phase is Phase.READY:
        return host_of(store.url)
    if store.last_error and store.phase in FAILING_PHASES:
        return _joined(store.last_error.reason, store.last_error.message)
    if store.progress:
        return f"{store.progress.index}/{store.progress.total} {store.progress.message or store.progress.step}"
    if store.phase in _IDLE_TEXTS:
        return _IDLE_TEXTS[store.phase]
    for condition in store.conditions:
        if condition.type == "Ready" and condition.status != "True":
            return _joined(condition.reason, condition.message)
    return "" if store.phase in MOVING_PHASES else "no reason reported"


def since_text(store: Store, now: datetime) -> str:
    """Return how long a store has been Ready, or when it was requested."""
    if store.phase is Phase.READY and store.ready_at:
        return f"for {age((now - store.ready_at).total_seconds())}"
    if store.created_at:
        return f"requested {age((now - store.created_at).total_seconds())} ago"
    return ""


def attempt_text(store: Store, now: datetime) -> str:
    """Return which attempt failed and when the next one starts; empty if none failed."""
    if store.last_error is None or store.phase is Phase.READY:
        return ""
    parts = [f"attempt {store.attempts}" if store.attempts else ""]
    if store.next_retry_at and store.next_retry_at > now:
        parts.append(f"next in {age((store.next_retry_at - now).total_seconds())} (r retries now)")
    return ", ".join(filter(None, parts))


def _joined(reason: str, message: str) -> str:
    return ": ".join(filter(None, (reason, message)))
