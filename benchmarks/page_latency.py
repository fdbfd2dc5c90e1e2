"""The latency of the page in Chromium with 1,000 and 10,000 stores: the first paint, an update, a filter keystroke.

    .venv/bin/python -m benchmarks.page_latency [--stores 1000 10000] [--turns 30]

A peer implements the protocol; Chromium shows the page, and then a minimal page with the same rows: one table that
`innerHTML` renders again for every change and every key. Both are timed in the same way, inside the browser: from the
event (the first frame of the snapshot, the frame of a change, the key) until its result is painted. The ratio compares
the page with the minimal one. Painted means that the frame's callbacks, style, layout and paint have ended.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from testing.peer.server import Peer
from testing.stores import START, event, make_store, many_stores

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PROMISED_MS = 100.0
WAIT_SECONDS = 60.0
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    # The bare page has no address, so a browser treats it as a public site.
    "--disable-features=LocalNetworkAccessChecks",
]
KEYS = "shop-009"

# Records the time from an event to the paint of its change, for frames of the socket and for keys.
STOPWATCH = """
window.times = { picture: [], update: [], key: [] };
const painted = (kind, begun) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => window.times[kind].push(performance.now() - begun);
    channel.port2.postMessage(null);
});
let first = 0;
window.WebSocket = class extends WebSocket {
    constructor(...given) {
        super(...given);
        this.addEventListener("message", ({ data, timeStamp }) => {
            if (data.startsWith('{"type": "snapshot"')) {
                first ||= timeStamp;
                if (data.includes('"last": true')) painted("picture", first);
            } else if (data.startsWith('{"type": "delta"')) painted("update", timeStamp);
        });
    }
};
addEventListener("input", ({ timeStamp }) => painted("key", timeStamp), true);
"""

BARE = """<!doctype html><meta charset="utf-8"><title>Bare</title>
<label>Filter <input id="filter"></label><table><tbody id="store-rows"></tbody></table>
<script>
const stores = new Map(); const field = document.getElementById("filter");
const clean = (text) => String(text ?? "").replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);
const row = (s) => `<tr><th><a href="#${clean(s.storeId)}">${clean(s.storeId)}</a></th><td>${clean(s.phase)}</td>`
    + `<td>${clean(s.progress?.message ?? s.lastError?.message ?? s.url)}</td><td>${clean(s.engine)}</td>`
    + `<td>${clean(s.createdAt)}</td><td>${clean(s.events?.at(-1)?.type)}</td></tr>`;
const paint = () => {
    const shown = [...stores.values()].filter((s) => JSON.stringify(s).includes(field.value));
    shown.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
    document.getElementById("store-rows").innerHTML = shown.map(row).join("");
};
const socket = new WebSocket(`ws://${location.host}/ws`, "urumi.v1");
socket.onopen = () => socket.send('{"type":"subscribe","stores":"all"}');
socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    for (const s of frame.stores ?? []) stores.set(s.storeId, s);
    if (frame.store) stores.set(frame.storeId, frame.store);
    if (frame.last || frame.store) paint();
};
field.oninput = paint;
</script>"""


class Times:
    """The measurements of one page, in milliseconds."""

    def __init__(self) -> None:
        self.picture: list[float] = []
        self.update: list[float] = []
        self.key: list[float] = []

    def take(self, page: Page) -> None:
        """Add the times that the page has recorded."""
        noted = page.evaluate("window.times")
        for kind in ("picture", "update", "key"):
            getattr(self, kind).extend(noted[kind])


def measure(context: BrowserContext, peer: Peer, address: str, turns: int) -> Times:
    """Open a page several times, change stores while it is open, and type into its filter."""
    times = Times()
    for _ in range(max(3, turns // 6)):
        page = open_page(context, address)
        times.take(page)
        page.close()
    page = open_page(context, address)
    page.evaluate("window.times.picture = []")
    count = len(peer.stores)
    for turn in range(turns):
        change(peer, turn * 37 % count, turn)
        wait_for(page, "update", turn + 1)
    field = page.locator("#filter")
    field.focus()
    for turn in range(turns):
        at = turn % (2 * len(KEYS))
        page.keyboard.press(KEYS[at] if at < len(KEYS) else "Backspace")
        wait_for(page, "key", turn + 1)
    times.take(page)
    page.close()
    return times


def open_page(context: BrowserContext, address: str) -> Page:
    """Open a page and wait until its first snapshot is painted."""
    page = context.new_page()
    page.goto(address)
    wait_for(page, "picture", 1)
    page.wait_for_timeout(300)
    return page


def wait_for(page: Page, kind: str, count: int) -> None:
    """Wait for that many paints; polled from outside, because the page's content security policy forbids eval."""
    deadline = time.monotonic() + WAIT_SECONDS
    while page.evaluate("(kind) => window.times[kind].length", kind) < count:
        assert time.monotonic() < deadline, f"waited {WAIT_SECONDS:g} s for {kind} {count}"
        page.wait_for_timeout(20)


def change(peer: Peer, number: int, turn: int) -> None:
    """Change one store as a reconciler does."""
    happened = [event("WaitingForWorkloads", f"wordpress 0/1, look {turn}", at=turn, step="health")]
    progress = {"step": "health", "index": 5, "total": 6, "message": f"waiting for wordpress 0/1, look {turn}"}
    created = START + timedelta(seconds=number)
    peer.put(make_store(f"shop-{number:05}", "Provisioning", created_at=created, progress=progress, events=happened))


def compare(browser: Browser, count: int, turns: int) -> None:
    """Measure both pages with `count` stores and print the lines of the table."""
    peer = Peer()
    peer.start()
    try:
        peer.put(*many_stores(count))
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.add_init_script(STOPWATCH)
        context.request.post(f"{peer.url}/session", data={"token": peer.token})
        context.route("**/bare", lambda route: route.fulfill(body=BARE, content_type="text/html"))
        ours = measure(context, peer, peer.url, turns)
        bare = measure(context, peer, f"{peer.url}/bare", turns)
        context.close()
    finally:
        peer.stop()
    for kind, title in (("picture", "first picture"), ("update", "an update"), ("key", "a filter key")):
        print(line(count, title, getattr(ours, kind), getattr(bare, kind)))


def line(count: int, title: str, ours: list[float], bare: list[float]) -> str:
    """Return one measured promise as a sentence."""
    median, worst = statistics.median(ours), max(ours)
    reference = statistics.median(bare)
    verdict = "" if count > 1000 else " promised 100: " + ("kept" if worst < PROMISED_MS else "MISSED by the worst")
    return (
        f"{count:6,} stores, {title:13} {median:7.1f} ms median, {worst:7.1f} worst of {len(ours)};"
        f" bare table {reference:7.1f} median, {max(bare):7.1f} worst; {median / reference:.2f}x{verdict}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--turns", type=int, default=30)
    given = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for count in given.stores:
            compare(browser, count, given.turns)
        browser.close()


if __name__ == "__main__":
    main()
