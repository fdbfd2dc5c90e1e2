"""Values as words for the dashboard, in harmony with the page: names, counts, durations, times, what a store is at."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from urumi.store import Engine, Phase

if TYPE_CHECKING:
    from datetime import datetime

    from urumi.wire import Store

ENGINE_NAMES = {engine: engine.display_name for engine in Engine}
ENGINE_PARTS = {engine: engine.parts for engine in Engine}
SERVING_PHASES = frozenset({Phase.READY, Phase.DEGRADED})
MOVING_PHASES = frozenset({Phase.PENDING, Phase.PROVISIONING, Phase.DELETING})
FAILING_PHASES = frozenset({Phase.FAILED, Phase.DEGRADED})
NO_SHOP = "simulated containers: no shop answers"

_IDLE_WORDS = {Phase.PENDING: "waiting for its turn", Phase.DELETING: "being deleted", Phase.DELETED: "gone"}


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """Return a duration in at most two units, with tenths below ten seconds."""
    if seconds < 0.05:
        return "<0.1 s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _two_units(whole // 60, "min", whole % 60, "s")
    minutes = round(whole / 60)
    return _two_units(minutes // 60, "h", minutes % 60, "min")


def _two_units(many: int, unit: str, rest: int, rest_unit: str) -> str:
    return f"{many} {unit} {rest} {rest_unit}" if rest else f"{many} {unit}"


def age(seconds: float) -> str:
    """Return an age in its largest unit, for places where seconds would only flicker."""
    for unit, length in (("d", 2 * 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // min(length, 86400):.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def clock(at: datetime, now: datetime) -> str:
    """Return the local time of day, with the day where it is not today's."""
    local = at.astimezone()
    is_today = local.date() == now.astimezone().date()
    return f"{local:%H:%M:%S}" if is_today else f"{local.day} {local:%b %H:%M:%S}"


def web_address(address: str) -> str:
    """Return the address if a browser may follow it, else nothing: only http and https lead to a shop."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in ("http", "https") and parts.hostname else ""


def host_of(address: str) -> str:
    """Return the host and port of an address, or the text as it is."""
    return urlsplit(address).netloc if web_address(address) else address


def now_words(store: Store) -> str:
    """Return what goes on with a store in one line: its progress while it moves, its error, else its host."""
    if store.phase is Phase.READY:
        return host_of(store.url)
    if store.last_error and store.phase in FAILING_PHASES:
        return ": ".join(filter(None, (store.last_error.reason, store.last_error.message)))
    return progress_words(store) or _IDLE_WORDS.get(store.phase) or _not_ready_words(store)


def progress_words(store: Store) -> str:
    """Return how far a store is and what it waits for, or which step it is at where it waits for nothing."""
    progress = store.progress
    return f"{progress.index}/{progress.total} {progress.message or progress.step}" if progress else ""


def _not_ready_words(store: Store) -> str:
    for condition in store.conditions:
        if condition.type == "Ready" and condition.status != "True":
            return ": ".join(filter(None, (condition.reason, condition.message)))
    return "" if store.phase in MOVING_PHASES else "no reason was given"


def gone(store: Store) -> Store:
    """Return a store that is not there any more, as it was last seen."""
    return store.model_copy(update={"phase": Phase.DELETED, "progress": None, "last_error": None})


def since_words(store: Store, now: datetime) -> str:
    """Return for how long a store has been Ready, or when it was asked for."""
    if store.phase is Phase.READY and store.ready_at:
        return f"for {age((now - store.ready_at).total_seconds())}"
    if store.created_at:
        return f"asked for {age((now - store.created_at).total_seconds())} ago"
    return ""


def attempt_words(store: Store, now: datetime) -> str:
    """Return which attempt failed and when the next one is made; empty where none failed."""
    if store.last_error is None or store.phase is Phase.READY:
        return ""
    parts = [f"attempt {store.attempts}" if store.attempts else ""]
    if store.next_retry_at and store.next_retry_at > now:
        parts.append(f"next in {age((store.next_retry_at - now).total_seconds())}, r now")
    return ", ".join(filter(None, parts))
