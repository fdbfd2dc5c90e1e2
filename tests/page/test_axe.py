"""axe-core finds no serious or critical accessibility violation in any state of the page.

npm installs the version pinned in axe/package-lock.json into the cache, outside the repository. The tests inject it
into the page, which does not include it.
"""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cluster.folders import cache_root
from testing.peer.server import Peer
from testing.stores import event
from tests.page.conftest import NETWORK, Console
from tests.page.stores import make_store

LOCKED = Path(__file__).resolve().parent / "axe"
PHASES = ["Pending", "Provisioning", "Ready", "Degraded", "Failed", "Deleting", "Deleted"]


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail(
            "npm was not found, which brings axe-core: `./setup.sh test` installs it, or `apt-get install npm`."
        )
    lock = LOCKED / "package-lock.json"
    folder = cache_root() / f"axe-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    source = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(LOCKED / name, folder)
        given = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(given, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, f"npm could not install axe-core: {done.stderr[-2000:]}"
    return source.read_text()


Audit = Callable[[str], None]


@pytest.fixture
def audit(page: Page, axe: str) -> Audit:
    """Return a function that audits the current page in light and dark."""

    def run(place: str) -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            if not page.evaluate("'axe' in window"):
                page.evaluate(axe)
            found = page.evaluate(SERIOUS)
            assert found == [], f"{place}, {scheme}"

    return run


def test_signing_in(page: Page, page_url: str, console: Console, audit: Audit) -> None:
    console.allow(NETWORK)
    page.goto(page_url)
    expect(page.get_by_label("Access token")).to_be_focused()
    audit("sign-in")
    page.get_by_label("Access token").fill("not-it")
    page.keyboard.press("Enter")
    expect(page.locator("#sign-in-error")).to_have_text("Token not accepted.")
    audit("sign-in refused")


def test_the_list_a_store_and_the_dialogs(live_page: Page, peer: Peer, console: Console, audit: Audit) -> None:
    console.allow(NETWORK)
    audit("no stores")
    error = {"step": "health", "reason": "ImagePullBackOff", "message": "wordpress 0/1", "hint": "Push the image."}
    progress = {"step": "health", "index": 5, "total": 6, "message": "wordpress 0/1"}
    conditions = [{"type": "Ready", "status": "False", "reason": "ImagePullBackOff", "message": "wordpress 0/1"}]
    events = [event("Waiting", "a", level="warning"), event("Failed", "b", at=60, level="error", seconds=3, count=2)]
    for phase in PHASES:
        fields = {"last_error": error, "progress": progress, "events": events, "conditions": conditions}
        peer.put(make_store(f"is-{phase.lower()}", phase, simulated=phase == "Pending", **fields))
    expect(live_page.locator("#shown-count")).to_have_text("7 stores")
    audit("list")
    for phase in ("Failed", "Ready"):
        live_page.get_by_role("link", name=f"is-{phase.lower()}", exact=True).click()
        expect(live_page.locator(".phase-line")).to_contain_text(phase)
        audit(f"panel, {phase}")
    for button in ("Delete…", "Admin account…"):
        live_page.get_by_role("button", name=button).click()
        expect(live_page.get_by_role("dialog")).to_be_visible()
        audit(f"dialog, {button}")
        if button == "Admin account…":
            live_page.get_by_role("button", name="Show account").click()
            expect(live_page.get_by_role("button", name="Copy password")).to_be_focused()
            audit("admin account")
        live_page.keyboard.press("Escape")
        expect(live_page.get_by_role("dialog")).to_have_count(0)
    live_page.locator("#new-store").click()
    live_page.get_by_label("Store id").fill("Bad_")
    audit("create")
    live_page.keyboard.press("Escape")
    live_page.get_by_label("Filter stores").fill("nothing-like-it")
    expect(live_page.get_by_role("heading", name="No matching stores")).to_be_visible()
    audit("no store matches")


def test_a_narrow_screen_and_a_lost_connection(live_page: Page, peer: Peer, console: Console, audit: Audit) -> None:
    console.allow(NETWORK)
    live_page.set_viewport_size({"width": 360, "height": 740})
    peer.put(make_store("shop-a"), make_store("shop-b", "Failed"))
    expect(live_page.locator("#shown-count")).to_have_text("2 stores")
    audit("narrow list")
    peer.denial = 401
    peer.hang_up(1012)
    expect(live_page.locator("#status")).to_have_attribute("data-state", "lost")
    audit("offline")
    live_page.get_by_role("link", name="shop-b").click()
    expect(live_page.locator("#panel-heading")).to_be_visible()
    audit("narrow panel, offline")


# Returns the serious and critical violations as "rule: elements".
SERIOUS = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join(" | ")}`);
}"""
