"""The panel of one store: its facts, its live timeline, its actions, and what happens when it is deleted."""

import re

from playwright.sync_api import Page, expect

from testing.peer.api import refusal
from testing.peer.server import Peer
from testing.stores import START, event
from tests.page.conftest import NETWORK, Console, open_live
from tests.page.stores import make_store


def open_store(page: Page, store_id: str) -> None:
    """Open the panel of a store by a click on its row."""
    page.get_by_role("link", name=store_id, exact=True).click()
    expect(page.locator("#panel-heading")).to_have_text(store_id)


def test_opening_a_store_shows_its_facts(live_page: Page, peer: Peer) -> None:
    peer.put(
        make_store(
            "shop-a",
            "Failed",
            attempts=3,
            progress={"step": "health", "index": 5, "total": 6, "message": "waiting for wordpress 0/1"},
            last_error={"step": "health", "reason": "ImagePullBackOff", "message": "no such image", "hint": "Push it."},
            release={"revision": 2, "chart_version": "0.1.0", "digest": "9f2c"},
            requested_by={"user": "admin", "ip": "127.0.0.1", "user_agent": "urumi-tui/0.1.0"},
            conditions=[{"type": "Ready", "status": "False", "reason": "ImagePullBackOff", "message": "no such image"}],
        )
    )
    open_store(live_page, "shop-a")
    panel = live_page.get_by_role("complementary", name="shop-a")
    expect(panel.locator(".phase-line")).to_contain_text("Failed")
    expect(panel.get_by_role("heading", name="Stopped at step 5 of 6: health")).to_be_visible()
    expect(panel.locator(".progress progress")).to_have_attribute("max", "6")
    expect(panel.get_by_role("region", name="Last error: ImagePullBackOff in step health")).to_contain_text(
        "no such image"
    )
    expect(panel.locator(".hint")).to_have_text("What to do: Push it.")
    expect(panel.locator(".when")).to_contain_text("Attempt 3.")
    facts = panel.locator("[data-field=facts]")
    for words in ("store-shop-a", "woocommerce-shop-a", "2, chart 0.1.0", "9f2c", "admin, 127.0.0.1, urumi-tui/0.1.0"):
        expect(facts).to_contain_text(words)
    expect(panel.locator(".conditions li")).to_have_text(re.compile("Ready False ImagePullBackOff.*no such image"))
    assert live_page.url.endswith("#store=shop-a")


def test_the_timeline_grows_live_and_keeps_its_lines(live_page: Page, peer: Peer) -> None:
    first = event("ProvisioningStarted", "the store is new")
    waiting = event("WaitingForWorkloads", "mariadb 0/1", at=3, step="health", count=1, level="warning")
    peer.put(make_store("shop-a", "Provisioning", events=[first]))
    open_store(live_page, "shop-a")
    lines = live_page.locator(".timeline > li")
    expect(lines).to_have_count(1)
    live_page.evaluate("document.querySelector('.timeline > li').dataset.mark = 'kept'")

    peer.put(make_store("shop-a", "Provisioning", events=[first, waiting.model_copy(update={"seconds": 0.25})]))
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("warning: WaitingForWorkloads")
    expect(lines.first).to_contain_text("mariadb 0/1")
    expect(lines.first.locator(".took")).to_have_text("took 0.3 s")
    expect(lines.last).to_have_attribute("data-mark", "kept")

    later = event("WaitingForWorkloads", "mariadb 0/1", at=45, step="health", count=14, level="warning")
    peer.put(make_store("shop-a", "Provisioning", events=[first, later]))
    expect(lines.first.locator(".count")).to_have_text("×14")
    expect(lines.first.locator(".gap")).to_have_text("… 45 s")
    expect(lines).to_have_count(2)


def test_links_to_the_shop_are_shown_only_if_it_can_respond(live_page: Page, peer: Peer) -> None:
    shop = live_page.get_by_role("link", name="http://shop-a.127.0.0.1.nip.io", exact=True)
    peer.put(make_store("shop-a", "Provisioning"))
    open_store(live_page, "shop-a")
    expect(live_page.locator("[data-field=addressNote]")).to_have_text("Available when the store is Ready.")
    expect(shop).to_have_count(0)
    peer.put(make_store("shop-a"))
    expect(shop).to_have_attribute("href", "http://shop-a.127.0.0.1.nip.io")
    expect(shop).to_have_attribute("rel", "noopener noreferrer")
    expect(live_page.get_by_role("link", name="http://shop-a.127.0.0.1.nip.io/wp-admin/")).to_be_visible()

    peer.put(make_store("shop-a", simulated=True))
    expect(live_page.locator("[data-field=addressNote]")).to_have_text("simulated containers: no shop is running")
    expect(shop).to_have_count(0)
    expect(live_page.locator("[data-field=shop]")).to_have_text("http://shop-a.127.0.0.1.nip.io")


def test_id_and_url_can_be_copied(live_page: Page, peer: Peer) -> None:
    live_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    peer.put(make_store("shop-a"))
    open_store(live_page, "shop-a")
    live_page.get_by_role("button", name="Copy id").click()
    expect(live_page.locator("#notice-text")).to_have_text("Copied the id: shop-a")
    assert live_page.evaluate("navigator.clipboard.readText()") == "shop-a"
    live_page.get_by_role("button", name="Copy URL").click()
    expect(live_page.locator("#notice-text")).to_have_text("Copied the URL: http://shop-a.127.0.0.1.nip.io")
    assert live_page.evaluate("navigator.clipboard.readText()") == "http://shop-a.127.0.0.1.nip.io"


def test_retry_calls_the_server_and_the_feed_shows_the_result(live_page: Page, peer: Peer) -> None:
    peer.put(make_store("shop-a", "Failed", last_error={"step": "release", "reason": "Helm", "message": "broken"}))
    open_store(live_page, "shop-a")
    live_page.get_by_role("button", name="Retry now").click()
    expect(live_page.locator("#notice-text")).to_have_text("Retrying shop-a now.")
    expect(live_page.locator(".phase-line")).to_contain_text("Provisioning")
    expect(live_page.get_by_role("heading", name="Last error")).to_be_hidden()
    assert any(request.startswith("POST /stores/shop-a/retry") for request in peer.calls)


def test_a_refused_retry_stays_on_the_page(live_page: Page, peer: Peer, console: Console) -> None:
    console.allow(NETWORK)
    peer.put(make_store("shop-a", "Failed"))
    open_store(live_page, "shop-a")
    peer.answer = refusal(503, "cluster-unreachable", "The Kubernetes API is down.", headers={"Retry-After": "5"})
    live_page.get_by_role("button", name="Retry now").click()
    expect(live_page.locator("#notice-text")).to_have_text(
        "Could not retry shop-a. The Kubernetes API is down. Try again in 5 s."
    )
    live_page.get_by_role("button", name="Dismiss").click()
    expect(live_page.locator("#notice")).to_be_hidden()


def test_a_retry_without_effect_is_disabled_with_a_reason(live_page: Page, peer: Peer) -> None:
    peer.put(make_store("shop-a"))
    open_store(live_page, "shop-a")
    retry = live_page.get_by_role("button", name="Retry now")
    expect(retry).to_have_attribute("aria-disabled", "true")
    expect(live_page.locator("#off-reason")).to_have_text("Nothing to retry: the store is Ready.")
    retry.click(force=True)
    assert not [request for request in peer.calls if "/retry" in request]


def test_a_deleted_store_stays_readable(live_page: Page, peer: Peer) -> None:
    peer.put(make_store("shop-a", "Deleting", events=[event("Deleting", "asked for by admin")]), make_store("shop-b"))
    open_store(live_page, "shop-a")
    peer.remove("shop-a")
    expect(live_page.locator(".deleted-note")).to_have_text(
        re.compile("^shop-a was deleted at .* This is its last known state.$")
    )
    expect(live_page.locator(".phase-line")).to_contain_text("Deleted")
    expect(live_page.locator(".timeline")).to_contain_text("asked for by admin")
    expect(live_page.get_by_role("button", name="Delete…")).to_have_attribute("aria-disabled", "true")
    peer.put(make_store("shop-a", "Pending", uid="another"))
    expect(live_page.locator(".deleted-note")).to_be_hidden()
    expect(live_page.locator(".phase-line")).to_contain_text("Pending")


def test_the_address_opens_a_store_and_back_closes_it(live_page: Page, peer: Peer) -> None:
    peer.put(make_store("shop-a"), make_store("shop-b"))
    open_live(live_page, f"{peer.url}/#store=shop-b")
    expect(live_page.locator("#panel-heading")).to_have_text("shop-b")
    open_store(live_page, "shop-a")
    live_page.go_back()
    expect(live_page.locator("#panel-heading")).to_have_text("shop-b")
    expect(live_page.locator("[aria-current=true]")).to_have_text("shop-b")


def test_an_address_of_an_absent_store_shows_that_it_does_not_exist(live_page: Page, peer: Peer) -> None:
    open_live(live_page, f"{peer.url}/#store=never-was")
    expect(live_page.locator("#panel-blank")).to_contain_text("No store with this id. It may have been deleted.")


def test_times_of_the_timeline_have_the_full_date(live_page: Page, peer: Peer) -> None:
    peer.put(make_store("shop-a", events=[event("Ready", "all healthy", at=7)]))
    open_store(live_page, "shop-a")
    moment = live_page.locator(".timeline time")
    expect(moment).to_have_attribute("datetime", f"{START:%Y-%m-%dT%H:%M}:07Z")
    expect(moment).to_have_attribute("title", re.compile("2026"))
