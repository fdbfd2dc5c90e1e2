"""The lines at the top: the server and the connection, the number of stores in each phase, problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.reactive import reactive

from tui.text.pieces import GAP
from tui.widgets.toned import Toned, shortened

if TYPE_CHECKING:
    from tui.text.glyphs import Glyphs
    from tui.text.pieces import Pieces

    Ends = tuple[Pieces, Pieces]


class TopBar(Toned):
    """A few lines, each with a left and a right end; the left end is shortened first.

    Attributes:
        lines: the left and the right pieces of each line.
    """

    lines: reactive[tuple[Ends, ...]] = reactive(())

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="top")
        self._ellipsis = glyphs.ellipsis

    def watch_lines(self, before: tuple[Ends, ...], lines: tuple[Ends, ...]) -> None:
        """Make room for the lines."""
        if len(before) != len(lines):
            self.styles.height = len(lines)

    def render(self) -> Text:
        """Draw the lines."""
        width, drawn = self.size.width, []
        for left, right in self.lines:
            end = shortened(self.text(right), width, self._ellipsis)
            start = shortened(self.text(left), max(0, width - end.cell_len - GAP), self._ellipsis)
            gap = max(0, width - start.cell_len - end.cell_len)
            drawn.append(Text.assemble(start, " " * gap, end, no_wrap=True, end=""))
        return Text("\n", end="").join(drawn)
