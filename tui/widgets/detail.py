"""The pane of one store: what it is and where it stands, and under that its timeline, live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.containers import Vertical
from textual.reactive import reactive

from tui.text.timeline import timeline
from tui.text.values import ENGINE_NAMES, FAILING_PHASES, NO_SHOP, attempt_words, now_words, since_words
from tui.widgets.lines import LinesView
from tui.widgets.toned import Toned, shortened
from urumi.store import Phase
from urumi.text import error_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from textual.app import ComposeResult

    from tui.text.glyphs import Glyphs
    from tui.widgets.toned import Piece, Pieces
    from urumi.wire import Store

METER_WIDTH = 18
MARGINS = 4
WRAPPED = ("error", "accent")  # an error and what to do about it
WRAPPED_LINES = 3  # the details screen has it all


class DetailPane(Vertical):
    """Shows a store as it is, and goes on showing one that is gone as it was last seen."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="detail")
        self._glyphs = glyphs
        self._shown: tuple[Store | None, datetime] | None = None
        self._head = _Head(glyphs)
        self._timeline = LinesView(tail=True, id="timeline")
        self._unread = _Unread()

    def compose(self) -> ComposeResult:
        """Put the head over the timeline."""
        yield self._head
        yield self._timeline
        yield self._unread

    def show(self, store: Store | None, now: datetime) -> None:
        """Show a store, or that there is none to show."""
        self._head.lines = tuple(head(store, self._glyphs, now)) if store else ()
        lines = timeline(store, self._glyphs, now, width=self.size.width - MARGINS) if store else []
        before = self._shown[0] if self._shown else None
        is_other = (store and store.uid) != (before and before.uid)
        self._timeline.show(lines, anew=is_other)
        self._shown = (store, now)

    def on_resize(self) -> None:
        """Lay the lines out for the new width."""
        if self._shown:
            self.show(*self._shown)

    def on_lines_view_read(self) -> None:
        """Say how much there is to read below."""
        count = self._timeline.unread
        self._unread.words = f"{self._glyphs.more} {count} new below, G shows them" if count else ""


class _Head(Toned):
    """The lines above a timeline, wrapped."""

    lines: reactive[tuple[Pieces, ...]] = reactive(())

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._ellipsis = glyphs.ellipsis

    def watch_lines(self, before: tuple[Pieces, ...], lines: tuple[Pieces, ...]) -> None:
        """Lay the pane out anew only where the height may differ; the cursor passes many stores."""
        wraps = any(pieces[0][1] in WRAPPED for pieces in (*before, *lines))
        if wraps or len(before) != len(lines):
            self.refresh(layout=True)

    def render(self) -> Text:
        """Draw the lines; what has to be read to its end is wrapped, the rest is cut."""
        width = self.size.width
        if not width:
            return Text()
        drawn = [part for pieces in self.lines for part in self._wrapped(pieces, width)]
        return Text("\n", no_wrap=True).join(drawn)

    def _wrapped(self, pieces: Pieces, width: int) -> Iterator[Text]:
        text = self.text(pieces)
        if pieces[0][1] not in WRAPPED:
            yield shortened(text, width, self._ellipsis)
            return
        parts = text.wrap(self.app.console, width, overflow="fold", no_wrap=False)
        yield from parts[: WRAPPED_LINES - 1]
        for rest in parts[WRAPPED_LINES - 1 : WRAPPED_LINES]:
            yield shortened(rest.append(self._ellipsis) if len(parts) > WRAPPED_LINES else rest, width, self._ellipsis)


class _Unread(Toned):
    words = reactive("", layout=True)

    def watch_words(self) -> None:
        """Take room only where there is something to say."""
        self.display = bool(self.words)

    def render(self) -> Text:
        """Draw the words."""
        return self.text([(self.words, "accent")])


def head(store: Store, glyphs: Glyphs, now: datetime) -> Iterator[Pieces]:
    """Return the lines that say what a store is and where it stands."""
    yield tuple(_title(store, glyphs, now))
    if store.phase is not Phase.DELETED and store.url:
        yield tuple(_address(store, glyphs))
    if store.phase is Phase.PROVISIONING or (store.phase is Phase.DELETING and store.progress):
        yield tuple(_meter(store, glyphs))
    if store.last_error and store.phase is not Phase.READY:
        yield ((f"{glyphs.levels['error']} {error_text(store.last_error)}", "error"),)
        if store.last_error.hint:
            yield ((f"{glyphs.advice} ", "accent"), (store.last_error.hint, "plain"))
    elif store.phase in FAILING_PHASES:
        yield ((f"{glyphs.phases[store.phase]} {now_words(store)}", "error"),)


def _title(store: Store, glyphs: Glyphs, now: datetime) -> Iterator[Piece]:
    tone = store.phase.value.lower()
    yield store.store_id, "strong"
    yield f"  {glyphs.phases[store.phase]} {store.phase} ", tone
    if store.phase is Phase.DELETED:
        yield "gone; this is how it was last seen", "quiet"
        return
    parts = [
        since_words(store, now),
        ENGINE_NAMES[store.engine],
        attempt_words(store, now),
        NO_SHOP if store.simulated else "",
    ]
    yield f" {glyphs.dot} ".join(filter(None, parts)), "quiet"


def _address(store: Store, glyphs: Glyphs) -> Iterator[Piece]:
    yield store.url, "plain"
    if store.admin_url:
        yield f"  admin {store.admin_url.removeprefix(store.url)}", "quiet"


def _meter(store: Store, glyphs: Glyphs) -> Iterator[Piece]:
    progress = store.progress
    if progress is None:
        yield now_words(store), "quiet"
        return
    # A step that is being done is half done: the meter is full for nothing but the end.
    done = METER_WIDTH * max(0, 2 * min(progress.index, progress.total) - 1) // (2 * max(1, progress.total))
    yield glyphs.done * done, store.phase.value.lower()
    yield glyphs.open * (METER_WIDTH - done), "quiet"
    yield f"  step {progress.index} of {progress.total}: {progress.step}", "plain"
