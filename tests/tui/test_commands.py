"""Commands by name: the `:` line and the palette."""

import pytest
from textual.command import CommandPalette
from textual.widgets import Input

from testing.peer.server import Peer
from testing.stores import failed, make_store
from tests.tui.driver import Driver, dashboard
from urumi.config import Target

pytestmark = pytest.mark.anyio


async def command(driver: Driver, text: str) -> None:
    """Type a command and enter."""
    await driver.press("colon")
    await driver.type(text)
    await driver.press("enter")


async def test_a_command_is_run_by_its_name(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1"))
    async with dashboard(target) as driver:
        await command(driver, "retry")
        await driver.until_message("Retrying shop-1 now.")


async def test_new_accepts_an_id(target: Target) -> None:
    async with dashboard(target) as driver:
        await command(driver, "new shop-7")
        await driver.until_open("CreateDialog")
        assert driver.app.screen.query_one("#store-id", Input).value == "shop-7"


async def test_go_finds_a_store_that_the_filter_hides(peer: Peer, target: Target) -> None:
    for name in ("shop-1", "shop-2"):
        peer.put(make_store(name))
    async with dashboard(target) as driver:
        await command(driver, "filter shop-1")
        await driver.until(lambda: driver.ids == ["shop-1"], "the filter")
        await command(driver, "go shop-2")
        await driver.until(lambda: driver.cursor == "shop-2", "the cursor to be there")
        await command(driver, "go shop-9")
        await driver.until_message("No store named 'shop-9'.")


async def test_sort_accepts_a_column(peer: Peer, target: Target) -> None:
    for name in ("bbb", "aaa"):
        peer.put(make_store(name))
    async with dashboard(target) as driver:
        await command(driver, "sort name")
        await driver.until_shown("NAME ↑")
        await command(driver, "sort colour")
        await driver.until_message("Unknown column 'colour'. Known columns: name, phase,")


async def test_themes_can_be_chosen_and_an_unknown_one_is_reported(target: Target) -> None:
    async with dashboard(target) as driver:
        await command(driver, "theme urumi-light")
        await driver.until(lambda: driver.app.theme == "urumi-light", "the theme")
        await driver.press("T")
        await driver.until(lambda: driver.app.theme == "urumi-dark", "the other theme")
        await command(driver, "theme pink")
        await driver.until_message("Unknown theme 'pink'.")


async def test_the_palette_offers_every_theme(target: Target) -> None:
    async with dashboard(target) as driver:
        await driver.press("ctrl+p")
        await driver.until(lambda: isinstance(driver.app.screen, CommandPalette), "the palette")
        await driver.type("theme ch")
        await driver.until_shown("theme: choose")
        await driver.press("enter")
        await driver.until_shown("urumi-light")


async def test_an_unknown_command_names_the_nearest(target: Target) -> None:
    async with dashboard(target) as driver:
        await command(driver, "retyr")
        await driver.until_message("Unknown command 'retyr'. Did you mean 'retry'?")
        await command(driver, "retry shop-1")
        await driver.until_message("retry takes no argument, got 'shop-1'.")


async def test_the_command_line_suggests_commands_and_stores(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        await driver.press("colon")
        await driver.type("del")
        line = driver.app.screen.query_one("#prompt-input", Input)
        await driver.until(lambda: line._suggestion == "delete", "the suggestion")
        await driver.press("ctrl+u")
        await driver.type("go sh")
        await driver.until(lambda: line._suggestion == "go shop-1", "the suggestion")
        await driver.press("escape")
        assert driver.app.focused is driver.table


async def test_q_quits(target: Target) -> None:
    async with dashboard(target) as driver:
        await command(driver, "q")
        await driver.until(lambda: driver.app._exit, "the end")


async def test_the_palette_finds_commands_of_the_list(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1"))
    async with dashboard(target) as driver:
        await driver.press("ctrl+p")
        await driver.until(lambda: isinstance(driver.app.screen, CommandPalette), "the palette")
        await driver.until_shown("list: new")
        await driver.type("retry")
        await driver.until_shown("retry now (r)")
        await driver.press("enter")
        await driver.until_message("Retrying shop-1 now.")


async def test_the_palette_finds_stores(peer: Peer, target: Target) -> None:
    for name in ("shop-1", "outlet"):
        peer.put(make_store(name))
    async with dashboard(target) as driver:
        await driver.press("ctrl+p")
        await driver.until(lambda: isinstance(driver.app.screen, CommandPalette), "the palette")
        await driver.type("outlet")
        await driver.until_shown("go to: outlet")
        await driver.press("enter")
        await driver.until(lambda: driver.cursor == "outlet", "the cursor to be there")


async def test_a_command_from_the_details_returns_to_the_list(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        await driver.open("DetailsScreen", "d")
        await command(driver, "failed")
        await driver.until_open("StoresScreen")
        await driver.until_shown("No store matches failed or degraded")
