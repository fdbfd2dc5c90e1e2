"""The pane of one store: its overview, and below that its live timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.containers import Vertical
from textual.reactive import reactive

from tui.text.overview import overview
from tui.text.timeline import timeline
from tui.widgets.lines import LinesView
from tui.widgets.toned import Toned, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from textual.app import ComposeResult

    from tui.text.glyphs import Glyphs
    from tui.text.pieces import Pieces
    from urumi.wire import Store

MARGINS = 4
WRAPPED = ("error", "accent")  # the tones of an error and of its hint
WRAPPED_LINES = 3  # the details screen shows the whole text


class DetailPane(Vertical):
    """Shows a store, and keeps showing the last known state of a deleted one."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="detail")
        self._glyphs = glyphs
        self._shown: tuple[Store | None, datetime] | None = None
        self._overview = _Overview(glyphs)
        self._timeline = LinesView(glyphs.ellipsis, tail=True, id="timeline")
        self._unread = _Unread()

    def compose(self) -> ComposeResult:
        """Put the overview above the timeline."""
        yield self._overview
        yield self._timeline
        yield self._unread

    def show(self, store: Store | None, now: datetime) -> None:
        """Show a store, or an empty pane."""
        self._overview.lines = tuple(overview(store, self._glyphs, now)) if store else ()
        width = self.size.width - MARGINS
        lines = list(timeline(store, self._glyphs, now, width=width)) if store else []
        before = self._shown[0] if self._shown else None
        is_other = (store and store.uid) != (before and before.uid)
        self._timeline.show(lines, reset=is_other)
        self._shown = (store, now)

    def on_resize(self) -> None:
        """Lay the lines out for the new width."""
        if self._shown:
            self.show(*self._shown)

    def on_lines_view_read(self) -> None:
        """Show how many lines are unread."""
        count = self._timeline.unread
        self._unread.notice = f"{self._glyphs.more} {count} new below, press G to show them" if count else ""


class _Overview(Toned):
    """The lines above a timeline."""

    lines: reactive[tuple[Pieces, ...]] = reactive(())

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._ellipsis = glyphs.ellipsis

    def watch_lines(self, before: tuple[Pieces, ...], lines: tuple[Pieces, ...]) -> None:
        """Update the layout only if the height may differ, as the cursor may pass many stores."""
        wraps = any(pieces[0][1] in WRAPPED for pieces in (*before, *lines))
        if wraps or len(before) != len(lines):
            self.refresh(layout=True)

    def render(self) -> Text:
        """Draw the lines; errors and hints are wrapped, other lines are shortened."""
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
    notice = reactive("", layout=True)

    def watch_notice(self) -> None:
        """Take room only if there is a notice."""
        self.display = bool(self.notice)

    def render(self) -> Text:
        """Draw the notice."""
        return self.text([(self.notice, "accent")])
