"""Another site in the browser of a signed-in user: a real second origin that tries to read and to change stores.

It is served once as `localhost`, another site than the page's 127.0.0.1, to which the browser sends no cookie; and once
as 127.0.0.1 on another port, the same site to which it does. Both are refused.
"""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, Response, expect

from testing.serve import ServerProcess
from tests.page.conftest import NETWORK, Console

REFUSALS = (401, 403, 405)
ATTACKER_PAGE = b"<!doctype html><title>Another site</title><body>"


class AnotherSite(BaseHTTPRequestHandler):
    """Serves an empty page on which the test's scripts run."""

    def do_GET(self) -> None:
        """Return the page."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(ATTACKER_PAGE)

    def log_message(self, format: str, *args: object) -> None:
        """Write no log."""


@pytest.fixture(scope="module")
def another_port() -> Iterator[int]:
    """The port of another site."""
    site = ThreadingHTTPServer(("127.0.0.1", 0), AnotherSite)
    thread = threading.Thread(target=site.serve_forever)
    thread.start()
    yield site.server_port
    site.shutdown()
    thread.join()
    site.server_close()


@pytest.fixture(params=["localhost", "127.0.0.1"])
def attacker(
    request: pytest.FixtureRequest, page: Page, platform: ServerProcess, another_port: int, console: Console
) -> Page:
    """A page of another site, in the browser of a user who is signed in to Urumi."""
    console.allow(NETWORK)
    console.allow("Content Security Policy|Refused to frame|blocked by CORS policy")
    page.goto(platform.url)
    page.get_by_label("Access token").fill(platform.token)
    page.keyboard.press("Enter")
    expect(page.locator("#status-state")).to_have_text("Live", timeout=60_000)
    page.goto(f"http://{request.param}:{another_port}/")
    return page


def test_nothing_can_be_written(attacker: Page, platform: ServerProcess, store_id: str) -> None:
    answers: list[tuple[str, int]] = []

    def record(response: Response) -> None:
        if response.url.startswith(platform.url):
            answers.append((response.request.method, response.status))

    attacker.on("response", record)
    address = attacker.url
    attacker.evaluate(WRITE, [platform.url, store_id])
    attacker.evaluate(POST_FORM, [platform.url, store_id])
    attacker.wait_for_load_state()
    assert platform.store(store_id) is None
    is_cookie_sent = address.startswith("http://127.0.0.1")
    assert ("POST", 403 if is_cookie_sent else 401) in answers
    assert [answer for answer in answers if answer[1] not in REFUSALS] == []


def test_nothing_can_be_read(attacker: Page, platform: ServerProcess) -> None:
    assert attacker.evaluate(READ, platform.url) == "TypeError"


def test_no_live_socket_opens(attacker: Page, platform: ServerProcess) -> None:
    address = platform.url.replace("http://", "ws://") + "/ws"
    assert attacker.evaluate(LISTEN, address) == "refused"


def test_the_page_cannot_be_framed(attacker: Page, platform: ServerProcess) -> None:
    attacker.evaluate(FRAME, platform.url)
    frame = attacker.frames[-1]
    assert frame != attacker.main_frame
    assert frame.locator("#app").count() == 0
    assert frame.url != f"{platform.url}/"


def test_the_page_itself_is_accepted(page: Page, platform: ServerProcess, console: Console, store_id: str) -> None:
    console.allow(NETWORK)
    page.goto(platform.url)
    page.get_by_label("Access token").fill(platform.token)
    page.keyboard.press("Enter")
    expect(page.locator("#status-state")).to_have_text("Live", timeout=60_000)
    assert page.evaluate(READ, platform.url) == "read"
    assert page.evaluate(LISTEN, platform.url.replace("http://", "ws://") + "/ws") == "open"


WRITE = """async ([url, storeId]) => {
    const body = JSON.stringify({ storeId, engine: "medusa" });
    for (const type of ["text/plain", "application/json"])
        for (const mode of ["no-cors", "cors"]) {
            const headers = { "Content-Type": type };
            const given = { method: "POST", body, mode, headers, credentials: "include" };
            await fetch(`${url}/stores`, given).catch(() => {});
        }
    await fetch(`${url}/session`, { method: "DELETE", credentials: "include" }).catch(() => {});
}"""
POST_FORM = """([url, storeId]) => {
    const form = document.createElement("form");
    const field = document.createElement("input");
    Object.assign(form, { method: "POST", action: `${url}/stores`, enctype: "text/plain" });
    Object.assign(field, { name: `{"storeId":"${storeId}","engine":"medusa","x":"`, value: '"}' });
    form.append(field);
    document.body.append(form);
    form.submit();
}"""
READ = """(url) => fetch(`${url}/stores`, { credentials: "include" }).then(async (answer) => {
    return (await answer.json()).items ? "read" : "answered";
}, (error) => error.name)"""
LISTEN = """(address) => new Promise((tell) => {
    const socket = new WebSocket(address, "urumi.v1");
    socket.onopen = () => tell("open");
    socket.onerror = () => tell("refused");
})"""
FRAME = """(url) => new Promise((tell) => {
    const frame = Object.assign(document.createElement("iframe"), { src: url, onload: () => tell() });
    document.body.append(frame);
})"""
