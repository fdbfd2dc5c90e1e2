"""Creating a store: the rule for ids is checked while typing, refusals are shown in the dialog."""

import pytest
from playwright.sync_api import Page, expect
from starlette.responses import Response

from testing.peer.api import refusal
from testing.peer.server import Peer
from tests.page.conftest import NETWORK, Console
from tests.page.stores import make_store
from urumi.store import store_id_problem

IDS = [
    "", "a", "ab", "abc", "shop-1", "a-b", "-shop", "shop-", "a--b", "Shop", "shop_1", "shop 1", "shop.1", "1-2",
    "x" * 32, "x" * 33, "ładny", "店店店", "shop\n", "😀😀😀", " shop",
]  # fmt: skip


def open_dialog(page: Page) -> None:
    """Open the dialog for a new store."""
    page.locator("#new-store").click()
    expect(page.get_by_label("Store id")).to_be_focused()


def test_the_rule_for_ids_is_the_same_as_the_servers(live_page: Page) -> None:
    problems = live_page.evaluate(
        "async (ids) => { const {storeIdProblem} = await import('/static/format.js'); return ids.map(storeIdProblem) }",
        IDS,
    )
    assert problems == [store_id_problem(store_id) for store_id in IDS]


def test_a_new_store_is_requested_and_opens(live_page: Page, peer: Peer) -> None:
    open_dialog(live_page)
    live_page.get_by_label("Store id").fill("shop-a")
    expect(live_page.locator("#create-id-help")).to_have_text(
        "Creates namespace store-shop-a and release woocommerce-shop-a."
    )
    live_page.get_by_role("radio", name="Medusa").check()
    expect(live_page.locator("#create-id-help")).to_contain_text("medusa-shop-a")
    live_page.get_by_role("button", name="Create store").click()
    expect(live_page.get_by_role("dialog")).to_have_count(0)
    expect(live_page.locator("#panel-heading")).to_have_text("shop-a")
    expect(live_page.locator("#panel-heading")).to_be_focused()
    expect(live_page.locator("#notice-text")).to_have_text("Store shop-a requested.")
    assert peer.stores["shop-a"].engine == "medusa"


def test_an_invalid_id_is_shown_while_typing_and_not_sent(live_page: Page, peer: Peer) -> None:
    open_dialog(live_page)
    store_id = live_page.get_by_label("Store id")
    words = live_page.locator("#create-id-help")
    store_id.press_sequentially("sh")
    expect(words).to_have_text("The id must have 3 to 32 characters.")
    expect(store_id).not_to_have_attribute("aria-invalid", "true")
    store_id.press_sequentially("op_")
    expect(words).to_have_text("The id may hold lower-case letters, digits and inner hyphens only.")
    expect(store_id).to_have_attribute("aria-invalid", "true")
    store_id.press("Enter")
    expect(store_id).to_be_focused()
    expect(live_page.get_by_role("dialog")).to_be_visible()
    assert "POST /stores" not in peer.calls


def test_too_short_an_id_is_refused_when_it_is_sent(live_page: Page, peer: Peer) -> None:
    open_dialog(live_page)
    live_page.get_by_label("Store id").fill("ab")
    live_page.get_by_role("button", name="Create store").click()
    expect(live_page.get_by_label("Store id")).to_have_attribute("aria-invalid", "true")
    assert "POST /stores" not in peer.calls


def test_a_conflict_is_shown_in_the_dialog(live_page: Page, peer: Peer, console: Console) -> None:
    console.allow(NETWORK)
    peer.put(make_store("shop-a", engine="medusa"))
    expect(live_page.get_by_role("link", name="shop-a")).to_be_visible()
    open_dialog(live_page)
    live_page.get_by_label("Store id").fill("shop-a")
    expect(live_page.locator("#create-id-help")).to_have_text("Store shop-a already exists (Medusa, Ready).")
    live_page.get_by_role("button", name="Create store").click()
    problem = live_page.get_by_role("dialog").get_by_role("alert")
    expect(problem).to_contain_text("Store shop-a exists with engine medusa.")
    expect(problem).to_contain_text("Choose another storeId.")
    expect(live_page.get_by_label("Store id")).to_have_value("shop-a")


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        pytest.param(
            refusal(409, "quota-exceeded", "50 of 50 stores exist.", hint="Delete a store.", instance="req-7"),
            ["50 of 50 stores exist.", "Delete a store.", "Request id: req-7"],
            id="quota",
        ),
        pytest.param(
            refusal(429, "rate-limited", "5 stores in 60 s is the limit.", headers={"Retry-After": "42"}),
            ["5 stores in 60 s is the limit.", "Try again in 42 s."],
            id="rate",
        ),
        pytest.param(
            refusal(503, "cluster-unreachable", "The Kubernetes API does not answer.", headers={"Retry-After": "5"}),
            ["The Kubernetes API does not answer.", "Try again in 5 s."],
            id="cluster",
        ),
        pytest.param(
            refusal(422, "invalid-request", "No such field.", errors=[{"pointer": "/x", "message": "m"}]),
            ["No such field."],
            id="body",
        ),
    ],
)
def test_refusals_are_shown_with_their_hint(
    live_page: Page, peer: Peer, console: Console, refused: Response, words: list[str]
) -> None:
    console.allow(NETWORK)
    open_dialog(live_page)
    live_page.get_by_label("Store id").fill("shop-a")
    peer.answer = refused
    live_page.get_by_role("button", name="Create store").click()
    for each in words:
        expect(live_page.get_by_role("dialog").get_by_role("alert")).to_contain_text(each)
    live_page.get_by_role("button", name="Create store").click()
    expect(live_page.locator("#panel-heading")).to_have_text("shop-a")


def test_an_error_of_the_id_is_shown_at_the_id(live_page: Page, peer: Peer, console: Console) -> None:
    console.allow(NETWORK)
    open_dialog(live_page)
    live_page.get_by_label("Store id").fill("shop-a")
    errors = [{"pointer": "/storeId", "message": "That id is reserved."}]
    peer.answer = refusal(422, "invalid-request", "That id is reserved.", errors=errors)
    live_page.get_by_role("button", name="Create store").click()
    expect(live_page.locator("#create-id-help")).to_have_text("That id is reserved.")
    expect(live_page.get_by_label("Store id")).to_have_attribute("aria-invalid", "true")


def test_without_a_response_the_dialog_stays_and_shows_why(live_page: Page, console: Console) -> None:
    console.allow(NETWORK)
    open_dialog(live_page)
    live_page.get_by_label("Store id").fill("shop-a")
    live_page.route("**/stores", lambda route: route.abort())
    live_page.get_by_role("button", name="Create store").click()
    expect(live_page.get_by_role("dialog").get_by_role("alert")).to_contain_text("Server unreachable.")


def test_the_dialog_waits_for_the_response(live_page: Page, peer: Peer) -> None:
    open_dialog(live_page)
    live_page.get_by_label("Store id").fill("shop-a")
    peer.answers.clear()
    live_page.get_by_role("button", name="Create store").click()
    expect(live_page.get_by_role("button", name="Creating…")).to_be_visible()
    live_page.keyboard.press("Enter")
    live_page.keyboard.press("Escape")
    expect(live_page.get_by_role("dialog")).to_be_visible()
    peer.answers.set()
    expect(live_page.get_by_role("dialog")).to_have_count(0)
    assert peer.calls.count("POST /stores") == 1


def test_a_request_for_an_existing_store_opens_it(live_page: Page, peer: Peer) -> None:
    peer.put(make_store("shop-a"))
    open_dialog(live_page)
    live_page.get_by_label("Store id").fill("shop-a")
    live_page.get_by_role("button", name="Create store").click()
    expect(live_page.locator("#notice-text")).to_have_text("Store shop-a already exists.")


def test_a_reopened_dialog_is_empty(live_page: Page) -> None:
    open_dialog(live_page)
    live_page.get_by_label("Store id").fill("Bad_")
    live_page.keyboard.press("Escape")
    expect(live_page.get_by_role("dialog")).to_have_count(0)
    expect(live_page.locator("#new-store")).to_be_focused()
    open_dialog(live_page)
    expect(live_page.get_by_label("Store id")).to_have_value("")
    expect(live_page.locator("#create-id-help")).to_contain_text("3 to 32")
