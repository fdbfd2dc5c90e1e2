"""Creating a store: the dialog, its checks, and a refusal."""

import pytest
from starlette.responses import JSONResponse

from testing.peer.server import Peer
from testing.stores import failed, make_store
from tests.tui.driver import dashboard
from urumi.config import Target

pytestmark = pytest.mark.anyio


def refusal(status: int, detail: str, hint: str = "", **more: object) -> JSONResponse:
    """Return a problem as the server sends it."""
    problem = {"type": "urn:urumi:problem:x", "title": "x", "status": status, "detail": detail, "hint": hint, **more}
    return JSONResponse(problem, status)


async def test_a_requested_store_appears_under_the_cursor(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        await driver.open("CreateDialog", "n")
        await driver.type("shop-2")
        await driver.open("StoresScreen", "enter")
        await driver.until(lambda: driver.cursor == "shop-2", "the cursor to be on it")
        await driver.until_message("Store shop-2 requested (Pending).")


async def test_an_id_that_arrives_together_with_the_key_is_typed_completely(peer: Peer, target: Target) -> None:
    async with dashboard(target) as driver:
        driver.burst("n", *"shop", "minus", "1", "enter")
        await driver.until(lambda: "shop-1" in peer.stores, "the store")


async def test_the_id_is_checked_while_it_is_typed(target: Target) -> None:
    async with dashboard(target) as driver:
        await driver.open("CreateDialog", "n")
        assert "3 to 32 lower-case letters" in driver.text()
        await driver.type("Sh")
        await driver.until_shown("The id must have 3 to 32 characters")
        await driver.type("op")
        await driver.until_shown("The id may hold lower-case letters, digits and inner hyphens only")
        assert driver.app.screen.query_one("#confirm").disabled
        await driver.press("enter")
        assert type(driver.app.screen).__name__ == "CreateDialog"


async def test_the_dialog_shows_what_is_created_and_that_an_id_exists(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        await driver.open("CreateDialog", "n")
        await driver.type("shop-1")
        await driver.until_shown("shop-1 already exists: WooCommerce, Ready.")
        await driver.type("0")
        await driver.until_shown("Creates namespace store-shop-10 and release woocommerce-shop-10.")
        await driver.press("tab", "down")
        await driver.until_shown("release medusa-shop-10")


async def test_the_chosen_engine_is_requested(peer: Peer, target: Target) -> None:
    async with dashboard(target) as driver:
        await driver.open("CreateDialog", "n")
        await driver.type("shop-1")
        await driver.press("tab", "down", "enter")
        await driver.until(lambda: "shop-1" in peer.stores, "the store")
    assert peer.stores["shop-1"].engine == "medusa"


async def test_another_engine_for_the_same_name_is_refused_in_the_dialog(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1", engine="medusa"))
    async with dashboard(target) as driver:
        await driver.open("CreateDialog", "n")
        await driver.type("shop-1")
        await driver.press("enter")
        await driver.until(driver.problem, "the refusal")
        assert driver.problem() == "Store shop-1 exists with engine medusa.\nChoose another storeId."
        assert type(driver.app.screen).__name__ == "CreateDialog"


@pytest.mark.parametrize(
    ("status", "detail", "hint"),
    [
        pytest.param(409, "20 of 20 stores are there.", "Delete one first.", id="quota"),
        pytest.param(429, "5 stores in 60 s are the most.", "Come back in 42 s.", id="rate"),
        pytest.param(503, "The cluster does not answer.", "Come back in 5 s.", id="cluster"),
    ],
)
async def test_a_refusal_is_shown_in_the_dialog_and_the_request_can_be_repeated(
    peer: Peer, target: Target, status: int, detail: str, hint: str
) -> None:
    async with dashboard(target) as driver:
        await driver.open("CreateDialog", "n")
        await driver.type("shop-1")
        peer.answer = refusal(status, detail, hint, instance="req-7")
        await driver.press("enter")
        await driver.until(driver.problem, "the refusal")
        assert driver.problem() == f"{detail}\n{hint}\nRequest req-7"
        await driver.press("enter")
        await driver.until(lambda: "shop-1" in peer.stores, "the second attempt")


async def test_a_field_that_the_server_refuses_is_named(peer: Peer, target: Target) -> None:
    async with dashboard(target) as driver:
        await driver.open("CreateDialog", "n")
        await driver.type("shop-1")
        peer.answer = refusal(422, "The body is off.", errors=[{"pointer": "/storeId", "message": "is reserved"}])
        await driver.press("enter")
        await driver.until(driver.problem, "the refusal")
        assert driver.problem() == "The body is off.\nstoreId: is reserved"


async def test_an_invalid_response_is_shown_in_the_dialog(peer: Peer, target: Target) -> None:
    async with dashboard(target) as driver:
        await driver.open("CreateDialog", "n")
        await driver.type("shop-1")
        peer.answer = JSONResponse({"hello": "there"})
        await driver.press("enter")
        await driver.until(lambda: "not an Urumi API response" in driver.problem(), "the refusal")


async def test_escape_closes_the_dialog_without_a_request(peer: Peer, target: Target) -> None:
    async with dashboard(target) as driver:
        await driver.open("CreateDialog", "n")
        await driver.type("shop-1")
        await driver.open("StoresScreen", "escape")
    assert peer.requests == []


async def test_a_filter_that_hides_the_new_store_is_cleared(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1"))
    async with dashboard(target) as driver:
        await driver.open("CreateDialog", "f", "n")
        await driver.type("shop-2")
        await driver.press("enter")
        await driver.until(lambda: driver.cursor == "shop-2", "the cursor to be on it")
