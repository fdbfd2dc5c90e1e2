"""A store's admin account: shown after a confirmation, copied, and removed from the page when the dialog closes."""

from playwright.sync_api import Locator, Page, expect

from testing.peer.api import refusal
from testing.peer.server import Peer
from tests.page.conftest import NETWORK, PASSWORD, Console
from tests.page.stores import make_store


def open_dialog(page: Page, store_id: str) -> Locator:
    """Open the dialog of a store's admin account."""
    page.get_by_role("link", name=store_id, exact=True).click()
    page.get_by_role("button", name="Admin account…").click()
    return page.get_by_role("dialog", name=f"Admin account of {store_id}")


def readings(peer: Peer) -> int:
    """Return how often an account was read."""
    return len([request for request in peer.calls if request.endswith("/credentials")])


def test_the_account_is_shown_after_a_confirmation_and_removed_with_the_dialog(live_page: Page, peer: Peer) -> None:
    live_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    peer.put(make_store("shop-a"))
    dialog = open_dialog(live_page, "shop-a")
    expect(dialog).to_contain_text("the server's audit log records it")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    assert readings(peer) == 0
    dialog.get_by_role("button", name="Show account").click()
    expect(dialog.locator("[data-field=username]")).to_have_text("admin")
    expect(dialog.locator("[data-field=password]")).to_have_text(PASSWORD)
    assert "s3&lt;b" in live_page.content()
    expect(dialog.get_by_role("link", name="Open the shop's admin page")).to_have_attribute(
        "href", "http://shop-a.127.0.0.1.nip.io/wp-admin/"
    )
    expect(dialog.get_by_role("button", name="Copy password")).to_be_focused()
    live_page.keyboard.press("Enter")
    expect(dialog.get_by_role("status")).to_have_text("Copied the password.")
    assert live_page.evaluate("navigator.clipboard.readText()") == PASSWORD

    dialog.get_by_role("button", name="Close").click()
    expect(live_page.locator("[data-field=password]")).to_have_text("")
    assert "s3&lt;b" not in live_page.content()
    live_page.get_by_role("button", name="Admin account…").click()
    expect(dialog.get_by_role("button", name="Show account")).to_be_visible()
    expect(dialog.locator("[data-field=password]")).to_be_hidden()
    assert readings(peer) == 1


def test_the_account_of_another_store_of_that_name_is_refused(live_page: Page, peer: Peer, console: Console) -> None:
    console.allow(NETWORK)
    peer.put(make_store("shop-a", uid="seen"))
    dialog = open_dialog(live_page, "shop-a")
    peer.put(make_store("shop-a", uid="another"))
    dialog.get_by_role("button", name="Show account").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Store shop-a is another store by now.")
    peer.answer = refusal(409, "conflict", "Store shop-a has no admin account.", hint="Wait for it.")
    dialog.get_by_role("button", name="Show account").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Wait for it.")


def test_a_simulated_shop_has_an_account_and_no_page_to_open(live_page: Page, peer: Peer) -> None:
    peer.put(make_store("shop-a", simulated=True))
    dialog = open_dialog(live_page, "shop-a")
    dialog.get_by_role("button", name="Show account").click()
    expect(dialog.locator("[data-field=username]")).to_have_text("admin")
    expect(dialog.get_by_role("link")).to_have_count(0)


def test_signing_out_removes_the_account(live_page: Page, peer: Peer, console: Console) -> None:
    console.allow(NETWORK)
    peer.put(make_store("shop-a"))
    dialog = open_dialog(live_page, "shop-a")
    dialog.get_by_role("button", name="Show account").click()
    expect(dialog.locator("[data-field=username]")).to_have_text("admin")
    peer.end_sessions()
    peer.hang_up(1012)
    expect(live_page.get_by_label("Access token")).to_be_visible()
    expect(live_page.locator("[data-field=password]")).to_have_text("")
    assert "s3&lt;b" not in live_page.content()
