"""The live list: stores that appear, change and disappear without a reload, the filters, and the kept focus."""

import re
from datetime import timedelta

from playwright.sync_api import Locator, Page, expect

from testing.peer.server import Peer
from testing.stores import START, event, many_stores
from tests.page.conftest import open_live, sign_in
from tests.page.stores import make_store


def rows(page: Page) -> Locator:
    """Return the rows that are shown."""
    return page.locator("#store-rows tr:not([hidden])")


def row(page: Page, store_id: str) -> Locator:
    """Return the row of a store."""
    return page.locator("#store-rows tr", has=page.get_by_role("link", name=store_id, exact=True))


def shown_ids(page: Page) -> list[str]:
    """Return the ids in the list, from the top."""
    return rows(page).locator("a").all_text_contents()


def test_an_empty_list_explains_the_first_steps(live_page: Page) -> None:
    expect(live_page.get_by_role("heading", name="No stores yet")).to_be_visible()
    live_page.locator("#first-store").click()
    expect(live_page.get_by_role("dialog", name="New store")).to_be_visible()


def test_stores_appear_change_and_go_live(live_page: Page, peer: Peer) -> None:
    peer.put(make_store("shop-a", "Pending"))
    expect(row(live_page, "shop-a").locator(".phase")).to_have_text("Pending")
    peer.put(
        make_store(
            "shop-a", "Provisioning", progress={"step": "health", "index": 5, "total": 6, "message": "mariadb 0/1"}
        )
    )
    expect(row(live_page, "shop-a").locator(".phase")).to_have_text("Provisioning")
    expect(row(live_page, "shop-a").locator(".now-text")).to_have_text("5/6 health: mariadb 0/1")
    expect(row(live_page, "shop-a").locator("progress")).to_have_js_property("value", 5)
    peer.remove("shop-a")
    expect(rows(live_page)).to_have_count(0)
    expect(live_page.get_by_role("heading", name="No stores yet")).to_be_visible()


def test_a_row_shows_error_engine_age_and_last_event(live_page: Page, peer: Peer) -> None:
    error = {"step": "health", "reason": "ImagePullBackOff", "message": "wordpress 0/1"}
    events = [event("Failed", "gave up", level="error", count=3)]
    peer.put(make_store("shop-a", "Failed", engine="medusa", created_at=START, last_error=error, events=events))
    shop = row(live_page, "shop-a")
    expect(shop.locator(".now-text")).to_have_text("ImagePullBackOff: wordpress 0/1")
    expect(shop.locator(".cell-engine")).to_have_text("Medusa")
    expect(shop.locator(".cell-age")).to_have_text(re.compile(r"^\d+ (s|min|h|d)$"))
    expect(shop.locator(".cell-event")).to_have_text(re.compile(r"^Failed ×3\d+ (s|min|h|d) ago$"))
    expect(shop.locator(".phase svg")).to_have_attribute("aria-hidden", "true")


def test_the_newest_store_is_on_top(live_page: Page, peer: Peer) -> None:
    for store_id, seconds in [("middle", 5), ("oldest", 1), ("newest", 9)]:
        peer.put(make_store(store_id, created_at=START + timedelta(seconds=seconds)))
    expect(rows(live_page)).to_have_count(3)
    assert shown_ids(live_page) == ["newest", "middle", "oldest"]
    peer.put(make_store("oldest", "Pending", uid="made-anew", created_at=START + timedelta(seconds=20)))
    expect(rows(live_page).first.locator("a")).to_have_text("oldest")


def test_a_late_delete_does_not_remove_the_new_store_of_that_name(live_page: Page, peer: Peer) -> None:
    peer.put(make_store("shop-a", uid="first"), make_store("shop-a", "Pending", uid="second"))
    peer.announce_deletion("shop-a", "first")
    peer.put(make_store("shop-b"))
    expect(row(live_page, "shop-b")).to_be_visible()
    expect(row(live_page, "shop-a").locator(".phase")).to_have_text("Pending")


def test_counts_by_phase_filter_the_list_and_the_address_keeps_it(live_page: Page, peer: Peer) -> None:
    peer.put(make_store("good-1"), make_store("good-2"), make_store("bad-1", "Failed"), make_store("new-1", "Pending"))
    failed = live_page.get_by_role("button", name="Failed 1")
    expect(live_page.get_by_role("button", name="Ready 2")).to_be_visible()
    failed.click()
    expect(rows(live_page)).to_have_count(1)
    expect(failed).to_have_attribute("aria-pressed", "true")
    expect(live_page.locator("#shown-count")).to_have_text("1 of 4 stores shown")
    live_page.get_by_role("button", name="Pending 1").click()
    assert sorted(shown_ids(live_page)) == ["bad-1", "new-1"]
    assert live_page.url.endswith("#phase=Pending,Failed")

    live_page.reload()
    expect(rows(live_page)).to_have_count(2)
    expect(failed).to_have_attribute("aria-pressed", "true")


def test_the_order_is_chosen_and_the_address_keeps_it(live_page: Page, peer: Peer) -> None:
    peer.put(
        make_store("b-old", created_at=START, engine="medusa"),
        make_store("c-new", "Failed", created_at=START + timedelta(seconds=9)),
        make_store("a-mid", created_at=START + timedelta(seconds=5), events=[event("Ready", at=7)]),
    )
    expect(rows(live_page).locator("a")).to_have_text(["c-new", "a-mid", "b-old"])
    for words, expected in {
        "Oldest first": ["b-old", "a-mid", "c-new"],
        "By engine": ["b-old", "a-mid", "c-new"],
        "Last event first": ["a-mid", "b-old", "c-new"],
        "By name": ["a-mid", "b-old", "c-new"],
        "Problems first": ["c-new", "a-mid", "b-old"],
    }.items():
        live_page.get_by_label("Sort").select_option(words)
        expect(rows(live_page).locator("a")).to_have_text(expected)
    assert live_page.url.endswith("#sort=phase")
    expect(live_page.get_by_role("columnheader", name="Phase")).to_have_attribute("aria-sort", "ascending")

    live_page.reload()
    expect(rows(live_page).locator("a")).to_have_text(["c-new", "a-mid", "b-old"])
    expect(live_page.get_by_label("Sort")).to_have_value("phase")
    row(live_page, "b-old").locator("a").focus()
    peer.put(make_store("b-old", "Failed", created_at=START))
    expect(rows(live_page).locator("a")).to_have_text(["b-old", "c-new", "a-mid"])
    expect(row(live_page, "b-old").locator("a")).to_be_focused()


def test_of_many_stores_only_the_visible_rows_are_rendered(page: Page, peer: Peer) -> None:
    peer.put(*many_stores(1500))
    sign_in(page, peer)
    open_live(page, peer.url)
    expect(page.get_by_role("button", name="500 more")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("table")).to_have_attribute("aria-rowcount", "1501")
    page.get_by_role("button", name="500 more").scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="500 more")).to_have_count(0)
    row(page, "shop-01499").locator("a").focus()
    page.keyboard.press("End")
    expect(row(page, "shop-00000").locator("a")).to_be_focused(timeout=60_000)
    expect(page.locator("#more-stores")).to_be_hidden()
    page.get_by_label("Filter stores").fill("shop-0000")
    expect(rows(page)).to_have_count(10)


def test_the_text_filter(live_page: Page, peer: Peer) -> None:
    progress = {"step": "health", "index": 5, "total": 6, "message": "mariadb 0/1"}
    peer.put(
        make_store("lamp-1", "Provisioning", created_at=START, progress=progress),
        make_store("book-1", created_at=START, engine="medusa"),
        make_store("tea-1", "Failed", created_at=START, namespace="store-tea-1-shop"),
    )
    for typed, expected in {
        "lamp": ["lamp-1"],
        "MARIADB": ["lamp-1"],
        "!lamp": ["book-1", "tea-1"],
        "engine:medusa": ["book-1"],
        "phase:fail shop": ["tea-1"],
        "phase:fail book": [],
    }.items():
        live_page.get_by_label("Filter stores").fill(typed)
        expect(rows(live_page).locator("a")).to_have_text(expected)


def test_a_text_filter_is_restored_from_the_address_and_applies_to_new_stores(
    page: Page, live_page: Page, peer: Peer
) -> None:
    open_live(live_page, f"{peer.url}/#q=lamp")
    live_page.reload()
    peer.put(make_store("lamp-1"), make_store("book-1"))
    expect(rows(live_page)).to_have_count(1)
    expect(live_page.get_by_label("Filter stores")).to_have_value("lamp")
    peer.put(make_store("lamp-2"))
    expect(rows(live_page)).to_have_count(2)
    live_page.get_by_label("Filter stores").fill("nothing-like-it")
    expect(live_page.get_by_role("heading", name="No matching stores")).to_be_visible()
    live_page.get_by_role("button", name="Show all stores").click()
    expect(rows(live_page)).to_have_count(3)
    assert "q=" not in live_page.url


def test_updates_leave_the_focus_and_the_other_rows_alone(live_page: Page, peer: Peer) -> None:
    peer.put(*many_stores(1000))
    expect(live_page.locator("#shown-count")).to_have_text("1,000 stores")
    expect(rows(live_page)).to_have_count(1000, timeout=60_000)
    row(live_page, "shop-00998").locator("a").focus()
    live_page.evaluate(NOTE_TOUCHED_ROWS)
    peer.put(make_store("shop-00500", "Failed", created_at=START + timedelta(seconds=500)))
    expect(row(live_page, "shop-00500").locator(".phase")).to_have_text("Failed")
    peer.put(make_store("brand-new"))
    expect(rows(live_page).first.locator("a")).to_have_text("brand-new")
    expect(row(live_page, "shop-00998").locator("a")).to_be_focused()
    touched = live_page.evaluate("[...window.touched].filter(Boolean)")
    assert sorted(touched) == ["brand-new", "shop-00500"]


def test_the_focus_moves_on_when_its_row_disappears(live_page: Page, peer: Peer) -> None:
    peer.put(*many_stores(3))
    expect(rows(live_page)).to_have_count(3)
    row(live_page, "shop-00001").locator("a").focus()
    peer.remove("shop-00001")
    expect(row(live_page, "shop-00000").locator("a")).to_be_focused()


def test_a_resync_in_small_parts_replaces_everything_known(live_page: Page, peer: Peer) -> None:
    peer.put(*many_stores(5))
    expect(rows(live_page)).to_have_count(5)
    del peer.stores["shop-00002"]
    peer.resync()
    expect(rows(live_page)).to_have_count(4)
    peer.put(make_store("after-it"))
    expect(rows(live_page)).to_have_count(5)


def test_simulated_containers_are_shown(live_page: Page, peer: Peer) -> None:
    expect(live_page.locator("#simulated")).to_be_hidden()
    peer.put(make_store("shop-a", simulated=True))
    expect(live_page.locator("#simulated")).to_contain_text("Simulated containers")


# Collects in `window.touched` the ids of the rows in which anything except the age changes.
NOTE_TOUCHED_ROWS = """() => {
    window.touched = new Set();
    const rowOf = (node) => node.closest?.("tr") ?? node.parentElement?.closest("tr");
    const note = (node) => window.touched.add(rowOf(node)?.querySelector("a").textContent);
    const noteAll = (records) => {
        for (const { target, addedNodes } of records) {
            if (target.closest?.("time, .event-age")) continue;
            for (const node of [target, ...addedNodes]) note(node);
        }
    };
    const everything = { childList: true, subtree: true, characterData: true, attributes: true };
    new MutationObserver(noteAll).observe(document.getElementById("store-rows"), everything);
}"""
