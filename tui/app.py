"""The dashboard: one session, its news in batches to the screens, and what every screen may ask for.

The feed runs in a worker of the application, not of a screen, so it lives as long as the dashboard does. A crash of it
is said and it is started again; the list stays as it was.
"""

from __future__ import annotations

import asyncio
import time
import webbrowser
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual import events
from textual.app import App
from textual.binding import Binding
from textual.command import CommandPalette
from textual.scrollbar import ScrollBar
from textual.signal import Signal
from textual.worker import Worker, WorkerState

from tui.commands.clipboard import copied_file, keep
from tui.commands.command_line import obey
from tui.commands.key_queue import KeyQueue
from tui.commands.palette import CommandProvider, StoreProvider
from tui.model.filter import Filter
from tui.model.keymap import APP, Command, commands
from tui.model.session import Session
from tui.screens.help import HelpScreen
from tui.screens.stores import StoresScreen
from tui.text.glyphs import ASCII, UNICODE
from tui.widgets.scrollbar import WholeCells
from tui.widgets.themes import DARK, LIGHT
from urumi.config import find_target
from urumi.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.binding import BindingType
    from textual.command import Provider
    from textual.screen import Screen

    from tui.model.settings import Settings

BATCH_SECONDS = 0.1
BEAT_SECONDS = 1.0
RESTART_SECONDS = 1.0

Severity = Literal["information", "warning", "error"]


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class Dashboard(App[None]):
    """The application.

    Attributes:
        session: the server and its stores.
        changed: tells which stores have changed, by id, a few times a second at most.
        beat: tells once a second, and when the line changes, that words about time are due.
    """

    CSS_PATH = "urumi.tcss"
    TITLE = "Urumi"
    BINDINGS: ClassVar[list[BindingType]] = APP.bindings()
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {CommandProvider, StoreProvider}
    # Textual declares both as variables of the instance.
    HORIZONTAL_BREAKPOINTS = [(0, "-stacked"), (150, "-beside")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]  # noqa: RUF012
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+underscore"  # the palette has a binding of its own, with an id

    def __init__(
        self,
        settings: Settings,
        *,
        now: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.settings = settings
        self.glyphs = ASCII if settings.ascii else UNICODE
        self.now = now
        self.session = Session(lambda: find_target(settings.url, settings.token), now, monotonic)
        self.changed: Signal[frozenset[str]] = Signal(self, "changed")
        self.beat: Signal[None] = Signal(self, "beat")
        self._pending: frozenset[str] = frozenset()
        self._is_batch_due = False
        self._told_at = float("-inf")
        self._keys = KeyQueue(self, super().on_event)
        ScrollBar.renderer = WholeCells
        for theme in (DARK, LIGHT):
            self.register_theme(theme)
        self.set_keymap(settings.keys)
        self.set_class(settings.ascii, "-ascii")

    def get_default_screen(self) -> Screen[Any]:
        """Begin with the list."""
        return StoresScreen(self)

    def on_mount(self) -> None:
        """Go live after the first paint."""
        self.choose_theme(self.settings.theme)
        self.set_interval(BEAT_SECONDS, self._beat)
        self.call_after_refresh(self._go_live)

    async def on_unmount(self) -> None:
        """Let the connections be closed before the event loop ends."""
        workers = list(self.workers)
        for worker in workers:
            if not worker.is_cancelled:  # a second cancel would cut the closing short
                worker.cancel()
        await asyncio.gather(*(worker.wait() for worker in workers), return_exceptions=True)
        await self.session.close()

    @property
    def defect(self) -> Exception | None:
        """What ended the dashboard, where that was a defect."""
        return self._exception

    def _print_error_renderables(self) -> None:
        # Textual would print a traceback; `main` says the defect in a sentence.
        self._exit_renderables.clear()

    # --- News

    def _go_live(self) -> None:
        self.run_worker(self._listen(), name="feed", group="feed", exclusive=True, exit_on_error=False)

    async def _listen(self) -> None:
        async for news in self.session.listen():
            self._pending |= news.changed
            if news.is_link:
                self.beat.publish(None)
            if news.said:
                self.say(news.said)
            if news.changed:
                self._tell_soon()

    def _tell_soon(self) -> None:
        if self._is_batch_due:
            return
        self._is_batch_due = True
        wait = self._told_at + BATCH_SECONDS - time.monotonic()
        if wait > 0:
            self.set_timer(wait, self._tell)
        else:
            self._tell()

    def _tell(self) -> None:
        self._is_batch_due = False
        self._told_at = time.monotonic()
        changed, self._pending = self._pending, frozenset()
        self.changed.publish(changed)

    def _beat(self) -> None:
        self.beat.publish(None)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say that a worker crashed, and start the feed again."""
        if event.state is not WorkerState.ERROR:
            return
        error = event.worker.error
        what = "The live feed" if event.worker.name == "feed" else "A call to the server"
        again = " It is started again." if event.worker.name == "feed" else ""
        self.say(f"{what} met a defect: {type(error).__name__}: {error}.{again}", severity="error")
        if event.worker.name == "feed":
            self.set_timer(RESTART_SECONDS, self._go_live)

    # --- What screens ask for

    def say(self, words: str, *, severity: Severity = "information") -> None:
        """Say something for a moment."""
        self.notify(printable(words), severity=severity, markup=False)

    def copy(self, text: str, what: str, *, secret: bool = False) -> None:
        """Copy a text through the terminal, and into a file for where that does not take it."""
        self.copy_to_clipboard(text)
        if secret:
            self.say(f"Copied {what}, if this terminal takes it (OSC 52). It is in no file.")
            return
        try:
            keep(text)
        except OSError as error:
            self.say(
                f"Copied {what}, if this terminal takes it (OSC 52). It could not be written to {copied_file()}: "
                f"{error.strerror}.",
                severity="warning",
            )
        else:
            self.say(f"Copied {what}. If this terminal does not take it, it is in {copied_file()}.")

    def follow_address(self, address: str) -> None:
        """Open an address in a browser, or copy it where there is none that leaves the terminal alone."""
        try:
            browser = webbrowser.get()
        except webbrowser.Error:
            self.copy(address, f"{address}: there is no browser on this machine")
            return
        if isinstance(browser, webbrowser.GenericBrowser) and not isinstance(browser, webbrowser.BackgroundBrowser):
            self.copy(address, f"{address}: the browser here would need this terminal")
            return
        self.open_url(address)
        self.say(f"Opened {address}.")

    def go_to(self, store_id: str) -> None:
        """Show a store in the list."""
        store = self.session.stores.get(store_id)
        if store is None:
            self.say(f"There is no store {store_id!r}.", severity="warning")
            return
        screen = self._list()
        if screen.roster.place(store.uid) is None:
            screen.narrow(Filter())
        screen.table.stand_on(store.uid)

    def _list(self) -> StoresScreen:
        while not isinstance(self.screen, StoresScreen):
            self.pop_screen()
        return self.screen

    def obey(self, text: str, screen: StoresScreen) -> None:
        """Do what was typed after `:`."""
        self.run_worker(obey(text, screen), group="command", exit_on_error=False)

    def choose_theme(self, name: str) -> None:
        """Use a theme."""
        if name in self.available_themes:
            self.theme = name
        else:
            names = ", ".join(sorted(self.available_themes))
            self.say(f"There is no theme {name!r}. There are: {names}.", severity="warning")

    def key_of(self, command: Command) -> str:
        """Return the first key of a command as a person would write it."""
        keys = self.settings.keys.get(command.id, command.keys)
        return self.get_key_display(Binding(keys.split(",")[0].strip(), command.action))

    def get_key_display(self, binding: Binding) -> str:
        """Return how a key is written; as a word where its sign is not ASCII and only that is wanted."""
        display = super().get_key_display(binding)
        return display if display.isascii() or not self.settings.ascii else binding.key

    # --- Keys

    async def on_event(self, event: events.Event) -> None:
        """Deliver keys in their order."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            await self._keys.put(event)
        else:
            await super().on_event(event)

    def action_reconnect(self) -> None:
        """Try to reach the server now."""
        if self.session.is_live:
            self.say("The line is live already.")
        else:
            self.session.reconnect_now()

    def action_toggle_theme(self) -> None:
        """Switch between dark and light."""
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name

    def action_command_palette(self) -> None:
        """Find a store or a command by name."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette(placeholder="Find a store or a command", id="--command-palette"))

    def action_help(self) -> None:
        """Show every key that works here."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen, {command.id: command for command in commands()}))

    def action_command(self) -> None:
        """Type a command; from another screen the list comes first."""
        self._list().action_command()
