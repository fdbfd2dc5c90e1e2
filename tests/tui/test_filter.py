"""Filtering the list: the terms, the input line, and the note about the filter."""

from datetime import timedelta

import pytest

from testing.peer.server import Peer
from testing.stores import START, failed, make_store, provisioning
from tests.tui.driver import dashboard
from tui.model.filter import Filter
from urumi.config import Target
from urumi.wire import Store

READY = make_store("summer-sale", engine="medusa")
FAILED = failed("outlet", engine="woocommerce")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("", {"summer-sale", "outlet"}, id="nothing"),
        pytest.param("SALE", {"summer-sale"}, id="a-word-in-any-case"),
        pytest.param("!sale", {"outlet"}, id="without-a-word"),
        pytest.param("phase:fail", {"outlet"}, id="phase"),
        pytest.param("!phase:ready", {"outlet"}, id="not-phase"),
        pytest.param("engine:med", {"summer-sale"}, id="engine"),
        pytest.param("imagepull", {"outlet"}, id="in-the-error"),
        pytest.param("sale phase:failed", set(), id="all-terms"),
        pytest.param("!", set(), id="a-lone-mark"),
        pytest.param("[/x] (", set(), id="no-pattern"),
    ],
)
def test_terms_filter_the_list(text: str, shown: set[str]) -> None:
    test = Filter(text).test()
    assert {store.store_id for store in (READY, FAILED) if test(store)} == shown


def test_failing_leaves_failed_and_degraded_stores() -> None:
    test = Filter(failing=True).test()
    stores: list[Store] = [READY, FAILED, make_store("x-1", "Degraded"), provisioning("x-2")]
    assert [store.store_id for store in stores if test(store)] == ["outlet", "x-1"]


@pytest.mark.anyio
async def test_typing_filters_the_list_and_enter_returns_to_it(peer: Peer, target: Target) -> None:
    for store in (READY, FAILED):
        peer.put(store)
    async with dashboard(target) as driver:
        await driver.press("slash")
        await driver.type("sale")
        await driver.until(lambda: driver.ids == ["summer-sale"], "the list to be narrowed")
        await driver.press("enter")
        assert driver.app.focused is driver.table
        assert driver.cursor == "summer-sale"
        await driver.until_shown("1 of 2 stores")


@pytest.mark.anyio
async def test_escape_shows_all_again(peer: Peer, target: Target) -> None:
    for store in (READY, FAILED):
        peer.put(store)
    async with dashboard(target) as driver:
        await driver.press("slash")
        await driver.type("sale")
        await driver.press("enter")
        await driver.until(lambda: driver.ids == ["summer-sale"], "the list to be narrowed")
        await driver.press("escape")
        await driver.until(lambda: len(driver.ids) == 2, "all stores")
        assert "1 of 2" not in driver.text()


@pytest.mark.anyio
async def test_a_filter_without_matches_is_shown_with_the_way_to_clear_it(peer: Peer, target: Target) -> None:
    peer.put(READY)
    async with dashboard(target) as driver:
        await driver.press("slash")
        await driver.type("zzz")
        await driver.until_shown("No store matches zzz")
        await driver.until_shown("Press esc to show the store.")


@pytest.mark.anyio
async def test_f_shows_failing_stores_and_follows_changes(peer: Peer, target: Target) -> None:
    for store in (READY, FAILED):
        peer.put(store)
    async with dashboard(target) as driver:
        await driver.press("f")
        assert driver.ids == ["outlet"]
        await driver.until_shown("only failed or degraded, 1 of 2 stores")
        peer.put(make_store("x-1", "Degraded"))
        await driver.until(lambda: "x-1" in driver.ids, "the degraded store")
        await driver.press("f")
        assert len(driver.ids) == 3


@pytest.mark.anyio
async def test_keys_that_arrive_at_once_reach_the_right_widgets(peer: Peer, target: Target) -> None:
    for store in (READY, FAILED):
        peer.put(store)
    async with dashboard(target) as driver:
        driver.burst("slash", *"sale", "enter", "space")
        await driver.until(lambda: driver.ids == ["summer-sale"], "the list to be narrowed")
        await driver.until(lambda: len(driver.table.marked) == 1, "the mark")


@pytest.mark.anyio
async def test_keys_after_the_one_that_closes_a_dialog_reach_the_list(peer: Peer, target: Target) -> None:
    for number in range(4):
        peer.put(make_store(f"shop-{number}", created_at=START - timedelta(minutes=number)))
    async with dashboard(target) as driver:
        await driver.open("CreateDialog", "n")
        driver.burst("escape", "down", "down", "down")
        await driver.until(lambda: driver.cursor == "shop-3", "the cursor to be three stores down")


@pytest.mark.anyio
async def test_typed_text_does_not_trigger_keys_of_the_list(peer: Peer, target: Target) -> None:
    peer.put(FAILED)
    async with dashboard(target) as driver:
        await driver.press("slash")
        await driver.type("nrdq?")
        assert type(driver.app.screen).__name__ == "StoresScreen"
    assert peer.requests == []
