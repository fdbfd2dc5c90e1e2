"""Texts of stores are never markup; the files have nothing inline; the browser's policy is never violated."""

import re
from html.parser import HTMLParser

from playwright.sync_api import Page, expect

from server.http.page import STATIC
from testing.peer.server import Peer
from tests.page.conftest import static_file
from tests.page.stores import hostile_store

ATTACKS = [
    '<img src=x onerror="window.hit=1">',
    "<script>window.hit=1</script>",
    '"><svg onload=window.hit=1>',
    "javascript:window.hit=1",
    "\u202egnp.exe \u0000\u001b[31m {{7*7}} ${7*7}",
    "長い" * 400,
]


def test_hostile_texts_are_shown_as_text_everywhere(live_page: Page, peer: Peer) -> None:
    live_page.evaluate("document.addEventListener('securitypolicyviolation', () => { window.violated = true })")
    for number, text in enumerate(ATTACKS):
        peer.put(hostile_store(f"shop-{number}", text))
        live_page.get_by_role("link", name=f"shop-{number}").click()
        expect(live_page.locator("#panel-heading")).to_have_text(f"shop-{number}")
        assert live_page.locator(".evidence").text_content() == text
        assert live_page.locator(".timeline strong").text_content() == text
        live_page.get_by_role("button", name="Delete…").click()
        assert live_page.locator("[data-field=namespace]").text_content() == text
        live_page.keyboard.press("Escape")
        assert live_page.locator("#app img, #app script, #app svg[onload], dialog img").count() == 0
        assert live_page.locator("a[href^='javascript:']").count() == 0
        assert live_page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert live_page.evaluate("[window.hit, window.violated]") == [None, None]


class Markup(HTMLParser):
    """Collects what a strict content security policy would refuse, and every address in the markup."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Check one element."""
        names = dict(attrs)
        self.inline += [f"<{tag} {name}>" for name in names if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and not names.get("src")):
            self.inline.append(f"<{tag}>")
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action") and value]


def test_the_markup_has_nothing_inline_and_nothing_from_other_hosts() -> None:
    markup = Markup()
    markup.feed(static_file("index.html"))
    assert markup.inline == []
    assert [address for address in markup.addresses if not re.match(r"static/[a-z]+\.(css|js|svg)$|#$", address)] == []


FORBIDDEN = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser", "srcdoc",
    ".style", "http://", "https://",
)  # fmt: skip


def test_no_module_parses_markup_or_evaluates_texts_or_is_too_long() -> None:
    for path in STATIC.glob("*.js"):
        text = path.read_text()
        namespace = 'const SVG = "http://www.w3.org/2000/svg"'
        assert [word for word in FORBIDDEN if word in text.replace(namespace, "")] == [], path.name
        assert len(text.splitlines()) <= 250, path.name


def test_every_module_is_fetched_at_once() -> None:
    preloaded = re.findall(r'rel="modulepreload" href="static/(\w+\.js)"', static_file("index.html"))
    assert sorted([*preloaded, "main.js"]) == sorted(path.name for path in STATIC.glob("*.js"))


def test_the_page_requests_only_its_own_files(page: Page, peer: Peer) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.context.request.post(f"{peer.url}/session", data={"token": peer.token})
    page.goto(peer.url)
    expect(page.locator("#status-state")).to_have_text("Live")
    assert [url for url in asked if not url.startswith((f"{peer.url}/static/", f"{peer.url}/session"))] == [
        f"{peer.url}/"
    ]
