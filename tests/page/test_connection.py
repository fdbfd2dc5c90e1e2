"""The live connection: lost, resumed, without data; the status on the page, and that it catches up without a reload."""

import json
import re

from playwright.sync_api import Page, WebSocket, expect

from testing.peer.server import Peer
from tests.page.conftest import NETWORK, Console, sign_in
from tests.page.stores import make_store


def mark(page: Page) -> None:
    """Mark the page, so that a reload can be detected."""
    page.evaluate("window.mark = 'same page'")


def is_same(page: Page) -> bool:
    """Return whether the page was not reloaded since it was marked."""
    return bool(page.evaluate("window.mark === 'same page'"))


def subscriptions(page: Page) -> list[dict[str, object]]:
    """Return the list that collects the first frame of every socket from now on."""
    sent: list[dict[str, object]] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda text: sent.append(json.loads(text)))

    page.on("websocket", listen)
    return sent


def test_after_a_server_restart_the_page_catches_up_without_a_reload(
    live_page: Page, peer: Peer, console: Console
) -> None:
    console.allow(NETWORK)
    peer.put(make_store("stays"), make_store("goes"), make_store("changes", "Pending"))
    expect(live_page.locator("#shown-count")).to_have_text("3 stores")
    mark(live_page)
    peer.stop(goodbye_ms=100)
    expect(live_page.locator("#status-state")).to_have_text("Reconnecting")
    expect(live_page.locator("#status-detail")).to_have_text(re.compile(r"Attempt \d+.*Showing data from .* old\."))
    expect(live_page.get_by_role("link", name="goes")).to_be_visible()

    peer.remove("goes")
    peer.put(make_store("changes", "Failed"), make_store("arrives"))
    peer.forget()
    peer.start()
    expect(live_page.locator("#status-state")).to_have_text("Live")
    expect(live_page.locator("#store-rows a")).to_have_text(["arrives", "changes", "stays"], use_inner_text=True)
    expect(live_page.get_by_role("button", name="Failed 1")).to_be_visible()
    assert is_same(live_page)


def test_a_lost_connection_is_resumed_from_its_position(live_page: Page, peer: Peer) -> None:
    sent = subscriptions(live_page)
    peer.put(make_store("shop-a"))
    expect(live_page.get_by_role("link", name="shop-a")).to_be_visible()
    peer.hang_up(1012)
    peer.put(make_store("shop-b"))
    expect(live_page.get_by_role("link", name="shop-b")).to_be_visible()
    expect(live_page.locator("#status-state")).to_have_text("Live")
    assert sent[-1]["type"] == "subscribe"
    assert sent[-1]["stores"] == "all"
    assert sent[-1]["resume"] == {"epoch": peer.epoch, "seq": 1}


def test_a_position_of_another_epoch_gets_a_snapshot(live_page: Page, peer: Peer, console: Console) -> None:
    console.allow(NETWORK)
    sent = subscriptions(live_page)
    before = peer.epoch
    peer.put(make_store("shop-a"))
    expect(live_page.get_by_role("link", name="shop-a")).to_be_visible()
    peer.stop()
    del peer.stores["shop-a"]
    peer.forget()
    peer.start()
    expect(live_page.get_by_role("heading", name="No stores yet")).to_be_visible()
    assert sent[-1]["resume"] == {"epoch": before, "seq": 1}


def test_35_seconds_without_data_count_as_a_lost_connection(page: Page, peer: Peer) -> None:
    page.clock.install()
    sign_in(page, peer)
    page.goto(peer.url)
    expect(page.locator("#status-state")).to_have_text("Live")
    sent = subscriptions(page)
    page.clock.fast_forward(34_000)
    assert sent == []
    page.clock.fast_forward(2_000)
    expect(page.locator("#status-state")).to_have_text("Reconnecting")
    expect(page.locator("#status-detail")).to_contain_text("No data for 35 s.")
    page.clock.fast_forward(2_000)
    expect(page.locator("#status-state")).to_have_text("Live")
    assert len(sent) == 1


def test_the_waits_grow_and_try_now_skips_them(page: Page, peer: Peer, console: Console) -> None:
    console.allow(NETWORK)
    page.clock.install()
    sign_in(page, peer)
    page.goto(peer.url)
    expect(page.locator("#status-state")).to_have_text("Live")
    peer.stop()
    detail = page.locator("#status-detail")
    for _ in range(7):
        expect(detail).to_have_text(re.compile(r"Server unreachable\. Attempt \d+ in \d+ s\."))
        page.clock.fast_forward(31_000)
    expect(page.locator("#status-state")).to_contain_text("Offline since")
    expect(detail).to_have_text(re.compile(r"Attempt ([789]|1\d) in \d+ s\. Showing data from .*, [3-9] min old\."))
    peer.forget()
    peer.start()
    page.get_by_role("button", name="Reconnect now").click()
    expect(page.locator("#status-state")).to_have_text("Live")
    expect(page.get_by_role("button", name="Reconnect now")).to_be_hidden()


def test_outdated_data_of_the_cluster_is_shown(live_page: Page, peer: Peer) -> None:
    peer.bookmark(age_seconds=80.2)
    expect(live_page.locator("#status-detail")).to_have_text("data 1 min old")
    peer.bookmark(age_seconds=600)
    expect(live_page.locator("#status-detail")).to_contain_text("has had no response from the cluster for 10 min")
    expect(live_page.locator("#status")).to_have_attribute("data-state", "stale")
    peer.bookmark(age_seconds=0)
    expect(live_page.locator("#status-detail")).to_have_text("")


def test_an_unreachable_cluster_is_shown_at_once(live_page: Page, peer: Peer) -> None:
    peer.put(make_store("shop-a"))
    live_page.get_by_role("link", name="shop-a").click()
    peer.bookmark(age_seconds=4, cluster_error="The Kubernetes API at https://k:6443 does not answer: refused.")
    detail = live_page.locator("#status-detail")
    expect(detail).to_contain_text(re.compile(r"the server cannot reach the cluster: the data is [45] s old\."))
    expect(detail).to_contain_text("The Kubernetes API at https://k:6443 does not answer: refused.")
    expect(live_page.locator("#status")).to_have_attribute("data-state", "stale")
    expect(live_page.locator("#announcer")).to_have_text(
        "The server cannot reach the cluster. The data may be outdated."
    )
    live_page.get_by_role("button", name="Delete…").click()
    expect(live_page.get_by_role("dialog")).to_contain_text(re.compile("Showing data from .* old"))
    peer.bookmark()
    expect(detail).to_have_text("")
    expect(live_page.locator("#announcer")).to_have_text("Live again.")


def test_an_unknown_message_is_shown_and_the_page_reconnects(live_page: Page, peer: Peer) -> None:
    live_page.evaluate("document.getElementById('status-detail').dataset.seen = ''")
    live_page.evaluate("""() => new MutationObserver(() => {
        const node = document.getElementById('status-detail'); node.dataset.seen += node.textContent;
    }).observe(document.getElementById('status-detail'), {childList: true, characterData: true, subtree: true})""")
    peer.say("this is not JSON")
    expect(live_page.locator("#status-detail")).to_have_attribute("data-seen", re.compile("unknown message"))
    expect(live_page.locator("#status-state")).to_have_text("Live")
    peer.put(make_store("shop-a"))
    expect(live_page.get_by_role("link", name="shop-a")).to_be_visible()


def test_a_lost_connection_is_announced_once(live_page: Page, peer: Peer, console: Console) -> None:
    console.allow(NETWORK)
    voice = live_page.locator("#announcer")
    peer.put(make_store("shop-a"))
    expect(live_page.get_by_role("link", name="shop-a")).to_be_visible()
    expect(voice).to_have_text("")
    peer.stop()
    expect(voice).to_have_text("Connection lost. Reconnecting.")
    peer.forget()
    peer.start()
    expect(voice).to_have_text("Live again.")


def test_a_socket_closed_as_unauthorized_leads_to_the_form(live_page: Page, peer: Peer) -> None:
    peer.hang_up(4401)
    expect(live_page.locator("#sign-in-error")).to_have_text("You have been signed out. Sign in again.")


def test_a_revoked_right_is_shown(live_page: Page, peer: Peer, console: Console) -> None:
    console.allow(NETWORK)
    peer.denial = 401
    live_page.clock.install()
    peer.hang_up(4403)
    expect(live_page.locator("#status-detail")).to_contain_text("Permission denied: needs `watch` on stores")


def test_a_tab_in_the_background_catches_up(live_page: Page, peer: Peer) -> None:
    live_page.evaluate("""() => {
        Object.defineProperty(document, "hidden", { get: () => window.isAway, configurable: true });
        window.isAway = true;
        window.requestAnimationFrame = () => 0; // as browsers do for a hidden tab
    }""")
    peer.put(make_store("shop-a", "Failed"))
    expect(live_page).to_have_title("1 failed · Urumi")
    expect(live_page.get_by_role("link", name="shop-a")).to_be_attached()


def test_two_pages_agree(live_page: Page, peer: Peer) -> None:
    other = live_page.context.new_page()
    other.goto(peer.url)
    for page in (live_page, other):
        expect(page.locator("#status-state")).to_have_text("Live")
    live_page.locator("#new-store").click()
    live_page.get_by_label("Store id").fill("shop-a")
    live_page.get_by_role("button", name="Create store").click()
    for page in (live_page, other):
        expect(page.locator("#store-rows .phase")).to_have_text("Pending")
