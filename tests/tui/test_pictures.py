"""Snapshots of the dashboard: its states, at sizes from small to large, dark, light and without colour.

They check positions, dimming and backgrounds; the other modules check texts. The clock is fixed, the server has
a name instead of a port, and no cursor blinks.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from testing.peer.server import Peer
from testing.stores import START, event, failed, make_store, provisioning
from tests.tui.driver import Driver
from tui.app import Dashboard
from tui.model.settings import Settings
from urumi.config import Target
from urumi.live import ConnectionState

SIZES = [(80, 24), (120, 40), (200, 60)]
SMALL, MIDDLE, LARGE = SIZES
LOOKS: dict[str, dict[str, Any]] = {"dark": {}, "light": {"theme": "urumi-light"}, "bare": {"ascii": True}}
AWAY_SECONDS = 40.0
# The keys that lead to each state, and a text that shows that it is reached.
STATES: dict[str, tuple[tuple[str, ...], str]] = {
    "list": (("down",), "requested 1 h ago"),
    "details": (("down", "d"), "None reported yet."),
    "create": (("n", *"Shop", "minus"), "inner hyphens only"),
    "delete": (("G", "up", "up", "delete"), "Type shop-1 to delete."),
    "bulk": (("space", "space", "space", "delete"), "Type delete 3 to delete."),
    "admin": (("G", "up", "up", "a", "tab", "enter"), "password-of-shop-1"),
    "offline": (("down",), "requested 1 h ago"),
    "filter": (("slash", *"phase:fa", "enter"), "1 of 7 stores"),
    "empty": ((), "No stores yet"),
}


def noon() -> datetime:
    """A fixed time."""
    return START + timedelta(minutes=12)


def fill(peer: Peer) -> None:
    """Put a store of each phase."""
    events = [event("NamespaceReady", "namespace store-spring", seconds=0.2), event("HelmInstalled", at=9, seconds=8.2)]
    for number, store in enumerate(
        (
            make_store("new-brand", "Pending", url=""),
            provisioning("spring-sale", events=events, simulated=True),
            failed("outlet-berlin", attempts=3, events=[*events, event("Failed", "no image", at=99, level="error")]),
            make_store("cafe-north", "Degraded", engine="medusa"),
            make_store("shop-1", events=[*events, event("Ready", "mariadb 1/1, wordpress 1/1", at=30)]),
            make_store("old-campaign", "Deleting"),
            make_store("closed", "Deleted"),
        )
    ):
        peer.put(store.model_copy(update={"created_at": START - timedelta(hours=number)}))


def lose_connection(app: Dashboard) -> None:
    """Send the feed's event of a lost connection, without the jitter of its waits."""
    app.workers.cancel_group(app, "feed")
    session = app.session
    assert session._cache is not None
    session._monotonic = session._cache._monotonic = lambda: AWAY_SECONDS
    session._apply(session._cache, ConnectionState("reconnecting", "no answer from http://urumi.example", 4, 6.0))
    session.lost_at = noon() - timedelta(seconds=AWAY_SECONDS)


@pytest.mark.parametrize(
    ("state", "size", "look"),
    [
        ("list", SMALL, "dark"),
        ("list", MIDDLE, "light"),
        ("list", LARGE, "dark"),
        ("list", MIDDLE, "bare"),
        ("filter", SMALL, "light"),
        ("details", SMALL, "dark"),
        ("details", LARGE, "light"),
        ("create", SMALL, "dark"),
        ("create", MIDDLE, "bare"),
        ("delete", MIDDLE, "dark"),
        ("bulk", SMALL, "light"),
        ("admin", SMALL, "dark"),
        ("offline", MIDDLE, "dark"),
        ("offline", SMALL, "bare"),
        ("empty", SMALL, "light"),
    ],
    ids=lambda value: f"{value[0]}x{value[1]}" if isinstance(value, tuple) else value,
)
def test_picture(
    peer: Peer,
    target: Target,
    snap_compare: Any,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    size: tuple[int, int],
    look: str,
) -> None:
    if look == "bare":
        monkeypatch.setenv("NO_COLOR", "1")
    if state != "empty":
        fill(peer)
    app = Dashboard(Settings(target.url, target.token, **LOOKS[look]), now=noon, monotonic=lambda: 0.0)

    async def show(pilot: Pilot[None]) -> None:
        driver = Driver(app, pilot, [])
        await driver.until(lambda: app.session.age_seconds is not None, "the first picture")
        await driver.until(lambda: len(driver.ids) == len(peer.stores), "the list")
        if state == "offline":
            lose_connection(app)
        # The open connections use the peer's real address; only the displayed name is replaced.
        client = await app.session.client()
        client.target = app.session.target = Target("http://urumi.example", "")
        app.tick.publish(None)
        keys, words = STATES[state]
        await driver.press(*keys)
        await driver.until_shown(words)
        for each in app.screen.query(Input):
            each.cursor_blink = False
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=show)
