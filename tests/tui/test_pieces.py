"""Cells that are aligned in columns, shortened where they do not fit, and never touch."""

import pytest
from rich.cells import cell_len

from tui.text.pieces import GAP, Pieces, aligned, cells, fitted


def row(*texts: str) -> Pieces:
    """Return a row of cells."""
    return tuple((text, "plain") for text in texts)


def texts(rows: list[Pieces]) -> list[str]:
    """Return the rows as texts."""
    return ["".join(text for text, _ in each) for each in rows]


def test_each_column_is_as_wide_as_its_widest_cell_and_a_gap() -> None:
    rows = [row("StorefrontAnswers", "Unknown"), row("Ready", "True")]
    assert texts(aligned(rows, 80, "…")) == ["StorefrontAnswers  Unknown  ", "Ready              True     "]


def test_an_empty_column_has_no_width() -> None:
    assert texts(aligned([row("a", "", "b"), row("c", "", "d")], 80, "…")) == ["a  b  ", "c  d  "]


def test_columns_can_be_aligned_to_the_right() -> None:
    assert texts(aligned([row("9 s", "a"), row("10 s", "b")], 80, "…", right=frozenset({0}))) == [
        " 9 s  a  ",
        "10 s  b  ",
    ]


def test_without_rows_there_is_nothing_to_align() -> None:
    assert aligned([], 80, "…") == []
    assert aligned([], -4, "…") == []


def test_columns_keep_a_minimum_width_without_any_space() -> None:
    assert texts(aligned([row("Reconciling", "True")], -4, "…")) == ["Recon…  True  "]


@pytest.mark.parametrize("room", [28, 40, 60])
@pytest.mark.parametrize(
    "text", ["x" * 4096, "商店" * 200, "\x1b[2J" * 20, "a\nb" * 40], ids=["long", "wide", "controls", "lines"]
)
def test_a_row_that_is_too_wide_is_shortened_with_an_ellipsis_and_keeps_its_gaps(room: int, text: str) -> None:
    (line,) = texts(aligned([row(text, "Unknown", text)], room, "…"))
    assert cell_len(line) <= room
    assert line.count("…") == 2
    assert f"{' ' * GAP}Unknown{' ' * GAP}" in line


@pytest.mark.parametrize(
    ("text", "expected"),
    [("abc", "abc "), ("abcd", "abcd"), ("abcde", "abc…"), ("商店商", "商… "), ("a\x1bb", "a\\x…"), ("ab cd", "ab… ")],
)
def test_a_text_is_padded_or_shortened_to_its_cell(text: str, expected: str) -> None:
    assert fitted(text, 4, "…") == expected
    assert cell_len(expected) == 4


def test_the_width_of_a_cell_is_its_width_in_a_terminal() -> None:
    assert cells(row("商店", "a\x07")) == 4 + 5
