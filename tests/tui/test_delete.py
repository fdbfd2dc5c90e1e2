"""Deleting: what the dialog lists, what must be typed, and that the right store is deleted."""

from datetime import timedelta

import pytest
from textual.widgets import Button

from testing.peer.server import Peer
from testing.stores import START, failed, make_store
from tests.tui.driver import Driver, dashboard, put_several
from tests.tui.test_create import refusal
from urumi.config import Target

pytestmark = pytest.mark.anyio


async def open_dialog(driver: Driver) -> None:
    """Press delete."""
    await driver.open("DeleteDialog", "delete")


async def test_the_dialog_lists_the_store_its_namespace_and_its_content(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        await open_dialog(driver)
        text = driver.text()
    assert "Delete shop-1?" in text
    assert "orders, customers and products" in text
    assert "release woocommerce-shop-1" in text
    assert "namespace store-shop-1" in text
    assert peer.url in text


async def test_a_foreign_namespace_is_not_listed_for_deletion(peer: Peer, target: Target) -> None:
    error = {"step": "namespace", "reason": "NamespaceNotOurs", "message": "it is left alone"}
    peer.put(make_store("shop-1", "Failed", last_error=error))
    async with dashboard(target) as driver:
        await driver.open("DeleteDialog", "delete")
        assert "namespace store-shop-1 does not belong to it and is kept" in driver.text()
        assert "volumes" not in driver.text()


async def test_enter_cancels_because_cancel_has_the_focus(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1"))
    async with dashboard(target) as driver:
        await open_dialog(driver)
        assert driver.app.focused is driver.app.screen.query_one("#cancel")
        await driver.open("StoresScreen", "enter")
    assert peer.requests == []


async def test_the_name_of_a_ready_store_must_be_typed(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        await open_dialog(driver)
        assert driver.app.screen.query_one("#confirm", Button).disabled
        await driver.type("shop-")
        await driver.press("enter")
        assert type(driver.app.screen).__name__ == "DeleteDialog"
        await driver.type("1")
        await driver.open("StoresScreen", "enter")
        await driver.until_message("Deleting shop-1.")
    assert [(method, path) for method, path, *_ in peer.requests] == [("DELETE", "/stores/shop-1?uid=uid-of-shop-1")]


async def test_a_pasted_confirmation_is_typed_completely(peer: Peer, target: Target) -> None:
    put_several(peer, 2)
    async with dashboard(target) as driver:
        await driver.press("asterisk")
        await open_dialog(driver)
        driver.burst(*"delete", "space", "2", "enter")
        await driver.until_message("Deleting 2 stores.")


async def test_a_failed_store_is_deleted_without_typing(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1"))
    async with dashboard(target) as driver:
        await open_dialog(driver)
        await driver.press("tab", "enter")
        await driver.until_message("Deleting shop-1.")


async def test_the_store_that_was_under_the_cursor_is_deleted_after_the_list_has_moved(
    peer: Peer, target: Target
) -> None:
    put_several(peer, 4, failed)
    async with dashboard(target) as driver:
        await driver.press("down")
        assert driver.cursor == "shop-2"
        await open_dialog(driver)
        peer.remove("shop-3")
        peer.put(failed("shop-9", created_at=START + timedelta(minutes=9)))
        await driver.until(lambda: "shop-9" in driver.ids, "the list to change")
        await driver.press("tab", "enter")
        await driver.until_message("Deleting shop-2.")
    assert [path for _, path, *_ in peer.requests] == ["/stores/shop-2?uid=uid-of-shop-2"]


async def test_a_new_store_of_the_same_name_is_not_deleted(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1", uid="first"))
    async with dashboard(target) as driver:
        await open_dialog(driver)
        peer.remove("shop-1")
        peer.put(make_store("shop-1", uid="second"))
        await driver.until(lambda: len(driver.ids) == 2, "the other store")
        peer.answer = refusal(409, "Store shop-1 is another store by now.")
        await driver.press("tab", "enter")
        await driver.until(driver.problem, "the refusal")
        assert driver.problem() == "Store shop-1 is another store by now."
    assert [path for _, path, *_ in peer.requests] == ["/stores/shop-1?uid=first"]


async def test_a_key_on_a_deleted_store_does_nothing_and_shows_why(peer: Peer, target: Target) -> None:
    put_several(peer, 2, failed)
    async with dashboard(target) as driver:
        assert driver.cursor == "shop-1"
        peer.remove("shop-1")
        await driver.until_shown("– Deleted")
        await driver.press("delete")
        await driver.until_message("Nothing to delete: shop-1 is already deleted.")
        await driver.press("r")
        await driver.until_message("Nothing to retry: shop-1 is deleted.")
    assert peer.requests == []


async def test_a_failure_stays_in_the_dialog(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1"))
    async with dashboard(target) as driver:
        await open_dialog(driver)
        peer.answer = refusal(503, "The cluster does not answer.", "Come back in 5 s.")
        await driver.press("tab", "enter")
        await driver.until(driver.problem, "the refusal")
        assert driver.problem() == "The cluster does not answer.\nCome back in 5 s."
        assert "shop-1" in peer.stores


async def test_a_lost_server_is_shown_in_the_dialog(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1"))
    async with dashboard(target) as driver:
        await open_dialog(driver)
        peer.stop()
        await driver.press("tab", "enter")
        await driver.until(lambda: "unreachable" in driver.problem(), "the problem")
        await driver.open("StoresScreen", "escape")
        assert "shop-1" in driver.text()


async def test_a_store_that_was_already_deleted_is_reported_as_such(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1"))
    async with dashboard(target) as driver:
        await open_dialog(driver)
        del peer.stores["shop-1"]
        await driver.press("tab", "enter")
        await driver.until_message("shop-1 was already deleted.")


async def test_marked_stores_are_deleted_together_once_their_number_is_typed(peer: Peer, target: Target) -> None:
    put_several(peer, 5)
    async with dashboard(target) as driver:
        await driver.press("space", "space", "space")
        await driver.until_shown("3 stores marked")
        await open_dialog(driver)
        assert "Delete 3 stores?" in driver.text()
        assert "shop-4  Ready, namespace store-shop-4" in driver.text()
        await driver.type("delete 3")
        await driver.press("enter")
        await driver.until_message("Deleting 3 stores.")
        await driver.until(lambda: driver.ids == ["shop-1", "shop-0"], "the list without them")
        assert driver.table.marked == set()


async def test_stores_that_could_not_be_deleted_stay_in_the_dialog_with_the_reason(peer: Peer, target: Target) -> None:
    put_several(peer, 3)
    async with dashboard(target) as driver:
        await driver.press("space", "space", "space")
        await open_dialog(driver)
        await driver.type("delete 3")
        peer.answer = refusal(409, "It is another store by now.")
        await driver.press("enter")
        await driver.until(driver.problem, "the refusal")
        assert driver.problem().startswith("Deleting 2 of 3. shop-")
        assert driver.problem().endswith("It is another store by now.")
        await driver.until_shown("Delete shop-")
