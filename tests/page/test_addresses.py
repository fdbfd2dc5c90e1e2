"""The page at the addresses that people give it: below a path prefix, beside another server, in two tabs, signed out.

The servers are whole ones over a double of the API server.
"""

from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from testing.front import Front, OpenFront
from testing.front import open_front as open_front
from testing.replicas import TOKEN, Replicas
from tests.page.conftest import NETWORK, Console

STORE = "shop-1"


@pytest.fixture(scope="module")
def replicas() -> Iterator[Replicas]:
    """Two servers of one platform, with a store."""
    with Replicas("127.0.0.1", "127.0.0.1", trusted_proxies=(ip_network("127.0.0.0/8"),)) as replicas:
        replicas.create_store(STORE)
        yield replicas


@pytest.fixture
def context(browser: Browser, console: Console) -> Iterator[BrowserContext]:
    """A browser of one user, which accepts the test's certificate; its pages write no unexpected error."""
    context = browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(10_000)
    context.on("page", console.listen)
    console.allow(NETWORK)
    yield context
    context.close()
    assert console.unexpected() == []


def open_page(context: BrowserContext, url: str, token: str = "") -> Page:
    """Open the page in a new tab, sign in if a token is given, and wait until it shows the store."""
    page = context.new_page()
    page.goto(url)
    if token:
        page.get_by_label("Access token").fill(token)
        page.get_by_role("button", name="Sign in").click()
    expect_live(page)
    return page


def expect_live(page: Page) -> None:
    """Wait until the page is live and shows the store."""
    expect(page.locator("#status-state")).to_have_text("Live")
    expect(page.get_by_role("link", name=STORE)).to_be_visible()


@pytest.fixture(scope="module")
def front(replicas: Replicas, open_front: OpenFront) -> Iterator[Front]:
    """The proxy of docs/proxies.md."""
    with open_front(replicas) as front:
        yield front


@pytest.mark.parametrize("path", ["/", "/urumi/", "/urumi"])
def test_the_page_works_behind_a_proxy_at_its_root_and_below_a_prefix(
    context: BrowserContext, front: Front, path: str
) -> None:
    page = open_page(context, f"https://localhost:{front.tls_port}{path}", TOKEN)
    page.reload()
    expect_live(page)
    [cookie] = context.cookies()
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")
    assert cookie["path"] == ("/" if path == "/" else "/urumi/")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Access token")).to_be_visible()
    assert context.cookies() == []


@pytest.mark.parametrize("path", ["", "/urumi", "/urumi/"])
def test_the_page_works_with_a_prefix_that_no_proxy_announces(context: BrowserContext, path: str) -> None:
    with Replicas(root_path="/urumi") as replicas:
        replicas.create_store(STORE)
        page = open_page(context, replicas.urls[0] + path, TOKEN)
        page.reload()
        expect_live(page)


def test_two_servers_on_two_ports_keep_their_sessions(context: BrowserContext, replicas: Replicas) -> None:
    with Replicas() as other:
        other.create_store(STORE)
        pages = [open_page(context, url, TOKEN) for url in (replicas.urls[0], other.urls[0])]
        for page in pages:
            page.reload()
            expect_live(page)


def test_a_cookie_of_the_same_name_from_elsewhere_does_not_matter(context: BrowserContext, replicas: Replicas) -> None:
    name, url = f"urumi_session_{replicas.ports[0]}", replicas.urls[0]
    context.add_cookies([{"name": name, "value": "tossed", "domain": "127.0.0.1", "path": "/session"}])
    context.add_cookies([{"name": name, "value": "tossed", "domain": "127.0.0.1", "path": "/ws"}])
    page = open_page(context, url, TOKEN)
    page.reload()
    expect_live(page)


def test_a_sign_out_ends_other_tabs_and_the_old_cookie_on_every_replica(
    context: BrowserContext, browser: Browser, replicas: Replicas
) -> None:
    one, two = replicas.urls
    first = open_page(context, one, TOKEN)
    second = open_page(context, one)
    [cookie] = context.cookies()
    elsewhere = {**cookie, "name": f"urumi_session_{replicas.ports[1]}"}
    context.add_cookies([elsewhere])  # type: ignore[list-item]
    third = open_page(context, two)

    first.get_by_role("button", name="Sign out").click()
    expect(first.get_by_label("Access token")).to_be_visible()
    for page in (second, third):
        expect(page.locator("#sign-in-error")).to_have_text("You have been signed out. Sign in again.")
        expect(page.locator("#app")).to_be_hidden()

    context.add_cookies([cookie])  # type: ignore[list-item]
    second.reload()
    expect(second.get_by_label("Access token")).to_be_visible()
    assert context.request.get(f"{one}/stores").status == 401


def test_a_session_survives_the_restart_of_every_server_and_its_end_does_too(context: BrowserContext) -> None:
    with Replicas() as replicas:
        replicas.create_store(STORE)
        page = open_page(context, replicas.urls[0], TOKEN)
        [cookie] = context.cookies()
        replicas.restart()
        page.reload()
        expect_live(page)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Access token")).to_be_visible()
        replicas.restart()
        context.add_cookies([cookie])  # type: ignore[list-item]
        page.reload()
        expect(page.get_by_label("Access token")).to_be_visible()


def test_the_longest_token_that_fits_into_a_cookie_signs_in_and_a_longer_one_names_the_limit(
    context: BrowserContext,
) -> None:
    users = {"x" * size: "ada" for size in range(3900, 4097)}
    with Replicas(users=users, auth_mode="kubernetes") as replicas:
        replicas.create_store(STORE)
        page = context.new_page()
        page.goto(replicas.urls[0])
        page.get_by_label("Access token").fill("x" * 4096)
        page.get_by_role("button", name="Sign in").click()
        message = page.locator("#sign-in-error")
        expect(message).to_contain_text("The token is too long for the page: it has 4096 characters")
        most = int((message.text_content() or "").partition("which leaves ")[2].partition(".")[0])
        page.get_by_label("Access token").fill("x" * most)
        page.get_by_role("button", name="Sign in").click()
        expect_live(page)
        expect(page.locator("#user")).to_have_text("ada")
        page.reload()
        expect_live(page)
