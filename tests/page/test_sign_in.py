"""Signing in and out: what the page shows without a session, and its messages."""

from playwright.sync_api import Page, expect

from testing.peer.api import refusal
from testing.peer.server import Peer
from tests.page.conftest import NETWORK, Console, open_live, sign_in
from tests.page.stores import make_store


def test_without_a_session_the_form_is_shown_and_no_stores(page: Page, page_url: str, console: Console) -> None:
    console.allow(NETWORK)
    page.goto(page_url)
    expect(page.get_by_label("Access token")).to_be_focused()
    expect(page.locator("#app")).to_be_hidden()
    expect(page.locator("#status")).to_be_hidden()


def test_a_wrong_token_is_refused_and_a_right_one_goes_live(page: Page, peer: Peer, console: Console) -> None:
    console.allow(NETWORK)
    page.goto(peer.url)
    token = page.get_by_label("Access token")
    token.fill("not-it")
    token.press("Enter")
    expect(page.locator("#sign-in-error")).to_have_text("Token not accepted.")
    expect(token).to_have_attribute("aria-invalid", "true")
    expect(token).to_be_focused()

    token.fill(peer.token)
    token.press("Enter")
    expect(page.locator("#status-state")).to_have_text("Live")
    expect(page.locator("#user")).to_have_text("admin")
    expect(token).to_have_value("")


def test_an_empty_token_is_not_sent(page: Page, peer: Peer, console: Console) -> None:
    console.allow(NETWORK)
    page.goto(peer.url)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#sign-in-error")).to_have_text("Enter your access token.")
    assert "POST /session" not in peer.calls


def test_the_token_is_not_stored_in_the_browser(page: Page, peer: Peer, console: Console) -> None:
    console.allow(NETWORK)
    page.goto(peer.url)
    page.get_by_label("Access token").fill(peer.token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#status-state")).to_have_text("Live")
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert page.evaluate("document.cookie") == ""
    assert peer.token not in page.content()


def test_a_session_survives_a_reload(live_page: Page, page_url: str) -> None:
    live_page.reload()
    expect(live_page.locator("#status-state")).to_have_text("Live")
    expect(live_page.locator("#sign-in")).to_be_hidden()


def test_signing_out_removes_the_stores_from_the_page(page: Page, peer: Peer) -> None:
    peer.put(make_store("shop-a"))
    sign_in(page, peer)
    open_live(page, peer.url)
    expect(page.get_by_role("link", name="shop-a")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Access token")).to_be_visible()
    assert "shop-a" not in page.content()


def test_a_refused_sign_out_shows_that_the_user_is_still_signed_in(
    live_page: Page, peer: Peer, console: Console
) -> None:
    console.allow(NETWORK)
    peer.answer = refusal(503, "cluster-unreachable", "The Kubernetes API does not answer.")
    live_page.get_by_role("button", name="Sign out").click()
    expect(live_page.locator("#notice-text")).to_contain_text("You are still signed in.")
    expect(live_page.locator("#app")).to_be_visible()


def test_a_session_that_ended_leads_to_the_form_with_a_reason(live_page: Page, peer: Peer, console: Console) -> None:
    console.allow(NETWORK)
    peer.end_sessions()
    live_page.locator("#new-store").click()
    live_page.get_by_label("Store id").fill("shop-b")
    live_page.get_by_role("button", name="Create store").click()
    expect(live_page.locator("#sign-in-error")).to_have_text("Your session has expired. Sign in again.")
    expect(live_page.locator("dialog[open]")).to_have_count(0)


def test_a_refused_live_connection_leads_to_the_form(live_page: Page, peer: Peer, console: Console) -> None:
    console.allow(NETWORK)
    peer.end_sessions()
    peer.hang_up(1012)
    expect(live_page.locator("#sign-in-error")).to_have_text("You have been signed out. Sign in again.")


def test_a_page_whose_server_is_down_reports_it_and_recovers(page: Page, peer: Peer, console: Console) -> None:
    console.allow(NETWORK)
    sign_in(page, peer)
    page.route("**/session", lambda route: route.abort())
    page.goto(peer.url)
    expect(page.locator("#boot-text")).to_contain_text("Server unreachable.")
    page.unroute("**/session")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#status-state")).to_have_text("Live")
