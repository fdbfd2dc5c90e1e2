"""The steps of a shopper in a real browser, from a product to a placed order."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, Request, expect

from testing.browser import Console

PATIENCE_MS = 60_000
ADDRESS = {
    "E-mail": "ada@example.org",
    "First name": "Ada",
    "Last name": "Lovelace",
    "Street and number": "12 Engine Street",
    "Postal code": "12345",
    "City": "Springfield",
}

expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def visiting(browser: Browser, url: str, console: Console, viewport: Any) -> Iterator[Page]:
    """Open a page as a new visitor; requests to other hosts and console errors fail the test."""
    foreign_urls: list[str] = []

    def record(request: Request) -> None:
        if not request.url.startswith((url, "data:", "blob:")):
            foreign_urls.append(request.url)

    context = browser.new_context(viewport=viewport, base_url=url, locale="en-US")
    context.set_default_timeout(PATIENCE_MS)
    context.on("request", record)
    page = context.new_page()
    console.listen(page)
    try:
        yield page
    finally:
        context.close()
    assert foreign_urls == []
    assert console.unexpected() == []


def expect_heading(page: Page, words: str) -> None:
    """Wait until the page has this heading."""
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def put_into_cart(page: Page, handle: str, pieces: int = 1) -> None:
    """Put a product's first variant into the cart."""
    page.goto(f"/products/{handle}")
    page.get_by_label("Quantity").fill(str(pieces))
    page.get_by_role("button", name="Add to cart").click()


def go_to_checkout(page: Page) -> None:
    """Continue to the checkout after a product was put into the cart."""
    page.get_by_role("link", name="View cart").click()
    page.get_by_role("link", name="Go to checkout").click()
    expect_heading(page, "Checkout")


def fill_in(page: Page) -> None:
    """Fill in name and address."""
    for label, words in ADDRESS.items():
        page.get_by_label(label, exact=True).fill(words)
    page.get_by_label("Country").select_option("us")


def place_order(page: Page) -> str:
    """Place the order and return its number."""
    page.get_by_role("button", name="Place the order").click()
    expect_heading(page, "Thank you")
    return page.locator("#order-number").inner_text()
