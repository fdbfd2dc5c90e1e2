"""The page in front of the real server, reconciler and cluster: whole lives of stores, and failures.

The other tests of this folder use a peer that misbehaves on request. One server with a limit of one store serves all
tests except the one that restarts it: a server that has just started still counts stores that were deleted shortly
before, so no store may be left for it.
"""

import asyncio
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cluster.local.cluster import ClusterInfo
from reconciler.store.status import PROVISION_STEPS
from testing.kubectl import Kubectl
from testing.own_charts import changed_charts
from testing.serve import ServerProcess
from tests.page.conftest import NETWORK, Console
from tui.app import Dashboard
from tui.model.settings import Settings

PATIENCE_MS = 90_000
STEPS = [f"Step {number} of 6: {step}" for number, step in enumerate(PROVISION_STEPS, start=1)]
HEALTH = "Step 5 of 6: health"


@pytest.fixture(scope="module")
def server(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A server with a limit of one store, whose pods need some seconds to start."""
    folder = tmp_path_factory.mktemp("page-server")
    charts = changed_charts(folder, "podAnnotations: {}", 'podAnnotations: {simulate.urumi.ai/ready-after: "3s"}')
    environ = {"URUMI_MAX_ACTIVE_STORES": "1", "URUMI_CHARTS_DIR": str(charts)}
    with ServerProcess(local_cluster, kubectl, folder, **environ) as server:
        yield server


@pytest.fixture(autouse=True)
def empty_server(server: ServerProcess) -> Iterator[None]:
    """Wait after each test until its stores are deleted."""
    yield
    for store in server.call("GET", "/stores")[1]["items"]:
        server.call("DELETE", f"/stores/{store['storeId']}")
        server.wait_until_gone(store["storeId"])


def sign_in(page: Page, server: ServerProcess) -> None:
    """Sign in by the form, with a wrong token first, and wait until the page is live."""
    page.goto(server.url)
    token = page.get_by_label("Access token")
    token.fill("wrong-" + server.token)
    token.press("Enter")
    expect(page.locator("#sign-in-error")).to_have_text("Token not accepted.", timeout=PATIENCE_MS)
    token.fill(server.token)
    token.press("Enter")
    expect(page.locator("#status-state")).to_have_text("Live", timeout=PATIENCE_MS)
    expect(page.locator("#empty-waiting")).to_be_hidden()


def create(page: Page, store_id: str, engine: str) -> None:
    """Request a store in the dialog."""
    page.locator("#new-store").click()
    page.get_by_label("Store id").fill(store_id)
    page.get_by_role("radio", name=engine).check()
    page.get_by_role("button", name="Create store").click()


def expect_phase(page: Page, phase: str) -> None:
    """Wait until the open store has a phase."""
    expect(page.locator(".phase-line .phase")).to_have_text(phase, timeout=PATIENCE_MS)


@pytest.mark.parametrize("engine", ["WooCommerce", "Medusa"])
def test_the_whole_life_of_a_store(
    page: Page, server: ServerProcess, console: Console, store_id: str, engine: str
) -> None:
    console.allow(NETWORK)
    sign_in(page, server)
    page.evaluate(NOTE_STEPS)
    create(page, store_id, engine)
    expect(page.locator("#panel-heading")).to_have_text(store_id)
    expect_phase(page, "Ready")
    steps = page.evaluate("window.steps")
    assert set(steps) <= set(STEPS), steps
    assert HEALTH in steps, f"the pods started for seconds, and the step was not shown: {steps}"
    assert steps == sorted(steps), f"the steps were shown out of order: {steps}"
    expect(page.locator(".timeline")).to_contain_text("ProvisioningStarted")
    expect(page.locator(".conditions")).to_contain_text("Ready")
    expect(page.locator("[data-field=addressNote]")).to_have_text("simulated containers: no shop is running")

    page.get_by_role("button", name="Admin account…").click()
    page.get_by_role("button", name="Show account").click()
    expect(page.locator("[data-field=password]")).to_have_text(re.compile(r"\S{12,}"), timeout=PATIENCE_MS)
    page.get_by_role("button", name="Close").click()

    page.get_by_role("button", name="Delete…").click()
    page.get_by_label(f"Type {store_id} to confirm").fill(store_id)
    page.get_by_role("button", name="Delete store").click()
    expect(page.locator(".deleted-note")).to_contain_text(f"{store_id} was deleted at", timeout=PATIENCE_MS)
    expect(page.get_by_role("heading", name="No stores yet")).to_be_visible()
    assert server.store(store_id) is None


def test_a_server_that_restarts_during_a_provision(
    page: Page, local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, console: Console, store_id: str
) -> None:
    with ServerProcess(local_cluster, kubectl, tmp_path) as server:
        restart_during_a_provision(page, server, console, store_id)
        server.call("DELETE", f"/stores/{store_id}")
        server.wait_until_gone(store_id)


def restart_during_a_provision(page: Page, server: ServerProcess, console: Console, store_id: str) -> None:
    """Restart the server while a store is provisioned, and wait until the page shows the further steps."""
    console.allow(NETWORK)
    sign_in(page, server)
    page.evaluate("window.mark = 'same page'")
    create(page, store_id, "Medusa")
    expect(page.get_by_role("link", name=store_id, exact=True)).to_be_visible(timeout=PATIENCE_MS)
    server.stop()
    expect(page.locator("#status-state")).to_have_text(re.compile("Reconnecting|Offline since"), timeout=PATIENCE_MS)
    expect(page.locator("#status-detail")).to_contain_text("Showing data from")
    expect(page.locator("#panel-heading")).to_have_text(store_id)
    server.start()
    expect(page.locator("#status-state")).to_have_text("Live", timeout=PATIENCE_MS)
    expect_phase(page, "Ready")
    assert page.evaluate("window.mark") == "same page"


def test_a_reached_limit_is_shown(page: Page, server: ServerProcess, console: Console, store_id: str) -> None:
    console.allow(NETWORK)
    server.create(store_id)
    sign_in(page, server)
    create(page, f"{store_id}-x", "WooCommerce")
    problem = page.get_by_role("dialog").get_by_role("alert")
    expect(problem).to_contain_text("Limit of stores reached: 1 of 1 exist.", timeout=PATIENCE_MS)
    expect(problem).to_contain_text(re.compile("[Dd]elete"))
    expect(page.get_by_label("Store id")).to_have_value(f"{store_id}-x")
    assert server.store(f"{store_id}-x") is None


def test_over_a_slow_network_two_pages_and_the_dashboard_agree(
    page: Page, server: ServerProcess, console: Console, store_id: str
) -> None:
    console.allow(NETWORK)
    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 20_000}
    network.send("Network.emulateNetworkConditions", slow)
    sign_in(page, server)
    other = page.context.new_page()
    other.goto(server.url)
    create(page, store_id, "WooCommerce")
    expect(page.locator("#panel-heading")).to_have_text(store_id, timeout=PATIENCE_MS)
    expect_phase(page, "Ready")
    for each in (page, other):
        expect(each.locator("#store-rows tr")).to_have_count(1, timeout=PATIENCE_MS)
        expect(each.locator("#store-rows .phase")).to_have_text("Ready", timeout=PATIENCE_MS)
    assert dashboard_phases(server) == {store_id: "Ready"}


def dashboard_phases(server: ServerProcess) -> dict[str, str]:
    """Return the phases in the terminal's dashboard, which runs in a separate thread with its own event loop."""
    seen: dict[str, str] = {}

    async def run_dashboard() -> None:
        app = Dashboard(Settings(url=server.url, token=server.token))
        async with app.run_test() as pilot, asyncio.timeout(60):
            while not app.session.stores:
                await pilot.pause(0.1)
            seen.update({store.store_id: str(store.phase.value) for store in app.session.stores.values()})

    thread = threading.Thread(target=asyncio.run, args=(run_dashboard(),))
    thread.start()
    thread.join(timeout=90)
    return seen


# Collects in `window.steps` the headings of the open store's progress.
NOTE_STEPS = """() => {
    window.steps = [];
    const heading = document.getElementById("progress-heading");
    const note = () => heading.checkVisibility() && window.steps.at(-1) !== heading.textContent
        && window.steps.push(heading.textContent);
    const everything = { childList: true, subtree: true, characterData: true };
    new MutationObserver(note).observe(document.getElementById("panel"), everything);
}"""
