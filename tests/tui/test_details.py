"""One store: the pane under the list, its timeline, and the details screen."""

from datetime import timedelta

import pytest

from testing.peer.server import Peer
from testing.stores import START, event, failed, make_store, provisioning
from tests.tui.driver import dashboard
from tui.widgets.lines import LinesView
from urumi.config import Target


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=str)
@pytest.mark.anyio
async def test_no_letter_is_cut_off_at_the_right_edge_with_or_without_a_scrollbar(
    peer: Peer, target: Target, size: tuple[int, int]
) -> None:
    long, many = event("Long", "Q" * 200), [event("Short", at=number) for number in range(60)]
    for number, events in enumerate(([long, *many], [*many, long], [long])):
        peer.put(make_store(f"shop-{number}", created_at=START + timedelta(minutes=number), events=events))
    async with dashboard(target, size=size) as driver:
        await driver.until(lambda: driver.text().count("Q") == 200, "every letter in the pane")
        await driver.press("down")
        await driver.until_shown("Short")
        await driver.until(lambda: driver.text().count("Q") == 200, "every letter in the pane that scrolls")
        await driver.open("DetailsScreen", "down", "d")
        await driver.until(lambda: driver.text().count("Q") == 200, "every letter in the details")


@pytest.mark.anyio
async def test_the_pane_follows_the_store_under_the_cursor(peer: Peer, target: Target) -> None:
    peer.put(provisioning("shop-1", events=[event("NamespaceReady", "namespace store-shop-1")]))
    async with dashboard(target) as driver:
        await driver.until_shown("namespace store-shop-1")
        peer.put(
            provisioning("shop-1", events=[event("NamespaceReady"), event("HelmInstalled", "revision 1 is deployed")])
        )
        await driver.until_shown("revision 1 is deployed")
        await driver.until_shown("step 5 of 5: health")


@pytest.mark.anyio
async def test_the_pane_shows_the_error_and_the_hint(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1", attempts=3))
    async with dashboard(target) as driver:
        await driver.until_shown("✗ health: ImagePullBackOff: no image")
        await driver.until_shown("attempt 3")
        await driver.until_shown("→ Check the image.")


@pytest.mark.anyio
async def test_after_scrolling_up_a_timeline_stays_and_counts_new_lines(peer: Peer, target: Target) -> None:
    events = [event(f"Event-{number:02}", at=number) for number in range(15)]
    peer.put(make_store("shop-1", events=events))
    async with dashboard(target, size=(80, 24)) as driver:
        view = driver.app.screen.query_one("#timeline", LinesView)
        await driver.until_shown("Event-14")
        await driver.press("tab", "g")
        await driver.until_shown("Event-00")
        peer.put(make_store("shop-1", events=[*events, event("Event-15", at=15), event("Event-16", at=16)]))
        await driver.until_shown("▼ 2 new below, press G to show them")
        assert view.scroll_offset.y == 0
        await driver.press("G")
        await driver.until_shown("Event-16")
        assert "new below" not in driver.text()
        peer.put(make_store("shop-1", events=[*events, event("Event-17", at=17)]))
        await driver.until_shown("Event-17")


@pytest.mark.anyio
@pytest.mark.parametrize("phase", ["Ready", "Failed"])
async def test_a_timeline_starts_at_its_end_while_the_lines_above_it_grow(
    peer: Peer, target: Target, phase: str
) -> None:
    events = [event(f"Event-{number:02}", at=number) for number in range(15)]
    peer.put(make_store("shop-1", created_at=START + timedelta(minutes=1), events=events[:1]))
    error = {"step": "health", "reason": "NotReady", "message": "no " * 200, "hint": "Look."}
    peer.put(make_store("shop-0", phase, last_error=error, events=events))
    async with dashboard(target, size=(100, 34)) as driver:
        await driver.until_shown("Event-00")
        await driver.press("down")
        await driver.until_shown("shop-0  ")
        await driver.until(lambda: driver.lines()[-2].endswith("Event-14"), "the last event on the last line")


@pytest.mark.anyio
async def test_d_shows_everything_and_escape_returns(peer: Peer, target: Target) -> None:
    condition = {"type": "Ready", "status": "False", "reason": "WaitingForWorkloads", "message": "wordpress 0/1"}
    peer.put(failed("shop-1", conditions=[condition]))
    async with dashboard(target) as driver:
        await driver.open("DetailsScreen", "d")
        text = driver.text()
        for expected in (
            "Timeline",
            "Conditions",
            "WaitingForWorkloads: wordpress 0/1",
            "store-shop-1",
            "uid-of-shop-1",
            "urumi credentials shop-1",
        ):
            assert expected in text
        await driver.open("StoresScreen", "escape")


@pytest.mark.anyio
async def test_the_details_are_live_and_stay_when_the_store_is_deleted(peer: Peer, target: Target) -> None:
    peer.put(provisioning("shop-1"))
    async with dashboard(target) as driver:
        await driver.open("DetailsScreen", "enter")
        peer.put(make_store("shop-1"))
        await driver.until_shown("✓ Ready")
        peer.remove("shop-1")
        await driver.until_shown("last known state")
        await driver.press("delete")
        await driver.until_message("Nothing to delete: shop-1 is already deleted.")


@pytest.mark.anyio
async def test_y_shows_the_store_as_yaml_and_c_copies_that(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        await driver.open("DetailsScreen", "d")
        await driver.press("y")
        await driver.until_shown("storeId: shop-1")
        await driver.press("c")
        assert driver.app.clipboard.startswith("storeId: shop-1\n")
        await driver.press("y")
        await driver.until_shown("Facts")


@pytest.mark.anyio
async def test_actions_of_the_details_apply_to_their_store(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1"))
    async with dashboard(target) as driver:
        await driver.open("DetailsScreen", "d")
        await driver.press("r")
        await driver.until_message("Retrying shop-1 now.")
        await driver.open("DeleteDialog", "delete")
        await driver.press("tab", "enter")
        await driver.until_message("Deleting shop-1.")
        await driver.until_shown("last known state")
