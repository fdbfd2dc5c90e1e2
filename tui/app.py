"""The dashboard: one session, its updates in batches for the screens, and everything that `tui.host` promises.

The live feed runs in a worker of the application, not of a screen, so it lives as long as the dashboard. If it crashes,
the crash is reported and the feed is restarted; the list keeps its data.
"""

from __future__ import annotations

import asyncio
import time
import webbrowser
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding
from textual.command import CommandPalette
from textual.scrollbar import ScrollBar
from textual.signal import Signal
from textual.worker import Worker, WorkerState

from tui.commands.clipboard import copied_file, write_copied
from tui.commands.key_queue import KeyQueue
from tui.commands.palette import CommandProvider, StoreProvider
from tui.model.filter import Filter
from tui.model.keymap import APP, Command
from tui.model.session import Session
from tui.screens.help import HelpScreen
from tui.screens.stores import StoresScreen
from tui.text.glyphs import ASCII, UNICODE
from tui.widgets.bindings import bindings
from tui.widgets.scrollbar import WholeCells
from tui.widgets.themes import DARK, LIGHT
from urumi.config import find_target
from urumi.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.binding import BindingType
    from textual.command import Provider
    from textual.screen import Screen

    from tui.host import Host, Severity
    from tui.model.settings import Settings
    from tui.text.columns import Column

BATCH_SECONDS = 0.1
TICK_SECONDS = 1.0
RESTART_SECONDS = 1.0


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class Dashboard(App[None]):
    """The application, the host of all screens."""

    CSS_PATH = "urumi.tcss"
    TITLE = "Urumi"
    BINDINGS: ClassVar[list[BindingType]] = bindings(APP)
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {CommandProvider, StoreProvider}
    # Textual declares both as variables of the instance.
    HORIZONTAL_BREAKPOINTS = [(0, "-stacked"), (150, "-beside")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-lowest"), (20, "-low"), (30, "-high")]  # noqa: RUF012
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+underscore"  # the palette has another binding, with an id

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
        self.session = Session(lambda: find_target(settings.url, settings.token), now, monotonic)
        self.changed: Signal[frozenset[str]] = Signal(self, "changed")
        self.tick: Signal[None] = Signal(self, "tick")
        self._now = now
        self._pending: frozenset[str] = frozenset()
        self._is_batch_due = False
        self._published_at = float("-inf")
        self._keys = KeyQueue(self, super().on_event)
        ScrollBar.renderer = WholeCells
        for theme in (DARK, LIGHT):
            self.register_theme(theme)
        self.set_keymap(settings.keys)
        self.set_class(settings.ascii, "-ascii")

    def get_default_screen(self) -> Screen[Any]:
        """Return the list."""
        host: Host = self
        return StoresScreen(host)

    def on_mount(self) -> None:
        """Connect after the first paint."""
        self.choose_theme(self.settings.theme)
        self.set_interval(TICK_SECONDS, lambda: self.tick.publish(None))
        self.call_after_refresh(self._start_feed)

    async def on_unmount(self) -> None:
        """Close the connections before the event loop ends."""
        workers = list(self.workers)
        for worker in workers:
            if not worker.is_cancelled:  # a second cancel would interrupt the closing
                worker.cancel()
        await asyncio.gather(*(worker.wait() for worker in workers), return_exceptions=True)
        await self.session.close()

    @property
    def internal_error(self) -> Exception | None:
        """The exception that ended the dashboard, if there was one."""
        return self._exception

    def _print_error_renderables(self) -> None:
        # Textual would print a traceback; `main` reports the error in a sentence.
        self._exit_renderables.clear()

    # --- Updates

    def _start_feed(self) -> None:
        self.run_worker(self._receive(), name="feed", group="feed", exclusive=True, exit_on_error=False)

    async def _receive(self) -> None:
        async for update in self.session.listen():
            self._pending |= update.changed
            if update.is_connection:
                self.tick.publish(None)
            if update.message:
                self.show_message(update.message)
            if update.changed and not self._is_batch_due:
                self._is_batch_due = True
                wait = self._published_at + BATCH_SECONDS - time.monotonic()
                if wait > 0:
                    self.set_timer(wait, self._publish)
                else:
                    self._publish()

    def _publish(self) -> None:
        self._is_batch_due = False
        self._published_at = time.monotonic()
        changed, self._pending = self._pending, frozenset()
        self.changed.publish(changed)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Report a worker that crashed, and restart the feed."""
        if event.state is not WorkerState.ERROR:
            return
        error, is_feed = event.worker.error, event.worker.name == "feed"
        what = "Live feed failed" if is_feed else "Action failed"
        hint = " Restarting it." if is_feed else ""
        self.show_message(f"{what}: internal error {type(error).__name__}: {error}.{hint}", severity="error")
        if is_feed:
            self.set_timer(RESTART_SECONDS, self._start_feed)

    # --- The host of the screens

    def now(self) -> datetime:
        """Return the time."""
        return self._now()

    def show_message(self, text: str, *, severity: Severity = "information") -> None:
        """Show a message for a few seconds."""
        self.notify(printable(text), severity=severity, markup=False)

    def copy(self, text: str, name: str, *, secret: bool = False) -> None:
        """Copy a text through the terminal, and into a file in case the terminal does not support it."""
        self.copy_to_clipboard(text)
        if secret:
            self.show_message(f"Copied {name} (needs a terminal with OSC 52). It is not written to a file.")
            return
        try:
            write_copied(text)
        except OSError as error:
            self.show_message(
                f"Copied {name} (needs a terminal with OSC 52). Writing {copied_file()} failed: {error.strerror}.",
                severity="warning",
            )
        else:
            self.show_message(f"Copied {name}. It is also in {copied_file()}.")

    def open_address(self, address: str) -> None:
        """Open an address in a browser, or copy it if no browser runs outside the terminal."""
        try:
            browser = webbrowser.get()
        except webbrowser.Error:
            self.copy(address, f"{address}: no browser on this machine")
            return
        if isinstance(browser, webbrowser.GenericBrowser) and not isinstance(browser, webbrowser.BackgroundBrowser):
            self.copy(address, f"{address}: the only browser on this machine needs the terminal")
            return
        self.open_url(address)
        self.show_message(f"Opened {address}.")

    def key_of(self, command: Command) -> str:
        """Return the first key of a command as it is shown to a person."""
        keys = self.settings.keys.get(command.id, command.keys)
        return self.get_key_display(Binding(keys.split(",")[0].strip(), command.action))

    def new_store(self, store_id: str = "") -> None:
        """Open the dialog that creates a store."""
        self._show_list().new(store_id)

    def go_to(self, store_id: str) -> None:
        """Show a store in the list."""
        store = self.session.stores.get(store_id)
        if store is None:
            self.show_message(f"No store named {store_id!r}.", severity="warning")
            return
        screen = self._show_list()
        if screen.rows.place(store.uid) is None:
            screen.narrow(Filter())
        screen.table.move_to(store.uid)

    def narrow_list(self, wanted: Filter) -> None:
        """Show only the stores that match the filter."""
        self._show_list().narrow(wanted)

    def sort_list(self, column: Column) -> None:
        """Sort the list by a column."""
        self._show_list().sort(column)

    def choose_theme(self, name: str) -> None:
        """Use a theme."""
        if name in self.available_themes:
            self.theme = name
        else:
            names = ", ".join(sorted(self.available_themes))
            self.show_message(f"Unknown theme {name!r}. Known themes: {names}.", severity="warning")

    def _show_list(self) -> StoresScreen:
        while not isinstance(self.screen, StoresScreen):
            self.pop_screen()
        return self.screen

    # --- Keys

    def get_key_display(self, binding: Binding) -> str:
        """Return how a key is written; its name if only ASCII is wanted and its sign is not ASCII."""
        display = super().get_key_display(binding)
        return display if display.isascii() or not self.settings.ascii else binding.key

    async def on_event(self, event: events.Event) -> None:
        """Deliver keys in their order."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            await self._keys.put(event)
        else:
            await super().on_event(event)

    def action_reconnect(self) -> None:
        """Reconnect now."""
        if self.session.is_live:
            self.show_message("The connection is already live.")
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
        """Show all keys."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen, self))

    def action_command(self) -> None:
        """Type a command; from another screen, the list is shown first."""
        self._show_list().action_command()
