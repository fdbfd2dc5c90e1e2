"""The list of stores: a table that draws only the lines that are seen, and of those only the ones that changed.

The cursor is a uid, not a place. A batch of changes keeps the line of the screen that the cursor is on, unless the list
is at its top, where new stores are to be seen as they come. Each line has a key that holds all it depends on; a line is
drawn again only when its key differs, and drawn lines are remembered by key.
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
from tui.text.columns import AGE, COLUMNS, GAP, LAST_EVENT, Column, Layout, layout
from tui.widgets.toned import Toned, clipped, shortened

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import ClassVar

    from textual import events
    from textual.binding import BindingType

    from tui.model.rows import Roster, Row
    from tui.text.glyphs import Glyphs
    from tui.widgets.toned import Pieces

    LineKey = tuple[object, ...]

TICKING = (AGE, LAST_EVENT)
REMEMBERED_LINES = 512
DIM = Style(dim=True)


class StoreTable(Toned, ScrollView, can_focus=True):
    """The stores of a roster, one a line.

    Attributes:
        cursor: the uid of the store under the cursor; empty where there is none.
        marked: the uids of the marked stores.
        picked: the column that `s` would sort by.
        stale: whether what is shown is not live; it is dimmed then.
        blank: what to say where there is no store to show.
    """

    BINDINGS: ClassVar[list[BindingType]] = TABLE.bindings()
    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--header", "table--cursor", "table--row"}

    stale = reactive(False)
    blank: reactive[tuple[Pieces, ...]] = reactive((), always_update=False)

    class Moved(Message):
        """The cursor stands on another store, or on none."""

    class Marked(Message):
        """Other stores are marked."""

    class Opened(Message):
        """The store under the cursor is to be shown in full."""

    @dataclass
    class Picked(Message):
        """The list is to be ordered by this column."""

        column: Column

    def __init__(self, roster: Roster, glyphs: Glyphs, now: Callable[[], datetime]) -> None:
        super().__init__(id="stores")
        self.roster = roster
        self.cursor = ""
        self.marked: set[str] = set()
        self.picked = roster.column
        self._glyphs = glyphs
        self._now = now
        self._theme_age = 0
        self._drawn: dict[int, LineKey] = {}
        self._strips: LRUCache[LineKey, Strip] = LRUCache(REMEMBERED_LINES)

    @property
    def _layout(self) -> Layout:
        return layout(self.size.width)

    # --- What the list shows

    def follow(self, *, line: int | None = None) -> None:
        """Show the roster as it is now, the cursor on its store and on its line of the screen.

        Without a line the cursor was not seen before: whoever scrolled away from it is left alone.
        """
        if self.roster.place(self.cursor) is None:
            self._stand_on(0 if self.roster.rows else None)
            line = 0
        self.virtual_size = Size(self.size.width, len(self.roster) + 1)
        if line is not None:
            if self.scroll_offset.y > 0:
                self.scroll_to(y=self._place - line, animate=False, force=True)
            self.show_cursor()
        self.repaint()

    def show_cursor(self) -> None:
        """Scroll as little as it takes to see the cursor."""
        top, place = self.scroll_offset.y, self._place
        if place < top:
            self.scroll_to(y=place, animate=False, force=True)
        elif place >= top + self._lines:
            self.scroll_to(y=place - self._lines + 1, animate=False, force=True)

    def cursor_line(self) -> int | None:
        """Return on which line of the screen the cursor is, if it is seen; to be asked before the roster changes."""
        place = self.roster.place(self.cursor)
        line = -1 if place is None else place - self.scroll_offset.y
        return line if 0 <= line < self._lines else None

    def stand_on(self, uid: str) -> None:
        """Put the cursor on a store, where it is shown."""
        place = self.roster.place(uid)
        if place is not None:
            self._move(place)

    def repaint(self) -> None:
        """Draw the lines that differ from what is on the screen."""
        lines = [line for line in range(self.size.height) if self._drawn.get(line) != self._key(line)]
        if lines:
            self.refresh(*(Region(0, line, self.size.width, 1) for line in lines))

    # --- Drawing

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen; the first is the heading."""
        key = self._drawn[y] = self._key(y)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._draw(y)
        return strip

    def _key(self, y: int) -> LineKey:
        width, row = self.size.width, self._row_at(y)
        if row is not None:
            ticking = tuple(column.cell(row.store, self._glyphs, self._now())[0] for column in TICKING)
            uid = row.store.uid
            look = (uid == self.cursor, uid in self.marked, self.has_focus, self.stale)
            return (uid, row.revision, ticking, look, width, self._theme_age)
        if y == 0:
            heading = (self.roster.column.title, self.roster.backwards, self.picked.title, self.has_focus)
            return ("heading", heading, width, self._theme_age)
        words = self._blank_line(y)
        return ("blank", tuple(words), width, self._theme_age)

    def _draw(self, y: int) -> Strip:
        row = self._row_at(y)
        if row is not None:
            return self._draw_row(row)
        return self._draw_heading() if y == 0 else self._draw_blank(self._blank_line(y))

    def _draw_row(self, row: Row) -> Strip:
        store, now = row.store, self._now()
        is_cursor = store.uid == self.cursor
        base = self.get_component_rich_style("table--cursor" if is_cursor else "table--row")
        if self.stale:
            base += DIM
        mark = self._glyphs.mark if store.uid in self.marked else " "
        segments = [Segment(f"{mark} ", base + self.tone("accent"))]
        for column, width in self._layout.columns:
            words, tone = column.cell(store, self._glyphs, now)
            if is_cursor and tone == "quiet":
                tone = "plain"  # muted words are hard to read on the cursor
            if len(words) > width:
                words = column.terse(words)
            segments.append(Segment(clipped(words, width, self._glyphs.ellipsis), base + self.tone(tone)))
            segments.append(Segment(" " * GAP, base))
        return self._full(segments, base)

    def _draw_heading(self) -> Strip:
        base = self.get_component_rich_style("table--header")
        segments = [Segment("  ", base)]
        for column, width in self._layout.columns:
            style = base + self.tone("key") if column == self.picked and self.has_focus else base
            segments.append(Segment(clipped(self._heading(column), width, ""), style))
            segments.append(Segment(" " * GAP, base))
        return self._full(segments, base)

    def _heading(self, column: Column) -> str:
        if column != self.roster.column:
            return column.title
        return f"{column.title} {self._glyphs.descending if self.roster.backwards else self._glyphs.ascending}"

    def _draw_blank(self, words: Pieces) -> Strip:
        base = self.get_component_rich_style("table--row")
        text = shortened(self.text(words), max(0, self.size.width - 4), self._glyphs.ellipsis)
        room = max(0, self.size.width - text.cell_len)
        segments = [Segment(" " * (room // 2), base), *text.render(self.app.console)]
        return self._full(segments, base)

    def _full(self, segments: list[Segment], style: Style) -> Strip:
        width = self.size.width
        return Strip(Segment.apply_style(segments, style)).adjust_cell_length(width, style).crop(0, width)

    def _blank_line(self, y: int) -> Pieces:
        if self.roster.rows:
            return ()
        first = max(1, (self.size.height - len(self.blank)) // 2)
        return self.blank[y - first] if first <= y < first + len(self.blank) else ()

    def _row_at(self, y: int) -> Row | None:
        place = y - 1 + self.scroll_offset.y
        return self.roster.rows[place] if y > 0 and place < len(self.roster) else None

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
        self._move(len(self.roster) - 1)

    def action_open(self) -> None:
        """Show the store under the cursor in full."""
        self.post_message(self.Opened())

    def action_mark(self) -> None:
        """Mark the store under the cursor, or take its mark away, and go on to the next."""
        if self.cursor:
            self.marked ^= {self.cursor}
            self.post_message(self.Marked())
            self.action_down()

    def action_mark_all(self) -> None:
        """Mark every store that is shown, or none where all are."""
        shown = {row.store.uid for row in self.roster.rows if not row.gone}
        self.marked = set() if shown <= self.marked else shown
        self.post_message(self.Marked())
        self.repaint()

    def action_pick(self, step: int) -> None:
        """Pick a column to the left or to the right."""
        columns = [column for column, _ in self._layout.columns]
        place = columns.index(self.picked) if self.picked in columns else 0
        self.picked = columns[(place + step) % len(columns)]
        self.repaint()

    def action_sort(self) -> None:
        """Order by the picked column; the other way round where it does already."""
        self.post_message(self.Picked(self.picked))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the line; a second click opens it; a click on the heading sorts."""
        if event.y == 0:
            column = self._layout.column_at(event.x)
            if column in COLUMNS:
                self.picked = column
                self.post_message(self.Picked(column))
        elif self._row_at(event.y) is not None:
            self._move(event.y - 1 + self.scroll_offset.y)
            if event.chain == 2:
                self.post_message(self.Opened())

    @property
    def _place(self) -> int:
        place = self.roster.place(self.cursor)
        return 0 if place is None else place

    def _move(self, place: int) -> None:
        if self.roster.rows:
            row = self.roster.rows[min(max(0, place), len(self.roster) - 1)]
            self._stand_on(self.roster.place(row.store.uid))
            self.follow()
            self.show_cursor()

    def _stand_on(self, place: int | None) -> None:
        uid = "" if place is None else self.roster.rows[place].store.uid
        if uid != self.cursor:
            self.cursor = uid
            self.roster.hold(uid)
            self.post_message(self.Moved())

    # --- Size, focus, theme

    def on_resize(self, event: events.Resize) -> None:
        """Draw anew with the columns that fit."""
        self._drawn.clear()
        self.follow()
        self.show_cursor()

    def on_focus(self) -> None:
        """Show where keys go."""
        self.repaint()

    def on_blur(self) -> None:
        """Show that keys go elsewhere."""
        self.repaint()

    def watch_stale(self) -> None:
        """Dim what is not live."""
        self.repaint()

    def watch_blank(self) -> None:
        """Say something else."""
        self.repaint()

    def notify_style_update(self) -> None:
        """Draw everything in the colours of the theme."""
        super().notify_style_update()
        self._theme_age += 1
        self._strips.clear()
        self._drawn.clear()
