"""Tables and words for stores, as text."""

from datetime import timedelta

import pytest

from testing.stores import START, event, failed, make_store, provisioning
from urumi.cli.store_lines import block, change_line, event_line, row, unseen
from urumi.cli.table import table
from urumi.text import printable, span

NOW = START + timedelta(minutes=3)
ROWS = [("NAME", "PROGRESS", "AGE"), ("shop-1", "waiting for a very long time", "3m"), ("shop-22", "-", "12d")]


def test_columns_are_aligned_and_lines_have_no_blank_ends() -> None:
    assert table(ROWS) == [
        "NAME     PROGRESS                      AGE",
        "shop-1   waiting for a very long time  3m",
        "shop-22  -                             12d",
    ]


def test_without_a_width_nothing_is_left_out() -> None:
    long = "x" * 500
    assert long in table([("A", "B"), (long, "b")])[1]


def test_where_lines_are_too_wide_one_column_gives_way() -> None:
    assert table(ROWS, width=30, elastic=1) == [
        "NAME     PROGRESS          AGE",
        "shop-1   waiting for a...  3m",
        "shop-22  -                 12d",
    ]


def test_a_column_never_vanishes() -> None:
    assert table(ROWS, width=1, elastic=1)[1] == "shop-1   waiting f...  3m"


def test_a_row_tells_what_is_waited_for() -> None:
    cells = ("shop-1", "Provisioning", "5/5 health: waiting for wordpress 0/1", "woocommerce")
    assert row(provisioning(), NOW) == (*cells, "http://shop-1.127.0.0.1.nip.io", "3m")


def test_a_row_tells_why_a_store_failed() -> None:
    assert row(failed(), NOW)[2] == "health: ImagePullBackOff: no image"


def test_empty_cells_are_visible() -> None:
    assert row(make_store(url="", created_at=None), NOW)[2:] == ("-", "woocommerce", "-", "-")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0s"), (0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (7200, "2h"), (86400, "1d"), (900000, "10d")],
)
def test_spans(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_a_block_says_what_to_do_about_an_error() -> None:
    lines = block(failed(simulated=True, next_retry_at=START), NOW)
    text = "\n".join(lines)
    assert lines[0].split() == ["Store", "shop-1"]
    for words in ("ImagePullBackOff", "Check the image.", "simulated", "2026-11-24T10:00:00Z (3m ago)"):
        assert words in text
    assert "Progress" not in text


def test_a_block_has_conditions_and_timeline() -> None:
    condition = {"type": "Ready", "status": "False", "reason": "Waiting", "message": "for\nwordpress"}
    lines = block(make_store(conditions=[condition], events=[event("NamespaceReady", "there")]), NOW)
    assert "  Ready  False  Waiting  for wordpress" in lines
    assert "  2026-11-24T10:00:00Z  NamespaceReady  there" in lines


def test_an_event_line_tells_level_duration_and_repeats() -> None:
    line = event_line(event("AttemptFailed", "no image", level="warning", seconds=1.25, count=3))
    assert line == "2026-11-24T10:00:00Z  AttemptFailed  warning  no image  (1.2 s)  (3 times)"


def test_a_change_line_shows_an_address_only_where_there_is_a_shop() -> None:
    assert change_line(make_store(), START).endswith("Ready  http://shop-1.127.0.0.1.nip.io")
    assert change_line(make_store(phase="Provisioning"), START).endswith("shop-1  Provisioning")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m", id="escape sequence"),
        pytest.param("a\r\nb\tc", "a  b c", id="line ends"),
        pytest.param("\x07\x00\x9b", "\\x07\\x00\\x9b", id="controls"),
        pytest.param("shop\u202egnp", "shop\\u202egnp", id="reversed reading"),
        pytest.param("Käse 雪", "Käse 雪", id="letters stay"),
    ],
)
def test_nothing_from_a_server_moves_the_cursor(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert shown in event_line(event("X", text))


def test_events_are_new_once_and_again_when_they_repeat() -> None:
    seen: set[tuple[object, ...]] = set()
    first, second = event("A", "a"), event("B", "b", at=1)
    repeated = event("B", "b", at=5, count=2)
    assert unseen([first, second], seen) == [first, second]
    assert unseen([first, second], seen) == []
    assert unseen([first, repeated], seen) == [repeated]
    # The oldest one left the bounded timeline; that is no news.
    assert unseen([repeated], seen) == []
