"""A store in words: its row in a list, its block on its own, its line in a stream, and an event of its timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urumi.cli.table import table
from urumi.store import Phase
from urumi.text import SIMULATED, error_text, printable, progress_text, span
from urumi.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from urumi.wire import Condition, Store, StoreEvent

HEADING = ("NAME", "PHASE", "PROGRESS", "ENGINE", "URL", "AGE")
PROGRESS_COLUMN = HEADING.index("PROGRESS")
NOTHING = "-"


def row(store: Store, now: datetime) -> tuple[str, ...]:
    """Return the cells under HEADING."""
    cells = (store.store_id, store.phase.value, progress_text(store), store.engine.value, store.url, age(store, now))
    return tuple(printable(cell) or NOTHING for cell in cells)


def age(store: Store, now: datetime) -> str:
    """Return how long a store has been there, in its largest unit."""
    return NOTHING if store.created_at is None else span((now - store.created_at).total_seconds())


def change_line(store: Store, at: datetime) -> str:
    """Return a store as a line of `watch`: time, id, phase, what is going on."""
    words = store.url if store.phase is Phase.READY else progress_text(store)
    parts = (format_timestamp(at, "seconds"), store.store_id, store.phase.value, words)
    return "  ".join(printable(part) for part in parts if part)


def event_line(event: StoreEvent) -> str:
    """Return an event of a timeline as a line."""
    parts = [format_timestamp(event.timestamp, "seconds"), event.type]
    parts += [event.level] if event.level != "info" else []
    parts += [event.message] if event.message else []
    parts += [f"({event.seconds:.1f} s)"] if event.seconds is not None else []
    parts += [f"({event.count} times)"] if event.count > 1 else []
    return "  ".join(map(printable, parts))


def block(store: Store, now: datetime) -> list[str]:
    """Return everything about a store that a person wants to know, as lines."""
    facts = [(name, printable(value)) for name, value in _facts(store, now) if value]
    lines = table(facts)
    if store.conditions:
        lines += ["", "Conditions", *table([_condition_cells(each) for each in store.conditions])]
    if store.events:
        lines += ["", "Timeline", *(f"  {event_line(event)}" for event in store.events)]
    return lines


def _facts(store: Store, now: datetime) -> Iterator[tuple[str, str]]:
    yield "Store", store.store_id
    yield "Phase", store.phase.value
    yield "Progress", "" if store.phase is Phase.FAILED else progress_text(store)
    yield from _error_facts(store, now)
    yield "Engine", store.engine.value
    yield "URL", store.url
    yield "Admin", store.admin_url
    yield "Simulated", SIMULATED if store.simulated else ""
    yield "Created", _when(store.created_at, now)
    yield "Asked for by", store.requested_by.user if store.requested_by else ""
    yield "Ready since", _when(store.ready_at, now)
    yield "Deletion asked", _when(store.deletion_requested_at, now)
    yield "Attempts", str(store.attempts or "")
    yield "Namespace", store.namespace
    yield "Release", _release(store)
    yield "Uid", store.uid
    if store.observed_generation != store.generation:
        yield "Generation", f"{store.generation}, of which {store.observed_generation} has been looked at"


def _error_facts(store: Store, now: datetime) -> Iterator[tuple[str, str]]:
    if store.last_error:
        yield "Last error", error_text(store.last_error)
        yield "Since", _when(store.last_error.at, now)
        yield "What to do", store.last_error.hint
    yield "Next attempt", format_timestamp(store.next_retry_at, "seconds") if store.next_retry_at else ""


def _condition_cells(condition: Condition) -> tuple[str, ...]:
    cells = (f"  {condition.type}", condition.status, condition.reason, condition.message)
    return tuple(map(printable, cells))


def _when(at: datetime | None, now: datetime) -> str:
    return "" if at is None else f"{format_timestamp(at, 'seconds')} ({span((now - at).total_seconds())} ago)"


def _release(store: Store) -> str:
    if store.release is None:
        return store.release_name
    return f"{store.release_name}, revision {store.release.revision} of chart {store.release.chart_version}"


def unseen(events: Iterable[StoreEvent], seen: set[tuple[object, ...]]) -> list[StoreEvent]:
    """Return the events that are not in `seen`, and make `seen` hold exactly these events.

    A repeated event comes back with a later time and a higher count, so it is new again.
    """
    keys = {(event.type, event.message, event.timestamp): event for event in events}
    new = [event for key, event in keys.items() if key not in seen]
    seen.clear()
    seen.update(keys)
    return new
