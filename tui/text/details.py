"""Everything about a store as lines: where it stands, its addresses, its facts, its conditions, its timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.text.timeline import timeline
from tui.text.values import ENGINE_NAMES, clock
from tui.widgets.detail import head
from tui.widgets.lines import Line
from urumi.text import SIMULATED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tui.text.glyphs import Glyphs
    from urumi.wire import Condition, Store

NAME_WIDTH = 14
CONDITION_WIDTH = 14
_STATUS_TONES = {"True": "good", "False": "quiet", "Unknown": "warning"}
_BAD_WHEN_TRUE = ("Stalled",)
_BAD_WHEN_FALSE = ("Ready", "Healthy", "Released")


def facts(store: Store, glyphs: Glyphs, now: datetime, width: int) -> list[Line]:
    """Return the lines."""
    return list(_lines(store, glyphs, now, width))


def _lines(store: Store, glyphs: Glyphs, now: datetime, width: int) -> Iterator[Line]:
    for pieces in head(store, glyphs, now):
        yield Line(body=pieces)
    yield from _section("Timeline")
    yield from timeline(store, glyphs, now, width=width)
    yield from _section("Conditions")
    for condition in store.conditions:
        yield _condition_line(condition, now)
    if not store.conditions:
        yield Line(body=(("None are known yet.", "quiet"),))
    yield from _section("Facts")
    for name, value in _facts(store, now):
        if value:
            yield Line(head=((f"{name:<{NAME_WIDTH}}", "quiet"),), body=((value, "plain"),))


def _section(title: str) -> Iterator[Line]:
    yield Line()
    yield Line(body=((title, "accent"),))


def _condition_line(condition: Condition, now: datetime) -> Line:
    at = clock(condition.last_transition_time, now) if condition.last_transition_time else ""
    head = (
        (f"{condition.type:<{CONDITION_WIDTH}}", "plain"),
        (f"{condition.status:<8}", _condition_tone(condition)),
        (f"{at:<9} ", "quiet"),
    )
    words = ": ".join(filter(None, (condition.reason, condition.message)))
    return Line(head, ((words, "plain"),))


def _condition_tone(condition: Condition) -> str:
    if condition.type in _BAD_WHEN_FALSE and condition.status == "False":
        return "warning"
    if condition.type in _BAD_WHEN_TRUE and condition.status == "True":
        return "error"
    return _STATUS_TONES[condition.status]


def _facts(store: Store, now: datetime) -> Iterator[tuple[str, str]]:
    release, asker = store.release, store.requested_by
    yield "Engine", ENGINE_NAMES[store.engine]
    yield "Storefront", store.url
    yield "Admin", store.admin_url
    yield "Simulated", SIMULATED if store.simulated else ""
    yield "Namespace", store.namespace
    yield "Release", store.release_name
    yield "Revision", f"{release.revision} of chart {release.chart_version or 'unknown'}" if release else ""
    yield "Digest", release.digest if release else ""
    yield "Generation", _generation(store)
    yield "Attempts", str(store.attempts or "")
    yield "Asked for", clock(store.created_at, now) if store.created_at else ""
    yield "Asked for by", ", ".join(filter(None, (asker.user, asker.ip, asker.user_agent))) if asker else ""
    yield "Ready since", clock(store.ready_at, now) if store.ready_at else ""
    yield "Deletion asked", clock(store.deletion_requested_at, now) if store.deletion_requested_at else ""
    yield "Uid", store.uid
    yield "Admin account", f"urumi credentials {store.store_id}"


def _generation(store: Store) -> str:
    if store.generation == store.observed_generation:
        return str(store.generation or "")
    return f"{store.generation}, of which {store.observed_generation} has been looked at"
