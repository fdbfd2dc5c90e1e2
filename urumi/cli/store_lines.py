"""A store as lines of text: a row of a list, a description, a line of a stream, and an event of its timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urumi.cli.table import table, wrapped, wrapped_table
from urumi.store import Phase
from urumi.text import SIMULATED, error_text, printable, progress_text, span
from urumi.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from urumi.wire import Store, StoreEvent

HEADING = ("NAME", "PHASE", "PROGRESS", "ENGINE", "URL", "AGE")
NOTHING = "-"


def list_lines(stores: Sequence[Store], now: datetime, *, width: int | None = None, ellipsis: str = "...") -> list[str]:
    """Return stores as a table with a heading; a narrow one omits the URL, then the engine."""
    return table(
        [HEADING, *(row(store, now) for store in stores)],
        width=width,
        ellipsis=ellipsis,
        elastic=HEADING.index("PROGRESS"),
        optional=(HEADING.index("URL"), HEADING.index("ENGINE")),
    )


def row(store: Store, now: datetime) -> tuple[str, ...]:
    """Return the cells under HEADING."""
    age = "" if store.created_at is None else span((now - store.created_at).total_seconds())
    cells = (store.store_id, store.phase.value, progress_text(store), store.engine.value, store.url, age)
    return tuple(printable(cell) or NOTHING for cell in cells)


def store_line(store: Store) -> str:
    """Return a store as a line: its id, phase and URL."""
    return "  ".join(printable(part) for part in (store.store_id, store.phase.value, store.url) if part)


def change_line(store: Store, at: datetime) -> str:
    """Return a store as a line of `watch`: time, id, phase, and its URL or progress."""
    text = store.url if store.phase is Phase.READY else progress_text(store)
    parts = (format_timestamp(at, "seconds"), store.store_id, store.phase.value, text)
    return "  ".join(printable(part) for part in parts if part)


def event_line(event: StoreEvent) -> str:
    """Return an event of a timeline as a line."""
    parts = [format_timestamp(event.timestamp, "seconds"), event.type]
    parts += [event.level] if event.level != "info" else []
    parts += [event.message] if event.message else []
    parts += [f"({event.seconds:.1f} s)"] if event.seconds is not None else []
    parts += [f"({event.count} times)"] if event.count > 1 else []
    return "  ".join(map(printable, parts))


def block(store: Store, now: datetime, *, width: int | None = None) -> list[str]:
    """Return the description of a store as lines, wrapped to the width."""
    lines = wrapped_table([(name, printable(value)) for name, value in _facts(store, now) if value], width=width)
    if store.conditions:
        cells = [
            (f"  {printable(each.type)}", each.status, printable(each.reason), printable(each.message))
            for each in store.conditions
        ]
        lines += ["", "Conditions", *wrapped_table(cells, width=width)]
    if store.events:
        lines += ["", "Timeline"]
        for event in store.events:
            lines += wrapped(f"  {event_line(event)}", width=width, indent=6)
    return lines


def _facts(store: Store, now: datetime) -> Iterator[tuple[str, str]]:
    def when(at: datetime | None) -> str:
        return "" if at is None else f"{format_timestamp(at, 'seconds')} ({span((now - at).total_seconds())} ago)"

    yield "Store", store.store_id
    yield "Phase", store.phase.value
    progress, error = progress_text(store), error_text(store.last_error) if store.last_error else ""
    yield "Progress", "" if progress == error else progress
    yield "Last error", error
    if store.last_error:
        yield "Since", when(store.last_error.at)
        yield "Hint", store.last_error.hint
    yield "Next attempt", format_timestamp(store.next_retry_at, "seconds") if store.next_retry_at else ""
    yield "Engine", store.engine.value
    yield "URL", store.url
    yield "Admin", store.admin_url
    yield "Simulated", SIMULATED if store.simulated else ""
    yield "Created", when(store.created_at)
    yield "Requested by", store.requested_by.user if store.requested_by else ""
    yield "Ready since", when(store.ready_at)
    yield "Deletion requested", when(store.deletion_requested_at)
    yield "Attempts", str(store.attempts or "")
    yield "Namespace", store.namespace
    release = store.release
    suffix = f", revision {release.revision} of chart {release.chart_version}" if release else ""
    yield "Release", f"{store.release_name}{suffix}"
    yield "UID", store.uid
    if store.observed_generation != store.generation:
        yield "Generation", f"{store.generation}, observed {store.observed_generation}"


def unseen(events: Iterable[StoreEvent], seen: set[tuple[object, ...]]) -> list[StoreEvent]:
    """Return the events that are not in `seen`, and replace the contents of `seen` by exactly these events.

    A repeated event has a later time and a higher count, so it counts as new.
    """
    keys = {(event.type, event.message, event.timestamp): event for event in events}
    new = [event for key, event in keys.items() if key not in seen]
    seen.clear()
    seen.update(keys)
    return new
