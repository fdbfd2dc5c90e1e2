"""Using the page: by keyboard alone, on a narrow screen, with reduced motion, in print; and without layout shifts."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from testing.peer.server import Peer
from testing.stores import START, event, many_stores
from tests.page.conftest import open_live, sign_in
from tests.page.stores import make_store


def test_creating_and_deleting_by_keyboard_alone(live_page: Page, peer: Peer) -> None:
    keyboard = live_page.keyboard
    live_page.locator("body").press("Tab")
    expect(live_page.get_by_role("link", name="Skip to the list of stores")).to_be_focused()
    keyboard.press("Tab")
    expect(live_page.locator("#new-store")).to_be_focused()
    keyboard.press("Enter")
    keyboard.type("shop-a")
    keyboard.press("Tab")
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    expect(live_page.locator("#panel-heading")).to_be_focused()
    assert peer.stores["shop-a"].engine == "medusa"

    peer.put(make_store("shop-a", "Ready"))
    expect(live_page.locator(".phase-line")).to_contain_text("Ready")
    while not live_page.evaluate("document.activeElement.dataset.field === 'delete'"):
        keyboard.press("Tab")
    keyboard.press("Enter")
    expect(live_page.get_by_role("button", name="Cancel")).to_be_focused()
    keyboard.press("Shift+Tab")
    keyboard.type("shop-a")
    keyboard.press("Enter")
    expect(live_page.locator(".phase-line")).to_contain_text("Deleting")


def test_stores_are_selected_opened_and_closed_by_keyboard(live_page: Page, peer: Peer) -> None:
    peer.put(*many_stores(30))
    expect(live_page.locator("#shown-count")).to_have_text("30 stores")
    field = live_page.get_by_label("Filter stores")
    field.focus()
    steps = [("ArrowDown", 29), ("j", 28), ("ArrowDown", 27), ("k", 28), ("End", 0), ("Home", 29), ("PageDown", 19)]
    for key, number in steps:
        live_page.keyboard.press(key)
        expect(live_page.get_by_role("link", name=f"shop-{number:05}")).to_be_focused()
    live_page.keyboard.press("Enter")
    expect(live_page.locator("#panel-heading")).to_be_focused()
    live_page.keyboard.press("Escape")
    expect(live_page.get_by_role("link", name="shop-00019", exact=True)).to_be_focused()
    expect(live_page.locator("#panel-store")).to_be_hidden()
    live_page.keyboard.press("/")
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    assert live_page.locator("#store-rows a[tabindex='0']").count() == 1


def test_the_focus_can_be_seen(live_page: Page, peer: Peer) -> None:
    peer.put(make_store("shop-a"))
    expect(live_page.get_by_role("link", name="shop-a")).to_be_visible()
    live_page.locator("body").press("Tab")
    for _ in range(12):
        outline = live_page.evaluate("""() => {
            const focused = document.activeElement.closest("tr") ?? document.activeElement;
            return focused === document.body ? "body" : getComputedStyle(focused).outlineStyle;
        }""")
        assert outline in ("solid", "body")
        live_page.keyboard.press("Tab")


def test_no_width_scrolls_sideways(live_page: Page, peer: Peer) -> None:
    long_id = "a-very-long-name-for-a-shop-1234"
    message = "/very/long/path" * 40
    peer.put(
        make_store(
            long_id,
            "Failed",
            simulated=True,
            progress={"step": "health", "index": 5, "total": 6, "message": message},
            last_error={"step": "health", "reason": "ImagePullBackOff" * 4, "message": message, "hint": message},
            events=[event("WaitingForWorkloads", message, count=12)],
            conditions=[{"type": "Ready", "status": "False", "reason": "ImagePullBackOff" * 4, "message": message}],
        ),
        *many_stores(20),
    )
    expect(live_page.locator("#shown-count")).to_have_text("21 stores")
    for width in (320, 360, 768, 1119, 1120, 2560):
        live_page.set_viewport_size({"width": width, "height": 740})
        assert live_page.evaluate(OVERFLOWING) == []
        live_page.get_by_role("link", name=long_id).click()
        expect(live_page.locator("#panel-heading")).to_be_visible()
        assert live_page.evaluate(OVERFLOWING) == []
        live_page.locator("#new-store").click()
        assert live_page.evaluate(OVERFLOWING) == []
        live_page.keyboard.press("Escape")
        live_page.keyboard.press("Escape")
        expect(live_page.locator("#panel-heading")).to_be_hidden()


def test_a_narrow_screen_shows_the_list_or_the_store(live_page: Page, peer: Peer) -> None:
    live_page.set_viewport_size({"width": 360, "height": 740})
    peer.put(make_store("shop-a"), make_store("shop-b"))
    live_page.get_by_role("link", name="shop-a").click()
    expect(live_page.locator("#stores")).to_be_hidden()
    live_page.get_by_role("button", name="All stores").click()
    expect(live_page.locator("#panel-heading")).to_be_hidden()
    expect(live_page.get_by_role("link", name="shop-a")).to_be_focused()


def test_a_lost_connection_causes_no_layout_shift(live_page: Page, peer: Peer) -> None:
    peer.put(*many_stores(3))
    expect(live_page.locator("#shown-count")).to_have_text("3 stores")
    before = live_page.locator("#stores").bounding_box()
    peer.denial = 401
    peer.hang_up(1012)
    expect(live_page.locator("#status")).to_have_attribute("data-state", "lost")
    assert live_page.locator("#stores").bounding_box() == before
    peer.denial = 0
    expect(live_page.locator("#status")).to_have_attribute("data-state", "live")
    assert live_page.locator("#stores").bounding_box() == before


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_shifts_while_the_page_loads_and_its_stores_change(page: Page, peer: Peer, width: int) -> None:
    page.add_init_script(NOTE_SHIFTS)
    page.set_viewport_size({"width": width, "height": 740})
    peer.put(*many_stores(200))
    sign_in(page, peer)
    open_live(page, peer.url)
    expect(page.locator("#store-rows tr")).to_have_count(200, timeout=60_000)
    progress = {"step": "health", "index": 5, "total": 6, "message": "waiting for wordpress 0/1"}
    for number in range(195, 200):
        created = START + timedelta(seconds=number)
        peer.put(make_store(f"shop-{number:05}", "Provisioning", created_at=created, progress=progress))
    expect(page.get_by_role("button", name="Provisioning 24")).to_be_visible()
    assert page.evaluate("window.shifts") == []


def test_motion_stops_if_the_user_prefers_reduced_motion(browser: Browser, peer: Peer) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    sign_in(page, peer)
    open_live(page, peer.url)
    peer.put(make_store("shop-a", "Provisioning"))
    expect(page.locator("#store-rows .phase")).to_have_text("Provisioning")
    assert page.evaluate("document.getAnimations().length") == 0
    context.close()


def test_print_shows_the_whole_list_and_the_store_in_light_colours(live_page: Page, peer: Peer) -> None:
    peer.put(*many_stores(60))
    open_live(live_page, f"{peer.url}/#store=shop-00001")
    live_page.emulate_media(media="print", color_scheme="dark")
    expect(live_page.locator("#store-rows tr").last).to_be_visible()
    expect(live_page.locator("#panel-heading")).to_be_visible()
    expect(live_page.locator("#new-store")).to_be_hidden()
    assert live_page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert live_page.evaluate("getComputedStyle(document.getElementById('panel')).overflowY") == "visible"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(live_page: Page, peer: Peer, scheme: str) -> None:
    live_page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    phases = ["Pending", "Provisioning", "Ready", "Degraded", "Failed", "Deleting", "Deleted"]
    error = {"step": "health", "reason": "ImagePullBackOff", "message": "wordpress 0/1", "hint": "Push the image."}
    progress = {"step": "health", "index": 5, "total": 6, "message": "wordpress 0/1"}
    for phase in phases:
        events = [event("Waiting", "a", level="warning"), event("Failed", "b", at=60, level="error", seconds=3)]
        peer.put(make_store(f"is-{phase.lower()}", phase, last_error=error, progress=progress, events=events))
    expect(live_page.locator("#shown-count")).to_have_text("7 stores")
    for phase in phases:
        live_page.get_by_role("link", name=f"is-{phase.lower()}", exact=True).click()
        expect(live_page.locator(".phase-line")).to_contain_text(phase)
        assert live_page.evaluate(CONTRAST) == []


# Collects in `window.shifts` what the browser counts into the cumulative layout shift: vertical moves, and horizontal
# moves outside of a row (inside a row, the text of a changed store makes space for its meter).
NOTE_SHIFTS = """
window.shifts = [];
const isInRow = (node) => Boolean(node?.parentElement?.closest("#store-rows tr"));
const hasMoved = ({ node, previousRect: before, currentRect: after }) =>
    Math.abs(after.y - before.y) > 0.5 || (!isInRow(node) && Math.abs(after.x - before.x) > 0.5);
const words = ({ node, previousRect, currentRect }) => JSON.stringify(
    [node?.nodeName, node?.textContent.slice(0, 40), previousRect, currentRect]);
new PerformanceObserver((list) => {
    for (const { sources } of list.getEntries()) window.shifts.push(...sources.filter(hasMoved).map(words));
}).observe({ type: "layout-shift", buffered: true });
"""

# Returns the texts whose contrast with their background is below WCAG AA, as "ratio text".
CONTRAST = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const paint = (colors) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = (rgb) => {
        const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (node) => {
        const layers = [];
        for (let at = node; at; at = at.parentElement) layers.unshift(getComputedStyle(at).backgroundColor);
        return layers;
    };
    const poor = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode.parentElement;
        const text = walker.currentNode.textContent.trim();
        if (!text || !node.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true })) continue;
        if (node.closest(".sr-only, [aria-disabled=true], :disabled")) continue;
        const layers = behind(node);
        const style = getComputedStyle(node);
        const [one, other] = [light(paint(layers)), light(paint([...layers, style.color]))];
        const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) poor.push(`${ratio.toFixed(2)} ${text.slice(0, 40)}`);
    }
    return poor;
}"""

# Returns the elements that extend beyond the screen without being clipped on purpose, and those that scroll sideways.
OVERFLOWING = """() => {
    const overflow = (node) => getComputedStyle(node).overflowX;
    const isCut = ({ parentElement: parent }) => parent && (overflow(parent) !== "visible" || isCut(parent));
    const isBeyond = ({ left, right, width }) => width > 1 && (left < 0 || right > innerWidth);
    const scrolls = (node) => node.scrollWidth > node.clientWidth && ["auto", "scroll"].includes(overflow(node));
    return [document.documentElement, ...document.querySelectorAll("body *")]
        .filter((node) => scrolls(node) || (isBeyond(node.getBoundingClientRect()) && !isCut(node)))
        .map((node) => node.outerHTML.slice(0, 120));
}"""
