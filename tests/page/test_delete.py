"""Deleting a store: the dialog lists what is deleted, Cancel has the focus, a serving shop's name must be typed."""

from playwright.sync_api import Locator, Page, expect

from testing.peer.server import Peer
from tests.page.conftest import NETWORK, Console
from tests.page.stores import make_store


def open_dialog(page: Page, store_id: str) -> Locator:
    """Open the delete dialog of a store."""
    page.get_by_role("link", name=store_id, exact=True).click()
    page.get_by_role("button", name="Delete…").click()
    dialog = page.get_by_role("dialog", name=f"Delete {store_id}?")
    expect(dialog).to_be_visible()
    return dialog


def test_a_serving_store_is_deleted_only_after_its_name_is_typed(live_page: Page, peer: Peer) -> None:
    peer.put(make_store("shop-a"))
    dialog = open_dialog(live_page, "shop-a")
    expect(dialog).to_contain_text("namespace store-shop-a")
    expect(dialog).to_contain_text("release woocommerce-shop-a")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    confirm = dialog.get_by_role("button", name="Delete store")
    expect(confirm).to_be_disabled()
    name = dialog.get_by_label("Type shop-a to confirm")
    name.fill("shop-")
    name.press("Enter")
    expect(confirm).to_be_disabled()
    name.fill("shop-a")
    confirm.click()
    expect(dialog).to_be_hidden()
    expect(live_page.locator("#notice-text")).to_have_text("shop-a is being deleted.")
    expect(live_page.locator(".phase-line")).to_contain_text("Deleting")
    assert "DELETE /stores/shop-a?uid=uid-of-shop-a" in peer.calls


def test_a_store_that_does_not_serve_is_deleted_without_typing(live_page: Page, peer: Peer) -> None:
    peer.put(make_store("shop-a", "Failed"))
    dialog = open_dialog(live_page, "shop-a")
    expect(dialog.get_by_label("Type shop-a to confirm")).to_be_hidden()
    dialog.get_by_role("button", name="Delete store").click()
    expect(live_page.locator(".phase-line")).to_contain_text("Deleting")


def test_cancel_and_escape_delete_nothing(live_page: Page, peer: Peer) -> None:
    peer.put(make_store("shop-a", "Failed"))
    open_dialog(live_page, "shop-a").get_by_role("button", name="Cancel").click()
    expect(live_page.get_by_role("dialog")).to_have_count(0)
    expect(live_page.get_by_role("button", name="Delete…")).to_be_focused()
    live_page.get_by_role("button", name="Delete…").click()
    live_page.keyboard.press("Escape")
    expect(live_page.get_by_role("dialog")).to_have_count(0)
    expect(live_page.locator("#panel-heading")).to_have_text("shop-a")
    assert not [request for request in peer.calls if request.startswith("DELETE /stores")]


def test_another_store_of_that_name_is_not_deleted(live_page: Page, peer: Peer, console: Console) -> None:
    console.allow(NETWORK)
    peer.put(make_store("shop-a", "Failed", uid="seen"))
    dialog = open_dialog(live_page, "shop-a")
    peer.put(make_store("shop-a", "Pending", uid="another"))
    expect(live_page.locator(".phase-line")).to_contain_text("Pending")
    dialog.get_by_role("button", name="Delete store").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Store shop-a is another store by now.")
    assert "DELETE /stores/shop-a?uid=seen" in peer.calls
    assert peer.stores["shop-a"].phase == "Pending"


def test_a_store_that_was_already_deleted_is_reported(live_page: Page, peer: Peer) -> None:
    peer.put(make_store("shop-a", "Failed"))
    dialog = open_dialog(live_page, "shop-a")
    peer.remove("shop-a")
    dialog.get_by_role("button", name="Delete store").click()
    expect(live_page.locator("#notice-text")).to_have_text("shop-a was already deleted.")


def test_a_dialog_over_outdated_data_shows_its_age(live_page: Page, peer: Peer, console: Console) -> None:
    console.allow(NETWORK)
    peer.put(make_store("shop-a", "Failed"))
    expect(live_page.get_by_role("link", name="shop-a")).to_be_visible()
    peer.stop()
    expect(live_page.locator("#status-state")).to_have_text("Reconnecting")
    dialog = open_dialog(live_page, "shop-a")
    expect(dialog.locator(".stale")).to_contain_text("Showing data from")
    dialog.get_by_role("button", name="Delete store").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Server unreachable.")
    expect(dialog).to_be_visible()
