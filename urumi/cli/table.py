"""Plain tables: aligned columns with two spaces between them, and no borders that a screen reader would read aloud.

`table` fits a list to a narrow terminal in this order: the elastic column is shortened, then optional columns are
omitted, then the elastic and the first column are shortened further, and finally the line is cut. `wrapped_table` omits
nothing: it wraps the last column. Widths are terminal columns: a CJK character takes two.
"""

import textwrap
from collections.abc import Iterable, Sequence
from unicodedata import category, east_asian_width

GAP = "  "
COMFORTABLE = 24
NARROWEST = 8


def columns_of(text: str) -> int:
    """Return the number of terminal columns that a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if category(letter) in ("Mn", "Me", "Cf") else 1 + (east_asian_width(letter) in "WF") for letter in text
    )


def shortened(text: str, width: int, ellipsis: str) -> str:
    """Return the text, or as much of it as fits the width together with the ellipsis."""
    if columns_of(text) <= width:
        return text
    end = min(len(text), width)
    while end and columns_of(text[:end]) > width - len(ellipsis):
        end -= 1
    return (text[:end] + ellipsis)[:width]


def table(
    rows: Sequence[Sequence[str]],
    *,
    width: int | None = None,
    ellipsis: str = "...",
    elastic: int = 0,
    optional: Iterable[int] = (),
) -> list[str]:
    """Return the rows as aligned lines.

    Args:
        rows: the cells, including a heading if there is one.
        width: the maximum width of a line; None to omit nothing.
        ellipsis: the mark for omitted text.
        elastic: the index of the column that is shortened first.
        optional: the indexes of the columns that may be left out, in this order.
    """
    natural = [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
    shown = dict(enumerate(natural))
    if width is not None:
        _shorten(shown, elastic, COMFORTABLE, width)
        for column in optional:
            if _excess(shown, width) > 0:
                del shown[column]
                shown[elastic] = natural[elastic]
                _shorten(shown, elastic, COMFORTABLE, width)
        _shorten(shown, elastic, NARROWEST, width)
        _shorten(shown, 0, NARROWEST, width)
    lines = []
    for row in rows:
        cells = ((shortened(row[column], room, ellipsis), room) for column, room in shown.items())
        line = GAP.join(cell + " " * (room - columns_of(cell)) for cell, room in cells).rstrip()
        lines.append(line if width is None else shortened(line, width, ellipsis))
    return lines


def _excess(widths: dict[int, int], width: int) -> int:
    return sum(widths.values()) + len(GAP) * (len(widths) - 1) - width


def _shorten(widths: dict[int, int], column: int, least: int, width: int) -> None:
    widths[column] = max(min(least, widths[column]), widths[column] - max(0, _excess(widths, width)))


def wrapped_table(rows: Sequence[Sequence[str]], *, width: int | None = None) -> list[str]:
    """Return the rows as aligned lines, with the last column wrapped to the width and nothing omitted."""
    *columns, _ = zip(*rows, strict=True)
    indent = sum(max(map(columns_of, column)) + len(GAP) for column in columns)
    return [part for line in table(rows) for part in wrapped(line, width=width, indent=indent)]


def wrapped(line: str, *, width: int | None, indent: int = 4) -> list[str]:
    """Return the line wrapped between words, continued at the indent; a word longer than the width stays whole."""
    if width is None or columns_of(line) <= width:
        return [line]
    return textwrap.wrap(
        line,
        width,
        subsequent_indent=" " * (indent if width - indent >= COMFORTABLE else 4),
        break_long_words=False,
        break_on_hyphens=False,
    )
