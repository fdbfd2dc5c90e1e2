"""A real Chromium, a peer as its server, and a console without errors.

Most tests need `page_url` and the page; only those that make the server misbehave use `peer`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from testing.browser import NETWORK as NETWORK
from testing.browser import Console as Console
from testing.browser import launched
from testing.peer.server import Peer

PASSWORD = "s3<b>cret"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def shared_context(browser: Browser) -> Iterator[BrowserContext]:
    """One context for all tests, so that the page's files are fetched once; its cookies last for one test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture(scope="session")
def shared_peer() -> Iterator[Peer]:
    """The one server of the run; its address stays the same."""
    peer = Peer()
    peer.start()
    yield peer
    peer.stop()


@pytest.fixture
def peer(shared_peer: Peer) -> Peer:
    """A server without stores."""
    shared_peer.start_over()
    shared_peer.on_delete = shared_peer.begin_deletion
    shared_peer.password = PASSWORD
    return shared_peer


@pytest.fixture
def page_url(peer: Peer) -> str:
    """The address of the page."""
    return peer.url


@pytest.fixture
def console() -> Console:
    """The console of the test's page."""
    return Console()


@pytest.fixture
def page(shared_context: BrowserContext, console: Console) -> Iterator[Page]:
    """A page without a session, which fails the test for any error on its console."""
    shared_context.clear_cookies()
    page = shared_context.new_page()
    console.listen(page)
    yield page
    for each in shared_context.pages:
        each.close()
    shared_context.clear_permissions()
    assert console.unexpected() == []


@pytest.fixture
def live_page(page: Page, peer: Peer) -> Page:
    """A page that is signed in and live."""
    sign_in(page, peer)
    open_live(page, peer.url)
    return page


def sign_in(page: Page, peer: Peer) -> None:
    """Put the session's cookie into the page's context."""
    answer = page.context.request.post(f"{peer.url}/session", data={"token": peer.token})
    assert answer.status == 204


def open_live(page: Page, url: str) -> None:
    """Open the page and wait until it is live and painted."""
    page.goto(url)
    expect(page.locator("#status-state")).to_have_text("Live")
    expect(page.locator("#empty-waiting")).to_be_hidden()


def static_file(name: str) -> str:
    """Return the text of a file of the page."""
    return (Path(__file__).resolve().parents[2] / "server" / "static" / name).read_text()
