"""The columns of the list: which fit a width, and that no two of them touch with the longest names."""

from datetime import timedelta

import pytest
from rich.cells import cell_len

from testing.stores import START, event, failed, make_store, provisioning
from tui.text.columns import AGE, COLUMNS, ENGINE, LAST_EVENT, NAME, PHASE, PROGRESS, URL, layout
from tui.text.glyphs import ASCII, UNICODE, Glyphs
from tui.text.pieces import GAP
from urumi.store import STORE_ID_MAX_LENGTH, Engine, Phase
from urumi.wire import Store

LONG_ID = "x" * STORE_ID_MAX_LENGTH


@pytest.mark.parametrize("longest_id", [3, 16, STORE_ID_MAX_LENGTH])
@pytest.mark.parametrize("width", range(1, 260, 7))
def test_columns_fill_the_width_exactly(width: int, longest_id: int) -> None:
    columns = layout(width, longest_id).columns
    taken = 2 + sum(size for _, size in columns) + GAP * (len(columns) - 1)
    assert taken == width - 1 if width > 55 else taken >= width - 1
    assert columns[0][0] is NAME


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (60, (NAME, PHASE, PROGRESS, AGE)),
        (80, (NAME, PHASE, PROGRESS, ENGINE, AGE)),
        (120, (NAME, PHASE, PROGRESS, ENGINE, AGE, LAST_EVENT)),
        (160, COLUMNS),
    ],
)
def test_a_narrow_list_shows_fewer_columns(width: int, shown: tuple[object, ...]) -> None:
    assert {column for column, _ in layout(width).columns} == set(shown)


@pytest.mark.parametrize("width", [100, 120, 160])
def test_the_longest_id_is_shown_in_full_from_100_columns_on(width: int) -> None:
    assert dict(layout(width, STORE_ID_MAX_LENGTH).columns)[NAME] == STORE_ID_MAX_LENGTH


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160])
def test_progress_keeps_its_minimum_width_with_long_ids(width: int) -> None:
    assert dict(layout(width, STORE_ID_MAX_LENGTH).columns)[PROGRESS] >= 15


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("engine", Engine)
def test_every_phase_and_engine_fits_its_column(glyphs: Glyphs, phase: Phase, engine: Engine) -> None:
    store = make_store(phase=phase, engine=engine)
    sizes = dict(layout(80).columns)
    for column in (PHASE, ENGINE, AGE):
        text, _ = column.cell(store, glyphs, START + timedelta(days=9999))
        assert cell_len(text) <= sizes[column]


def test_the_count_of_a_repeated_event_comes_before_its_type() -> None:
    store = failed(events=[event("ImagePullBackOff", count=12)])
    assert LAST_EVENT.cell(store, UNICODE, START + timedelta(minutes=7))[0] == " 7m ×12 ImagePullBackOff"


def test_a_click_finds_the_column_under_it() -> None:
    chosen = layout(100)
    assert chosen.column_at(0) is None
    assert chosen.column_at(2) is NAME
    assert chosen.column_at(98) is AGE


@pytest.mark.parametrize(
    ("store", "text"),
    [
        pytest.param(provisioning(), "5/5 wordpress 0/1", id="waiting"),
        pytest.param(failed(), "ImagePullBackOff: no image", id="error"),
    ],
)
def test_progress_has_a_terse_form(store: Store, text: str) -> None:
    assert PROGRESS.terse(PROGRESS.cell(store, UNICODE, START)[0]) == text


def test_a_url_is_a_column_of_wide_lists_only() -> None:
    assert URL not in dict(layout(149).columns)
