"""Tables: aligned, fitted to a width by shortening or by wrapping."""

import pytest

from urumi.cli.table import columns_of, shortened, table, wrapped, wrapped_table

ROWS = [("NAME", "PROGRESS", "AGE"), ("shop-1", "waiting for a very long time", "3m"), ("shop-22", "-", "12d")]


def test_columns_are_aligned_and_lines_have_no_blank_ends() -> None:
    assert table(ROWS) == [
        "NAME     PROGRESS                      AGE",
        "shop-1   waiting for a very long time  3m",
        "shop-22  -                             12d",
    ]


def test_without_a_width_nothing_is_omitted() -> None:
    long = "x" * 500
    assert long in table([("A", "B"), (long, "b")])[1]


def test_the_elastic_column_is_shortened_first() -> None:
    assert table(ROWS, width=40, elastic=1, optional=[2]) == [
        "NAME     PROGRESS                    AGE",
        "shop-1   waiting for a very long...  3m",
        "shop-22  -                           12d",
    ]


def test_optional_columns_are_omitted_before_the_elastic_one_becomes_too_short() -> None:
    assert table(ROWS, width=36, elastic=1, optional=[2]) == [
        "NAME     PROGRESS",
        "shop-1   waiting for a very long ...",
        "shop-22  -",
    ]


def test_without_optional_columns_the_elastic_one_becomes_as_short_as_is_needed() -> None:
    assert table(ROWS, width=30, elastic=1, ellipsis="…") == [
        "NAME     PROGRESS          AGE",
        "shop-1   waiting for a v…  3m",
        "shop-22  -                 12d",
    ]


def test_the_first_column_is_shortened_last() -> None:
    name = "a-very-long-name-of-a-store"
    lines = table([("NAME", "PROGRESS"), (name, "waiting for a very long time")], width=24, elastic=1)
    assert lines[1] == "a-very-long...  waiti..."


@pytest.mark.parametrize("width", [1, 2, 5, 10, 20])
def test_no_line_is_wider_than_the_width(width: int) -> None:
    assert max(map(len, table(ROWS, width=width, elastic=1))) <= width


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        pytest.param("plain", 5, id="ascii"),
        pytest.param("Käse", 4, id="one each"),
        pytest.param("雪国", 4, id="two each"),
        pytest.param("e\u0301", 1, id="combining mark"),
    ],
)
def test_the_columns_of_a_text_are_those_of_a_terminal(text: str, columns: int) -> None:
    assert columns_of(text) == columns


def test_wide_letters_are_aligned_and_shortened_by_their_columns() -> None:
    assert table([("雪国", "x"), ("ab", "y")]) == ["雪国  x", "ab    y"]
    assert shortened("雪国雪国", 6, "…") == "雪国…"


def test_the_last_column_is_wrapped_below_itself() -> None:
    rows = [("  Ready", "False", "waiting for wordpress 0/1 and for mariadb 0/1"), ("  Healthy", "True", "")]
    assert wrapped_table(rows, width=45) == [
        "  Ready    False  waiting for wordpress 0/1",
        "                  and for mariadb 0/1",
        "  Healthy  True",
    ]


def test_a_narrow_last_column_continues_at_a_small_indent() -> None:
    rows = [("  StorefrontAnswers", "Unknown", "waiting for wordpress and mariadb")]
    assert wrapped_table(rows, width=40) == [
        "  StorefrontAnswers  Unknown  waiting",
        "    for wordpress and mariadb",
    ]


def test_wrapping_omits_nothing_and_keeps_long_words_whole() -> None:
    url = "http://a-store-with-a-long-name.127.0.0.1.nip.io/wp-admin/"
    lines = wrapped(f"look at {url} for it", width=30)
    assert " ".join(" ".join(lines).split()) == f"look at {url} for it"
    assert any(url in line for line in lines)


def test_a_line_that_fits_is_not_changed() -> None:
    assert wrapped("a  line   with gaps", width=40) == ["a  line   with gaps"]
    assert wrapped("x " * 100, width=None) == ["x " * 100]
