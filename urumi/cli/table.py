"""A plain table: aligned columns, two spaces between them, nothing else that a screen reader would have to spell."""

from collections.abc import Sequence

GAP = "  "
ELLIPSIS = "..."
NARROWEST = 12


def table(rows: Sequence[Sequence[str]], *, width: int | None = None, elastic: int = 0) -> list[str]:
    """Return the rows as aligned lines.

    Args:
        rows: the cells, the heading first.
        width: how wide a line may be; None where nothing may be left out.
        elastic: the column that gives way where the lines are too wide.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if width is not None:
        excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
        widths[elastic] = max(min(NARROWEST, widths[elastic]), widths[elastic] - max(0, excess))
    return [_line(row, widths) for row in rows]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (_shortened(cell, width).ljust(width) for cell, width in zip(row, widths, strict=True))
    return GAP.join(cells).rstrip()


def _shortened(cell: str, width: int) -> str:
    return cell if len(cell) <= width else cell[: width - len(ELLIPSIS)] + ELLIPSIS
