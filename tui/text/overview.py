"""The lines above a timeline: which store it is, its phase, its address, its progress, its error and the hint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.model.phases import FAILING_PHASES
from tui.text.progress import attempt_text, since_text, status_text
from tui.text.values import NO_SHOP
from urumi.store import Phase
from urumi.text import error_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tui.text.glyphs import Glyphs
    from tui.text.pieces import Piece, Pieces
    from urumi.wire import Store

METER_WIDTH = 18


def overview(store: Store, glyphs: Glyphs, now: datetime) -> Iterator[Pieces]:
    """Return the lines; errors and hints may be longer than a line."""
    yield tuple(_title(store, glyphs, now))
    if store.phase is not Phase.DELETED and store.url:
        admin = f"  admin {store.admin_url.removeprefix(store.url)}" if store.admin_url else ""
        yield ((store.url, "plain"), (admin, "quiet"))
    if store.phase is Phase.PROVISIONING or (store.phase is Phase.DELETING and store.progress):
        yield tuple(_meter(store, glyphs))
    if store.last_error and store.phase is not Phase.READY:
        yield ((f"{glyphs.levels['error']} {error_text(store.last_error)}", "error"),)
        if store.last_error.hint:
            yield ((f"{glyphs.advice} ", "accent"), (store.last_error.hint, "plain"))
    elif store.phase in FAILING_PHASES:
        yield ((f"{glyphs.phases[store.phase]} {status_text(store)}", "error"),)


def _title(store: Store, glyphs: Glyphs, now: datetime) -> Iterator[Piece]:
    yield store.store_id, "strong"
    yield f"  {glyphs.phases[store.phase]} {store.phase}  ", store.phase.value.lower()
    if store.phase is Phase.DELETED:
        yield "last known state", "quiet"
        return
    parts = [
        since_text(store, now),
        store.engine.display_name,
        attempt_text(store, now),
        NO_SHOP if store.simulated else "",
    ]
    yield f" {glyphs.dot} ".join(filter(None, parts)), "quiet"


def _meter(store: Store, glyphs: Glyphs) -> Iterator[Piece]:
    progress = store.progress
    if progress is None:
        yield status_text(store), "quiet"
        return
    # The current step counts as half done, so the meter is never full before the end.
    done = METER_WIDTH * max(0, 2 * min(progress.index, progress.total) - 1) // (2 * max(1, progress.total))
    yield glyphs.done * done, store.phase.value.lower()
    yield glyphs.open * (METER_WIDTH - done), "quiet"
    yield f"  step {progress.index} of {progress.total}: {progress.step}", "plain"
