"""Appearance: sizes from small to large, ASCII, no colour, themes. The snapshots are in test_pictures.py."""

from __future__ import annotations

import pytest

from testing.peer.server import Peer
from testing.stores import make_store
from tests.tui.driver import dashboard
from tests.tui.test_create import refusal
from tests.tui.test_pictures import SIZES, fill
from urumi.config import Target


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.anyio
async def test_name_phase_and_progress_are_visible_at_every_size(
    peer: Peer, target: Target, size: tuple[int, int]
) -> None:
    fill(peer)
    async with dashboard(target, size=size) as driver:
        await driver.press("down")
        await driver.until_shown("spring-sale  ◐ Provisioning")
        lines = driver.lines()
        assert all(len(line) <= size[0] for line in lines)
        assert len(lines) == size[1]
        row = next(line for line in lines[3:] if "outlet-berlin" in line)
        assert "✗ Failed" in row
        assert "ImagePullBackOff" in row
        assert "live" in lines[0]
        assert "? help" in lines[-1]


@pytest.mark.parametrize("size", [(20, 6), (1, 1), (400, 100)], ids=str)
@pytest.mark.anyio
async def test_extreme_sizes_cause_no_error(peer: Peer, target: Target, size: tuple[int, int]) -> None:
    fill(peer)
    async with dashboard(target, size=size) as driver:
        await driver.press("down", "d", "escape", "n", "escape", "question_mark", "escape")
        await driver.pilot.resize_terminal(120, 40)
        await driver.until_shown("outlet-berlin")


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.anyio
async def test_with_ascii_only_ascii_is_drawn(peer: Peer, target: Target, size: tuple[int, int]) -> None:
    fill(peer)
    async with dashboard(target, ascii=True, size=size) as driver:
        places = ((), ("delete",), ("escape", "n"), ("escape", "a"), ("escape", "ctrl+p"), ("escape", "colon"))
        for keys in (*places, ("escape", "d"), ("y",), ("escape", "question_mark")):
            await driver.press(*keys)
            await driver.pilot.pause()
            assert driver.text().isascii(), {letter for letter in driver.text() if not letter.isascii()}
        await driver.press("escape")
        peer.stop()
        await driver.until_shown("reconnecting")
        assert driver.text().isascii()


@pytest.mark.anyio
async def test_without_colour_every_phase_has_its_name_and_the_cursor_is_visible(
    peer: Peer, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    fill(peer)
    async with dashboard(target) as driver:
        assert driver.app.no_color
        for word in ("Provisioning", "Failed", "Degraded", "Ready", "Deleting"):
            assert word in driver.text()
        strips = driver.app.screen._compositor.render_strips()
        grounds = [next(iter(strips[line]._segments)).style.bgcolor for line in (3, 4)]  # type: ignore[union-attr]
        assert grounds[0] != grounds[1]


@pytest.mark.parametrize("theme", ["urumi-dark", "urumi-light", "nord", "textual-light", "ansi-dark"])
@pytest.mark.anyio
async def test_themes_draw_everything(peer: Peer, target: Target, theme: str) -> None:
    fill(peer)
    async with dashboard(target, theme=theme) as driver:
        assert driver.app.theme == theme
        assert "outlet-berlin" in driver.text()


@pytest.mark.anyio
async def test_an_unknown_theme_is_reported_and_the_default_is_used(target: Target) -> None:
    async with dashboard(target, theme="pink") as driver:
        await driver.until_message("Unknown theme 'pink'. Known themes:")
        assert driver.app.is_running


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (100, 30), (160, 50)], ids=str)
@pytest.mark.anyio
async def test_the_list_has_rows_and_every_dialog_its_buttons_at_every_size(
    peer: Peer, target: Target, size: tuple[int, int]
) -> None:
    peer.put(make_store("x" * 32))
    async with dashboard(target, size=size) as driver:
        assert any("✓ Ready" in line and line.startswith("  xxx") for line in driver.lines()[3:])
        await driver.open("DeleteDialog", "delete")
        assert "Cancel" in driver.text()
        await driver.open("AdminDialog", "escape", "a")
        assert "Cancel" in driver.text()
        await driver.open("CreateDialog", "escape", "n")
        await driver.type("shop-1")
        peer.answer = refusal(409, "30 stores are the limit. " * 8, "Delete one first.", instance="req-7")
        await driver.press("enter")
        await driver.until(driver.problem, "the refusal")
        await driver.until_shown("Request req-7")
        assert "Cancel" in driver.text()
