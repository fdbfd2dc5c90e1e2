"""The list of stores: a table that draws only the visible lines, and of those only the ones that changed.

The cursor is a uid, not an index. A batch of changes keeps the cursor on its line of the screen, unless the list is
scrolled to its top, where new stores appear. Each line has a cache key of everything it depends on; a line is drawn
again only when its key changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.model.keymap import TABLE
from tui.text.columns import AGE, LAST_EVENT, Column, Layout, layout
from tui.text.pieces import GAP, fitted
from tui.widgets.bindings import bindings
from tui.widgets.toned import Toned, shortened

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import ClassVar

    from textual import events
    from textual.binding import BindingType

    from tui.model.rows import Row, StoreRows
    from tui.text.glyphs import Glyphs
    from tui.text.pieces import Pieces

    LineKey = tuple[object, ...]

TICKING = (AGE, LAST_EVENT)
CACHED_LINES = 512
DIM = Style(dim=True)


class StoreTable(Toned, ScrollView, can_focus=True):
    """The rows of the list, one a line.

    Attributes:
        cursor: the uid of the store under the cursor; empty if there is none.
        marked: the uids of the marked stores.
        picked: the selected column, which `s` sorts by.
        stale: whether the data is not live; stale rows are dimmed.
        blank: the lines that are shown instead of an empty list.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(TABLE)
    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--header", "table--cursor", "table--row"}

    stale = reactive(False)
    blank: reactive[tuple[Pieces, ...]] = reactive((), always_update=False)

    class Moved(Message):
        """The cursor moved to another store, or to none."""

    class Marked(Message):
        """The marks have changed."""

    class Opened(Message):
        """The store under the cursor was opened."""

    @dataclass
    class Picked(Message):
        """A column was chosen for sorting."""

        column: Column

    def __init__(self, rows: StoreRows, glyphs: Glyphs, now: Callable[[], datetime]) -> None:
        super().__init__(id="stores")
        self.rows = rows
        self.cursor = ""
        self.marked: set[str] = set()
        self.picked: Column = AGE
        self._glyphs = glyphs
        self._now = now
        self._theme_age = 0
        self._drawn: dict[int, LineKey] = {}
        self._strips: LRUCache[LineKey, Strip] = LRUCache(CACHED_LINES)

    @property
    def _layout(self) -> Layout:
        return layout(self.size.width, self.rows.longest_id)

    # --- What the list shows

    def follow(self, *, line: int | None = None) -> None:
        """Show the rows as they are now, with the cursor on its store and on that line of the screen.

        Without a line, the cursor was scrolled out of view before, and the scroll position does not change.
        """
        if self.rows.place(self.cursor) is None:
            self._set_cursor(0 if self.rows.visible else None)
            line = 0
        self.virtual_size = Size(self.size.width, len(self.rows) + 1)
        if line is not None:
            if self.scroll_offset.y > 0:
                self.scroll_to(y=self._place - line, animate=False, force=True)
            self.show_cursor()
        self.repaint()

    def show_cursor(self) -> None:
        """Scroll the least distance that makes the cursor visible."""
        top, place = self.scroll_offset.y, self._place
        if place < top:
            self.scroll_to(y=place, animate=False, force=True)
        elif place >= top + self._lines:
            self.scroll_to(y=place - self._lines + 1, animate=False, force=True)

    def cursor_line(self) -> int | None:
        """Return the line of the screen that the cursor is on, if it is visible; call it before the rows change."""
        place = self.rows.place(self.cursor)
        line = -1 if place is None else place - self.scroll_offset.y
        return line if 0 <= line < self._lines else None

    def move_to(self, uid: str) -> None:
        """Move the cursor to a store, if it is shown."""
        place = self.rows.place(uid)
        if place is not None:
            self._move(place)

    def repaint(self) -> None:
        """Draw the lines that changed."""
        lines = [line for line in range(self.size.height) if self._drawn.get(line) != self._key(line)]
        if lines:
            self.refresh(*(Region(0, line, self.size.width, 1) for line in lines))

    # --- Drawing

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen; the first is the header."""
        key = self._drawn[y] = self._key(y)
        strip = self._strips.get(key)
        if strip is None:
            row = self._row_at(y)
            if row is not None:
                strip = self._draw_row(row)
            else:
                strip = self._draw_header() if y == 0 else self._draw_blank(self._blank_line(y))
            self._strips[key] = strip
        return strip

    def _key(self, y: int) -> LineKey:
        width, row, longest = self.size.width, self._row_at(y), self.rows.longest_id
        if row is not None:
            ticking = tuple(column.cell(row.store, self._glyphs, self._now())[0] for column in TICKING)
            uid = row.store.uid
            look = (uid == self.cursor, uid in self.marked, self.has_focus, self.stale)
            return (uid, row.revision, ticking, look, width, longest, self._theme_age)
        if y == 0:
            header = (self.rows.order.name, self.rows.backwards, self.picked.title, self.has_focus, longest)
            return ("header", header, width, self._theme_age)
        return ("blank", tuple(self._blank_line(y)), width, self._theme_age)

    def _draw_row(self, row: Row) -> Strip:
        store, now = row.store, self._now()
        is_cursor = store.uid == self.cursor
        base = self.get_component_rich_style("table--cursor" if is_cursor else "table--row")
        if self.stale:
            base += DIM
        mark = self._glyphs.mark if store.uid in self.marked else " "
        segments = [Segment(f"{mark} ", base + self.tone("accent"))]
        for column, width in self._layout.columns:
            text, tone = column.cell(store, self._glyphs, now)
            if is_cursor and tone == "quiet":
                tone = "plain"  # quiet text is hard to read on the cursor
            if len(text) > width:
                text = column.terse(text)
            segments.append(Segment(fitted(text, width, self._glyphs.ellipsis), base + self.tone(tone)))
            segments.append(Segment(" " * GAP, base))
        return self._full(segments, base)

    def _draw_header(self) -> Strip:
        base = self.get_component_rich_style("table--header")
        segments = [Segment("  ", base)]
        for column, width in self._layout.columns:
            style = base + self.tone("key") if column == self.picked and self.has_focus else base
            segments.append(Segment(self._title(column, width), style))
            segments.append(Segment(" " * GAP, base))
        return self._full(segments, base)

    def _title(self, column: Column, width: int) -> str:
        if column.order != self.rows.order:
            return fitted(column.title, width, self._glyphs.ellipsis)
        arrow = self._glyphs.descending if self.rows.backwards else self._glyphs.ascending
        title = fitted(column.title, max(0, width - 2), self._glyphs.ellipsis).rstrip()
        return f"{title} {arrow}".ljust(width)

    def _draw_blank(self, pieces: Pieces) -> Strip:
        base = self.get_component_rich_style("table--row")
        text = shortened(self.text(pieces), max(0, self.size.width - 4), self._glyphs.ellipsis)
        room = max(0, self.size.width - text.cell_len)
        segments = [Segment(" " * (room // 2), base), *text.render(self.app.console)]
        return self._full(segments, base)

    def _full(self, segments: list[Segment], style: Style) -> Strip:
        width = self.size.width
        return Strip(Segment.apply_style(segments, style)).adjust_cell_length(width, style).crop(0, width)

    def _blank_line(self, y: int) -> Pieces:
        if self.rows.visible:
            return ()
        first = max(1, (self.size.height - len(self.blank)) // 2)
        return self.blank[y - first] if first <= y < first + len(self.blank) else ()

    def _row_at(self, y: int) -> Row | None:
        place = y - 1 + self.scroll_offset.y
        return self.rows.visible[place] if y > 0 and place < len(self.rows) else None

    # --- Keys and mouse

    @property
    def _lines(self) -> int:
        return max(1, self.size.height - 1)

    def action_down(self, lines: int = 1) -> None:
        """Move the cursor down."""
        self._move(self._place + lines)

    def action_up(self, lines: int = 1) -> None:
        """Move the cursor up."""
        self._move(self._place - lines)

    def action_page_down(self) -> None:
        """Move the cursor a page down."""
        self._move(self._place + self._lines)

    def action_page_up(self) -> None:
        """Move the cursor a page up."""
        self._move(self._place - self._lines)

    def action_first(self) -> None:
        """Move the cursor to the first store."""
        self._move(0)

    def action_last(self) -> None:
        """Move the cursor to the last store."""
        self._move(len(self.rows) - 1)

    def action_open(self) -> None:
        """Open the store under the cursor."""
        self.post_message(self.Opened())

    def action_mark(self) -> None:
        """Mark or unmark the store under the cursor, and move to the next one."""
        if self.cursor:
            self.marked ^= {self.cursor}
            self.post_message(self.Marked())
            self.action_down()

    def action_mark_all(self) -> None:
        """Mark all stores shown, or unmark them if all are marked."""
        shown = {row.store.uid for row in self.rows.visible if not row.deleted}
        self.marked = set() if shown <= self.marked else shown
        self.post_message(self.Marked())
        self.repaint()

    def action_pick(self, step: int) -> None:
        """Select a column to the left or to the right."""
        columns = [column for column, _ in self._layout.columns]
        place = columns.index(self.picked) if self.picked in columns else 0
        self.picked = columns[(place + step) % len(columns)]
        self.repaint()

    def action_sort(self) -> None:
        """Sort by the selected column, or reverse the order."""
        self.post_message(self.Picked(self.picked))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the line; a double click opens the store; a click on the header sorts."""
        if event.y == 0:
            column = self._layout.column_at(event.x)
            if column is not None:
                self.picked = column
                self.post_message(self.Picked(column))
        elif self._row_at(event.y) is not None:
            self._move(event.y - 1 + self.scroll_offset.y)
            if event.chain == 2:
                self.post_message(self.Opened())

    @property
    def _place(self) -> int:
        place = self.rows.place(self.cursor)
        return 0 if place is None else place

    def _move(self, place: int) -> None:
        if self.rows.visible:
            row = self.rows.visible[min(max(0, place), len(self.rows) - 1)]
            self._set_cursor(self.rows.place(row.store.uid))
            self.follow()
            self.show_cursor()

    def _set_cursor(self, place: int | None) -> None:
        uid = "" if place is None else self.rows.visible[place].store.uid
        if uid != self.cursor:
            self.cursor = uid
            self.rows.hold(uid)
            self.post_message(self.Moved())

    # --- Size, focus, theme

    def on_resize(self, event: events.Resize) -> None:
        """Draw the columns that fit."""
        self._drawn.clear()
        self.follow()
        self.show_cursor()

    def on_focus(self) -> None:
        """Draw the cursor with the focus."""
        self.repaint()

    def on_blur(self) -> None:
        """Draw the cursor without the focus."""
        self.repaint()

    def watch_stale(self) -> None:
        """Dim stale rows, or stop dimming them."""
        self.repaint()

    def watch_blank(self) -> None:
        """Show the other lines."""
        self.repaint()

    def notify_style_update(self) -> None:
        """Draw everything in the colours of the new theme."""
        super().notify_style_update()
        self._theme_age += 1
        self._strips.clear()
        self._drawn.clear()
