"""The shop in a real Chromium: on a phone, from the catalogue to an order that the merchant finds.

The browser ends with this module; tests/conftest.py runs it after every async test.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page, expect

from testing.browser import NETWORK, Console, launched
from testing.shops.medusa.api_clients import fetch
from testing.shops.medusa.checkout import expect_heading, fill_in, go_to_checkout, place_order, put_into_cart, visiting
from testing.shops.medusa.shop import ADMIN_EMAIL, TITLE, Shop

if TYPE_CHECKING:
    import httpx2

    from tests.shops.medusa.conftest import OpenShop

PHONE: Any = {"width": 360, "height": 740}
DESKTOP: Any = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    with launched() as browser:
        yield browser


@pytest.fixture
def console() -> Console:
    """The console of the test's page."""
    return Console()


@pytest.fixture(params=[PHONE], ids=["phone"])
def page(browser: Browser, shop: Shop, console: Console, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A new visitor's page; requests to other hosts and console errors fail the test."""
    with visiting(browser, shop.url, console, request.param) as page:
        yield page


def is_not_wider_than_the_screen(page: Page) -> bool:
    """Whether the page fits the screen without horizontal scrolling."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def pictures_are_square(page: Page) -> bool:
    """Whether every picture has the shape that the layout gives it."""
    boxes = [picture.bounding_box() for picture in page.locator("main img").all()]
    return all(box and abs(box["width"] - box["height"]) < 1 for box in boxes)


@pytest.mark.parametrize("page", [PHONE, DESKTOP], ids=["phone", "desktop"], indirect=True)
def test_a_visitor_orders_with_cash_on_delivery_and_the_merchant_finds_it(page: Page, shop: Shop) -> None:
    page.goto("/")
    expect_heading(page, TITLE)
    expect(page.get_by_role("listitem")).to_have_count(4)
    assert pictures_are_square(page)
    assert is_not_wider_than_the_screen(page)

    page.get_by_role("link", name="Stoneware mug").click()
    expect_heading(page, "Stoneware mug")
    page.get_by_role("radio", name="Slate").check()
    page.get_by_label("Quantity").fill("2")
    assert is_not_wider_than_the_screen(page)
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="View cart").click()

    expect_heading(page, "Your cart")
    expect(page.locator("#cart-count")).to_have_text("2")
    assert pictures_are_square(page)
    assert is_not_wider_than_the_screen(page)
    page.get_by_role("link", name="Go to checkout").click()

    expect_heading(page, "Checkout")
    expect(page.get_by_role("radio", name="Cash on delivery")).to_be_checked()
    expect(page.locator("#total")).to_have_text("$41.00")
    assert is_not_wider_than_the_screen(page)
    fill_in(page)
    expect(page.locator("#total")).to_have_text("$41.00")
    number = place_order(page)

    assert is_not_wider_than_the_screen(page)
    expect(page.get_by_text("Have $41.00 in cash ready")).to_be_visible()
    expect(page.locator("#cart-count")).to_be_hidden()
    with shop.merchant() as merchant:
        fields = {"fields": "display_id,email,total,payment_status,*items,*shipping_address"}
        orders = fetch(merchant, "GET", "/admin/orders", params=fields)["orders"]
    [order] = [each for each in orders if f"#{each['display_id']}" == number]
    assert (order["email"], order["total"], order["payment_status"]) == ("ada@example.org", 41, "authorized")
    assert [(item["variant_title"], item["quantity"]) for item in order["items"]] == [("Slate", 2)]
    assert order["shipping_address"]["address_1"] == "12 Engine Street"

    page.reload()
    expect_heading(page, "Thank you")


def test_a_cart_can_be_changed_and_emptied_and_survives_a_reload(page: Page) -> None:
    put_into_cart(page, "beeswax-candle")
    page.get_by_role("link", name="View cart").click()
    page.get_by_label("Quantity of Beeswax candle").fill("3")
    page.get_by_label("Quantity of Beeswax candle").press("Enter")
    expect(page.locator("#total")).to_have_text("$36.00")

    page.reload()
    expect(page.locator("#total")).to_have_text("$36.00")
    page.get_by_role("button", name="Remove Beeswax candle").click()
    expect(page.get_by_text("Your cart is empty.")).to_be_visible()


def test_an_incomplete_form_names_what_is_missing(page: Page) -> None:
    put_into_cart(page, "beeswax-candle")
    go_to_checkout(page)
    page.get_by_label("E-mail").fill("ada")
    page.get_by_role("button", name="Place the order").click()

    expect(page.get_by_text("Enter a valid e-mail address")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_be_focused()
    expect(page.get_by_text("This field is required.")).to_have_count(5)
    fill_in(page)
    expect(page.get_by_text("This field is required.")).to_have_count(0)


def set_stock(merchant: "httpx2.Client", sku: str, pieces: int) -> None:
    """Set the stock of a variant, as the merchant."""
    query = {"sku": sku, "fields": "id,*location_levels"}
    [item] = fetch(merchant, "GET", "/admin/inventory-items", params=query)["inventory_items"]
    path = f"/admin/inventory-items/{item['id']}/location-levels/{item['location_levels'][0]['location_id']}"
    reserved = item["location_levels"][0]["reserved_quantity"]
    fetch(merchant, "POST", path, json={"stocked_quantity": pieces + reserved})


def test_a_sold_out_product_is_labelled_and_an_excessive_quantity_is_refused(
    page: Page, shop: Shop, console: Console
) -> None:
    with shop.merchant() as merchant:
        set_stock(merchant, "dotted-notebook-a5", 2)
        page.goto("/products/dotted-notebook")
        expect(page.get_by_text("Only 2 left")).to_be_visible()
        put_into_cart(page, "dotted-notebook", 2)
        expect(page.get_by_role("main")).to_contain_text("Added 2 × Dotted notebook to your cart")

        # The backend detects that the second step exceeds the stock by one.
        console.allow(NETWORK)
        put_into_cart(page, "dotted-notebook")
        expect(page.get_by_role("alert")).to_contain_text("not enough stock")

        set_stock(merchant, "dotted-notebook-a5", 0)
        page.goto("/")
        expect(page.get_by_role("link", name="Dotted notebook")).to_contain_text("Sold out")
        page.goto("/products/dotted-notebook")
        expect(page.get_by_role("main")).to_contain_text("Sold out")
        expect(page.get_by_role("button", name="Add to cart")).to_be_disabled()
        set_stock(merchant, "dotted-notebook-a5", 100)


def test_an_unknown_address_shows_not_found(page: Page, console: Console) -> None:
    console.allow(NETWORK)
    for path, words in (("/nothing", "Page not found."), ("/products/none", "not available")):
        page.goto(path)
        expect_heading(page, "Sorry")
        expect(page.get_by_role("alert")).to_contain_text(words)
    page.get_by_role("link", name="Back to the shop").click()
    expect_heading(page, TITLE)


def test_the_shop_can_be_used_by_keyboard(page: Page) -> None:
    page.goto("/")
    expect_heading(page, TITLE)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_role("link", name="Canvas tote").focus()
    page.keyboard.press("Enter")
    expect_heading(page, "Canvas tote")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.go_back()
    expect_heading(page, TITLE)
    assert page.title() == f"Shop · {TITLE}"


@pytest.mark.parametrize("page", [DESKTOP], ids=["desktop"], indirect=True)
def test_the_administrator_signs_in_to_the_admin_over_http(page: Page, shop: Shop, console: Console) -> None:
    # The admin requests the current user before the sign-in, and writes its own warnings.
    console.allow(".*")
    page.goto("/app/login")
    page.locator("input[name=email]").fill(ADMIN_EMAIL)
    page.locator("input[name=password]").fill(shop.password)
    page.get_by_role("button", name=re.compile("continue", re.IGNORECASE)).click()

    expect(page).to_have_url(re.compile("/app/orders"))
    expect(page.get_by_role("link", name="Products")).to_be_visible()
    cookies = {cookie.get("name"): cookie for cookie in page.context.cookies()}
    assert cookies["connect.sid"].get("secure") is False


def test_a_backend_that_is_down_is_reported_and_its_return_is_detected(
    page: Page, open_shop: "OpenShop", console: Console
) -> None:
    console.allow(NETWORK)
    put_into_cart(page, "canvas-tote")
    expect(page.locator("#cart-count")).to_have_text("1")
    open_shop.backend.stop()
    try:
        page.get_by_role("link", name="View cart").click()
        expect(page.get_by_role("alert")).to_contain_text("The shop is temporarily unavailable (502)")
    finally:
        open_shop.backend.start()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("main")).to_contain_text("Canvas tote")
