"""A lost server: what is shown, what stays available, what does not, and what a reconnect reports."""

from datetime import UTC, datetime, timedelta

import pytest

from testing.peer.server import Peer
from testing.stores import failed, make_store
from tests.tui.driver import Driver, dashboard, put_several
from tui import app as app_module
from tui.model.session import Session
from urumi.config import Target

pytestmark = pytest.mark.anyio


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC) + self.ahead


async def disconnect(driver: Driver, peer: Peer) -> None:
    """Stop the server and wait until the dashboard shows the lost connection."""
    peer.stop()
    await driver.until_shown("reconnecting")


async def reconnect(driver: Driver, peer: Peer) -> None:
    """Start the server and press R until the dashboard is live."""
    peer.start()
    await driver.until_live()


async def test_a_live_connection_is_shown_as_live(target: Target) -> None:
    async with dashboard(target) as driver:
        assert driver.lines()[0].endswith("● live")


async def test_without_a_server_the_list_and_the_keys_that_only_read_stay_available(peer: Peer, target: Target) -> None:
    put_several(peer, 3)
    async with dashboard(target) as driver:
        await disconnect(driver, peer)
        assert "◌ reconnecting" in driver.lines()[0]
        assert "data is " in driver.lines()[2]
        await driver.open("DetailsScreen", "down", "d")
        await driver.open("StoresScreen", "escape")
        assert driver.ids == ["shop-2", "shop-1", "shop-0"]
        assert driver.table.stale


async def test_keys_that_call_the_server_show_why_they_are_unavailable(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1"))
    async with dashboard(target) as driver:
        await disconnect(driver, peer)
        for key in ("n", "r", "a", "delete"):
            await driver.press(key)
        assert type(driver.app.screen).__name__ == "StoresScreen"
        assert [each for each in driver.messages if "Server unreachable." in each]
        assert not any(hint.enabled for hint in driver.home._keys.hints if hint.label in ("new", "retry", "delete"))


async def test_after_a_while_the_start_of_the_outage_and_the_age_of_the_data_are_shown(
    peer: Peer, target: Target
) -> None:
    clock = Clock()
    peer.put(make_store("shop-1"))
    async with dashboard(target, now=clock) as driver:
        await disconnect(driver, peer)
        clock.ahead = timedelta(seconds=30)
        await driver.until_shown("✕ offline since")
        assert "data" in driver.lines()[0]
        await driver.until(lambda: "refused" in driver.lines()[2], "the reason")
        assert "1 store" in driver.lines()[1]


async def test_a_reconnect_reports_what_changed_in_between(peer: Peer, target: Target) -> None:
    for name in ("shop-1", "shop-2", "shop-3"):
        peer.put(make_store(name))
    async with dashboard(target) as driver:
        await disconnect(driver, peer)
        peer.remove("shop-1")
        peer.put(failed("shop-2"))
        peer.put(make_store("shop-4"))
        peer.put(make_store("shop-5"))
        peer.forget()
        await reconnect(driver, peer)
        await driver.until_message("2 new, 1 deleted, 1 changed.")
        await driver.until_shown("✗ Failed")
        assert not driver.table.stale
        assert driver.lines()[0].endswith("● live")


async def test_a_short_interruption_without_changes_is_not_reported(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        peer.hang_up()
        await driver.until(lambda: not driver.app.session.is_live, "the line to break")
        await driver.until_live()
        peer.put(make_store("shop-2"))
        await driver.until_shown("2 stores")
        assert driver.messages == ["Reconnected after 0 s: 1 new."] or driver.messages == []


async def test_a_refused_token_is_shown_with_a_hint(peer: Peer, target: Target) -> None:
    async with dashboard(Target(target.url, "wrong"), is_live=False, size=(80, 24)) as driver:
        await driver.until_shown("not signed in")
        await driver.until_shown("the token was not accepted (HTTP 401)")
        await driver.until_shown("URUMI_TOKEN")
        assert "…" not in driver.text()


async def test_a_token_that_is_refused_later_keeps_the_list(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        peer.token = "another"
        peer.hang_up()
        await driver.until_shown("not signed in")
        assert "shop-1" in driver.text()


async def test_an_unreachable_server_is_shown_with_the_command_to_start_one(peer: Peer, target: Target) -> None:
    peer.stop()
    async with dashboard(target, is_live=False, size=(80, 24)) as driver:
        await driver.until_shown("No data yet")
        await driver.until_shown("./setup.sh")
        assert "…" not in driver.text()
        peer.put(make_store("shop-1"))
        await reconnect(driver, peer)
        await driver.until_shown("shop-1")


async def test_r_reconnects_immediately(peer: Peer, target: Target) -> None:
    async with dashboard(target) as driver:
        peer.denial = 503
        peer.hang_up()
        await driver.until(lambda: driver.app.session.retry_seconds > 0, "the wait")
        peer.denial = 0
        await driver.press("R")
        await driver.until(lambda: driver.app.session.is_live, "to be live")


async def test_an_invalid_frame_is_reported_and_keeps_the_list(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        peer.say('{"type": "delta", "seq": 9, "op": "upsert", "storeId": 7}')
        await driver.until_shown("not valid urumi.v1")
        assert "shop-1" in driver.text()


async def test_a_silent_cluster_is_shown_with_the_time_since_its_last_response(peer: Peer, target: Target) -> None:
    async with dashboard(target) as driver:
        peer.bookmark(age_seconds=200.0)
        await driver.until_shown("live, stale data")
        await driver.until_shown("no response from the cluster for 3 min 2")


async def test_an_unreachable_cluster_is_shown_immediately(peer: Peer, target: Target) -> None:
    async with dashboard(target) as driver:
        peer.bookmark(age_seconds=4.0, cluster_error="The Kubernetes API at https://k:6443 does not answer: refused.")
        await driver.until_shown("◐ cluster unreachable")
        await driver.until_shown("s old, The Kubernetes API at https://k:6443 does not answer: refused.")
        peer.bookmark()
        await driver.until_shown("● live")
        assert "Kubernetes API" not in driver.text()


async def test_a_feed_that_crashes_is_reported_and_restarted(
    peer: Peer, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer.put(make_store("shop-1"))
    monkeypatch.setattr(app_module, "RESTART_SECONDS", 0.01)
    async with dashboard(target) as driver:
        with monkeypatch.context() as broken:
            broken.setattr(Session, "_apply", lambda *args: 1 / 0)
            peer.put(make_store("shop-2"))
            await driver.until_message("Live feed failed: internal error ZeroDivisionError")
            assert "shop-1" in driver.text()
        await driver.until_shown("shop-2")


async def test_a_local_server_that_restarted_on_another_port_is_found_again(
    peer: Peer, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = target
    monkeypatch.setattr(app_module, "find_target", lambda url, token: found)
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        peer.token = "the-new-one"
        peer.hang_up()
        await driver.until_shown("not signed in")
        found = Target(target.url, "the-new-one")
        await driver.until_live()
        peer.put(make_store("shop-2"))
        await driver.until_shown("2 stores")
