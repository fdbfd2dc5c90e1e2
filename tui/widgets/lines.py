"""Lines of text that wrap under a hanging indent and scroll.

With `tail`, the view follows new lines while its end is visible. After scrolling up it stays where it is and counts the
new lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.model.keymap import LINES
from tui.text.pieces import cells
from tui.widgets.bindings import bindings
from tui.widgets.toned import Toned, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import ClassVar

    from textual import events
    from textual.binding import BindingType

    from tui.text.pieces import Line

NARROWEST_BODY = 16


class LinesView(Toned, ScrollView, can_focus=True):
    """Shows lines.

    Attributes:
        unread: how many lines were added below since the end was visible.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(LINES)

    class Read(Message):
        """The number of unread lines has changed."""

    def __init__(self, ellipsis: str, *, tail: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._ellipsis = ellipsis
        self.unread = 0
        self._tail = tail
        self._is_at_end = tail
        self._lines: Sequence[Line] = ()
        self._strips: list[Strip] = []

    def show(self, lines: Sequence[Line], *, reset: bool = False) -> None:
        """Show other lines; `reset` also resets the scroll position."""
        if reset:
            self._is_at_end = self._tail
            self.unread = 0
        elif list(lines) == list(self._lines):
            return
        elif not self._is_at_end:
            self.unread += max(0, len(lines) - len(self._lines))
        self._lines = lines
        self._flow()
        if reset and not self._tail:
            self.scroll_to(y=0, animate=False, force=True)
        self.post_message(self.Read())

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        place = y + self.scroll_offset.y
        if place < len(self._strips):
            return self._strips[place]
        return Strip.blank(self.size.width, self.rich_style)

    def action_lines(self, lines: int) -> None:
        """Scroll by lines."""
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False, force=True)

    def action_pages(self, pages: int) -> None:
        """Scroll by pages."""
        self.action_lines(pages * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """Go to the start."""
        self.scroll_to(y=0, animate=False, force=True)

    def action_last(self) -> None:
        """Go to the end."""
        self.scroll_to(y=self.max_scroll_y, animate=False, force=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Update whether the end is visible."""
        super().watch_scroll_y(old_value, new_value)
        self._is_at_end = self._tail and round(new_value) >= self.max_scroll_y
        if self._is_at_end and self.unread:
            self.unread = 0
            self.post_message(self.Read())

    def on_resize(self, event: events.Resize) -> None:
        """Wrap for the new width."""
        self._flow()

    def notify_style_update(self) -> None:
        """Draw everything in the colours of the new theme."""
        super().notify_style_update()
        if self.is_attached:
            self._flow()

    def _flow(self) -> None:
        width = self.scrollable_content_region.width  # the column of the scrollbar is reserved even while it is hidden
        if width <= 0:
            return
        was_at_end = self._is_at_end
        self._strips = [strip for line in self._lines for strip in self._wrapped(line, width)]
        self.virtual_size = Size(width, len(self._strips))
        if was_at_end:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
            self._is_at_end = True
        self.refresh()

    def _wrapped(self, line: Line, width: int) -> Iterable[Strip]:
        indent = cells(line.head)
        if width - indent < NARROWEST_BODY:
            indent = min(2, width - 1)
        body = self.text(line.body)
        parts = body.wrap(self.app.console, max(1, width - indent), overflow="fold", no_wrap=False) or [body]
        head = shortened(self.text(line.head), width, self._ellipsis)
        lead = list(head.render(self.app.console))
        if cell_len(head.plain) > indent:
            yield self._strip(lead, width)
            lead = [Segment(" " * indent)]
        for part in parts:
            part.rstrip()
            yield self._strip([*lead, *part.render(self.app.console)], width)
            lead = [Segment(" " * indent)]

    def _strip(self, segments: list[Segment], width: int) -> Strip:
        styled = Segment.apply_style(segments, self.rich_style)
        return Strip(styled).adjust_cell_length(width, self.rich_style).crop(0, width)
