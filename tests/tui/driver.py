"""The dashboard without a terminal, controlled by keys; its screen is read as lines of text."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from textual import events
from textual.message import Message
from textual.notifications import Notify
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

from testing.peer.server import Peer
from testing.stores import START, make_store
from tui.app import Dashboard, utc_now
from tui.model.settings import Settings
from tui.screens.stores import StoresScreen
from tui.widgets.store_table import StoreTable
from urumi.config import Target
from urumi.wire import Store

PATIENCE_SECONDS = 60.0

T = TypeVar("T")


class Driver:
    """A dashboard and its keyboard; `messages` are all messages that it showed."""

    def __init__(self, app: Dashboard, pilot: Pilot[None], messages: list[str]) -> None:
        self.app = app
        self.pilot = pilot
        self.messages = messages

    @property
    def home(self) -> StoresScreen:
        """The screen with the list."""
        return cast("StoresScreen", self.app.screen_stack[0])

    @property
    def table(self) -> StoreTable:
        """The table of the list."""
        return self.home.table

    @property
    def cursor(self) -> str:
        """The id of the store under the cursor."""
        row = self.home.rows.row(self.table.cursor)
        return row.store.store_id if row else ""

    @property
    def ids(self) -> list[str]:
        """The ids that the list shows, in order."""
        return [row.store.store_id for row in self.home.rows.visible]

    def lines(self) -> list[str]:
        """Return what the screen shows."""
        screen: Screen[Any] = self.app.screen
        return [strip.text.rstrip() for strip in screen._compositor.render_strips()]

    def text(self) -> str:
        """Return what the screen shows as one text."""
        return "\n".join(self.lines())

    def problem(self) -> str:
        """Return the problem that a dialog shows."""
        found = self.app.screen.query(".dialog--problem").results(Static)
        return next((str(each.content) for each in found if each.display), "")

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)

    def burst(self, *keys: str) -> None:
        """Press keys at once, as pasting or a slow connection does."""
        for key in keys:
            character = {"space": " ", "enter": "\r", "slash": "/", "minus": "-"}.get(
                key, key if len(key) == 1 else None
            )
            self.app.post_message(events.Key(key, character))

    async def type(self, text: str) -> None:
        """Type a text."""
        names = {"/": "slash", ":": "colon", " ": "space", "!": "exclamation_mark", "-": "minus"}
        await self.pilot.press(*(names.get(letter, letter) for letter in text))

    async def until(self, condition: Callable[[], T], what: str, seconds: float = PATIENCE_SECONDS) -> T:
        """Wait until something is true, and return it."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, (
                f"waited for {what}; messages {self.messages}; the screen:\n{self.text()}"
            )
            await self.pilot.pause(0.01)
        return found

    async def until_shown(self, words: str) -> None:
        """Wait until the screen shows a text."""
        await self.until(lambda: words in self.text(), f"{words!r} on the screen")

    async def until_not_shown(self, words: str) -> None:
        """Wait until the screen no longer shows a text."""
        await self.until(lambda: words not in self.text(), f"{words!r} to leave the screen")

    async def until_message(self, words: str) -> None:
        """Wait until a message was shown."""
        await self.until(lambda: any(words in each for each in self.messages), f"the message {words!r}")

    async def until_live(self) -> None:
        """Wait until the connection is live, skipping the waits between attempts."""

        def condition() -> bool:
            self.app.session.reconnect_now()
            return self.app.session.is_live

        await self.until(condition, "to be live")

    async def open(self, name: str, *keys: str) -> None:
        """Press keys and wait until they have opened a screen of that class."""
        await self.press(*keys)
        await self.until_open(name)

    async def until_open(self, name: str) -> None:
        """Wait until a screen of that class is on top, drawn."""
        await self.until(lambda: type(self.app.screen).__name__ == name, f"{name} to open")
        await self.pilot.pause()


def put_several(peer: Peer, count: int, make: Callable[..., Store] = make_store) -> None:
    """Add shop-0, shop-1 and so on, each a minute newer than the previous one; the list shows the last one first."""
    for number in range(count):
        peer.put(make(f"shop-{number}", created_at=START + timedelta(minutes=number)))


@asynccontextmanager
async def dashboard(
    target: Target,
    *,
    size: tuple[int, int] = (120, 40),
    now: Callable[[], datetime] = utc_now,
    is_live: bool = True,
    **choices: Any,
) -> AsyncIterator[Driver]:
    """Run a dashboard; with `is_live`, wait until it shows its first snapshot."""
    app = Dashboard(Settings(**{"url": target.url, "token": target.token, **choices}), now=now)
    messages: list[str] = []

    def record(message: Message) -> None:
        if isinstance(message, Notify) and message.notification.message not in messages:
            messages.append(message.notification.message)

    async with app.run_test(size=size, notifications=True, message_hook=record) as pilot:
        driver = Driver(app, pilot, messages)
        if is_live:
            await driver.until(lambda: app.session.age_seconds is not None, "the first picture")
            await driver.until(lambda: len(driver.home.rows) == len(app.session.stores), "the list")
            await pilot.pause()
        yield driver
