"""Text before it is drawn: pieces with a tone, lines of pieces, and rows of cells that are aligned in columns.

A tone names what a piece means (`quiet`, `error`, `ready`); the theme gives it a colour. Text from a server passes
`printable` here or in the widget that draws it, so no control character reaches the terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from urumi.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

Piece = tuple[str, str]  # a text and its tone
Pieces = Sequence[Piece]

GAP = 2  # cells between two columns
NARROWEST_COLUMN = 6


@dataclass(frozen=True, slots=True)
class Line:
    """A line before it is wrapped: the head stands once, the body is indented under itself."""

    head: Pieces = ()
    body: Pieces = ()


def cells(pieces: Iterable[Piece]) -> int:
    """Return how many cells the pieces take."""
    return sum(cell_len(printable(text)) for text, _ in pieces)


def fitted(text: str, width: int, ellipsis: str) -> str:
    """Return the text as exactly `width` cells: padded, or shortened with an ellipsis."""
    # A message of 4 kB is not measured in full for a cell of 40.
    clean = printable(text[: 4 * width + 8])
    if cell_len(clean) <= width and len(text) <= 4 * width + 8:
        return set_cell_size(clean, width)
    return set_cell_size(set_cell_size(clean, max(0, width - 1)).rstrip() + ellipsis, width)


def aligned(rows: Sequence[Pieces], room: int, ellipsis: str, *, right: frozenset[int] = frozenset()) -> list[Pieces]:
    """Return the rows with every column as wide as its widest cell, each followed by a gap.

    Empty columns take no room. If a row would be wider than `room`, the widest columns give way and their cells end
    with an ellipsis. The columns in `right` are aligned to the right.
    """
    if not rows:
        return []
    widths = [max(cell_len(printable(row[place][0])) for row in rows) for place in range(len(rows[0]))]
    while sum(width + GAP for width in widths if width) > room and max(widths) > NARROWEST_COLUMN:
        widths[widths.index(max(widths))] -= 1
    result: list[Pieces] = []
    for row in rows:
        pieces = []
        for place, ((text, tone), width) in enumerate(zip(row, widths, strict=True)):
            cell = fitted(text, width, ellipsis)
            if place in right:
                cell = " " * (width - cell_len(cell.rstrip())) + cell.rstrip()
            if width:
                pieces.append((cell + " " * GAP, tone))
        result.append(pieces)
    return result
