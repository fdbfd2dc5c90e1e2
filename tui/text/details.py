"""All details of a store as lines: overview, timeline, conditions, facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.text.overview import overview
from tui.text.pieces import Line, aligned
from tui.text.timeline import timeline
from tui.text.values import clock, moment
from urumi.text import SIMULATED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tui.text.glyphs import Glyphs
    from tui.text.pieces import Pieces
    from urumi.wire import Store

_STATUS_TONES = {"True": "good", "False": "quiet", "Unknown": "warning"}
_BAD_STATUSES = {
    ("Ready", "False"): "warning",
    ("Healthy", "False"): "warning",
    ("Released", "False"): "warning",
    ("Stalled", "True"): "error",
}


def details(store: Store, glyphs: Glyphs, now: datetime, width: int) -> Iterator[Line]:
    """Return the lines for a view of that width."""
    for pieces in overview(store, glyphs, now):
        yield Line(body=pieces)
    yield from _section(f"Timeline, times in {now.astimezone():%Z}")
    yield from timeline(store, glyphs, now, width=width)
    yield from _section("Conditions")
    cells: list[Pieces] = []
    for each in store.conditions:
        tone = _BAD_STATUSES.get((each.type, each.status), _STATUS_TONES[each.status])
        at = clock(each.last_transition_time, now) if each.last_transition_time else ""
        cells.append(((each.type, "plain"), (each.status, tone), (at, "quiet")))
    heads = aligned(cells, width, glyphs.ellipsis)
    for head, condition in zip(heads, store.conditions, strict=True):
        text = ": ".join(filter(None, (condition.reason, condition.message)))
        yield Line(head, ((text, "plain"),))
    if not store.conditions:
        yield Line(body=(("None reported yet.", "quiet"),))
    yield from _section("Facts")
    facts = [(name, value) for name, value in _facts(store) if value]
    heads = aligned([((name, "quiet"),) for name, _ in facts], width, glyphs.ellipsis)
    for head, (_, value) in zip(heads, facts, strict=True):
        yield Line(head, ((value, "plain"),))


def _section(title: str) -> Iterator[Line]:
    yield Line()
    yield Line(body=((title, "accent"),))


def _facts(store: Store) -> Iterator[tuple[str, str]]:
    release, requester = store.release, store.requested_by
    yield "Engine", store.engine.display_name
    yield "Storefront", store.url
    yield "Admin", store.admin_url
    yield "Simulated", SIMULATED if store.simulated else ""
    yield "Namespace", store.namespace
    yield "Release", store.release_name
    yield "Revision", f"{release.revision} of chart {release.chart_version or 'unknown'}" if release else ""
    yield "Digest", release.digest if release else ""
    yield "Generation", str(store.generation or "")
    if store.generation != store.observed_generation:
        yield "Observed generation", str(store.observed_generation)
    yield "Attempts", str(store.attempts or "")
    yield "Requested", moment(store.created_at) if store.created_at else ""
    if requester:
        yield "Requested by", ", ".join(filter(None, (requester.user, requester.ip, requester.user_agent)))
    yield "Ready since", moment(store.ready_at) if store.ready_at else ""
    yield "Deletion requested", moment(store.deletion_requested_at) if store.deletion_requested_at else ""
    yield "UID", store.uid
    yield "Admin account", f"urumi credentials {store.store_id}"
