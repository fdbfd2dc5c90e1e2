"""The first screen: the list of stores, and the pane of the store under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Container

from tui.commands.availability import NO_STORE
from tui.commands.command_line import run_command
from tui.commands.palette import CommandSuggester
from tui.model.filter import Filter
from tui.model.keymap import APP, LIST, STORE
from tui.model.rows import StoreRows
from tui.screens.actions import ActionScreen
from tui.screens.create import Created, CreateDialog
from tui.screens.details import DetailsScreen
from tui.text.connection import connection_text, summary
from tui.text.empty_list import empty_list
from tui.text.pieces import GAP, cells
from tui.text.values import plural
from tui.widgets.bindings import bindings
from tui.widgets.detail import DetailPane
from tui.widgets.keybar import KeyBar
from tui.widgets.prompt import Prompt
from tui.widgets.store_table import StoreTable
from tui.widgets.topbar import TopBar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.timer import Timer

    from tui.host import Host
    from tui.text.columns import Column
    from tui.text.pieces import Pieces
    from urumi.wire import Store

TYPING_SECONDS = 0.1


class StoresScreen(ActionScreen):
    """The list of stores, filtered and sorted."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(LIST)

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.rows = StoreRows()
        self.table = StoreTable(self.rows, host.glyphs, host.now)
        self.pane = DetailPane(host.glyphs)
        self._top = TopBar(host.glyphs)
        self._prompt = Prompt(CommandSuggester(self))
        self._keys = KeyBar(id="keys")
        self._expected = ""
        self._is_pane_due = False
        self._typing: Timer | None = None

    def compose(self) -> ComposeResult:
        """Put the list above the pane, or beside it in a wide terminal."""
        yield self._top
        yield self._prompt
        with Container(id="body"):
            yield self.table
            yield self.pane
        yield self._keys

    def on_mount(self) -> None:
        """Show the list and subscribe to changes."""
        self.set_focus(self.table)
        self.host.changed.subscribe(self, self._update_rows, immediate=True)
        self.host.tick.subscribe(self, self._tick, immediate=True)
        self._update_rows(frozenset(self.host.session.stores))
        self._tick(None)

    def targets(self) -> Sequence[Store]:
        """Return the marked stores in their order, or the one under the cursor."""
        marked = [row.store for uid in self.table.marked if (row := self.rows.row(uid)) and not row.deleted]
        return sorted(marked, key=lambda store: store.store_id) or self._under_cursor()

    def _under_cursor(self) -> list[Store]:
        row = self.rows.row(self.table.cursor)
        return [row.store] if row else []

    # --- Updates

    def _update_rows(self, changed: frozenset[str]) -> None:
        line = self.table.cursor_line()
        if self.rows.update(self.host.session.stores, changed):
            self.table.marked = {uid for uid in self.table.marked if (row := self.rows.row(uid)) and not row.deleted}
            self._move_to_expected()
            self.table.follow(line=line)
        else:
            self.table.repaint()
        self._show()

    def _move_to_expected(self) -> None:
        if self.rows.place(self._expected) is not None:
            self.table.move_to(self._expected)
            self._expected = ""

    def _tick(self, _: None) -> None:
        self.table.repaint()
        self._show()

    def _show(self) -> None:
        """Update everything but the list."""
        session, now = self.host.session, self.host.now()
        self.table.stale = not session.is_live and bool(session.stores)
        self.table.blank = empty_list(session, self.rows.filter, now)
        current, note = self.rows.filter, ""
        if current:
            only = "only failed or degraded, " if current.failing else ""
            note = f"{only}{self.rows.shown:,} of {plural(self.rows.known, 'store')} (esc shows all)"
        self._prompt.show_filter(current.text, note)
        self._show_top()
        self._show_selected()

    def _show_top(self) -> None:
        session, glyphs = self.host.session, self.host.glyphs
        connection = connection_text(session, self.host.now())
        brand: Pieces = ("  Urumi ", "accent"), (f" {session.target.url.partition('://')[2]} ", "quiet")
        if self.host.settings.read_only:
            brand = *brand, (" read-only ", "warning")
        aside: Pieces = ()
        if self.table.marked:
            aside = ((f"{plural(len(self.table.marked), 'store')} marked ", "accent"),)
        elif self.rows.simulated:
            aside = (("simulated containers ", "warning"),)
        counts: Pieces = ()
        if session.age_seconds is not None:
            counts = tuple(summary(self.rows.counts, glyphs))
            if cells(counts) + cells(aside) + GAP > self.size.width:
                counts = tuple(summary(self.rows.counts, glyphs, is_short=True))
        lines: list[tuple[Pieces, Pieces]] = [
            (brand, (connection.piece(glyphs),)),
            (counts, aside),
        ]
        if connection.detail:
            lines.append((((f"  {connection.detail}", connection.tone),), ()))
        self._top.lines = tuple(lines)

    def _show_selected(self) -> None:
        self._is_pane_due = False
        store = next(iter(self._under_cursor()), None)
        self.pane.show(store, self.host.now())
        self._keys.hints = self.hints((*LIST.commands, *STORE.commands, *APP.commands))

    # --- The list

    def on_store_table_moved(self) -> None:
        """Show the other store after the next paint, once for all stores that the cursor passes until then."""
        if not self._is_pane_due:
            self._is_pane_due = True
            self.call_after_refresh(self._show_selected)

    def on_store_table_marked(self) -> None:
        """Show how many stores are marked."""
        self._show_top()
        self._show_selected()

    def on_store_table_opened(self) -> None:
        """Show the details of the store."""
        self.action_details()

    def on_store_table_picked(self, event: StoreTable.Picked) -> None:
        """Sort by the column, or reverse the order."""
        self.sort(event.column)

    def sort(self, column: Column) -> None:
        """Sort by a column, or reverse the order if the list is already sorted by it."""
        backwards = column.order == self.rows.order and not self.rows.backwards
        line = self.table.cursor_line()
        self.rows.sort(column.order, backwards=backwards)
        self.table.follow(line=line)

    def narrow(self, wanted: Filter) -> None:
        """Show only the stores that match the filter."""
        self.rows.narrow(wanted)
        self.rows.hold(self.table.cursor if self.rows.place(self.table.cursor) is not None else "")
        self.table.follow()
        self.table.show_cursor()
        self._show()

    def why_not(self, action: str) -> str:
        """Return why an action is unavailable now; empty if it is available."""
        return NO_STORE if action == "details" and not self._under_cursor() else super().why_not(action)

    def action_details(self) -> None:
        """Show the details of the store under the cursor."""
        if not self._under_cursor():
            self.host.show_message(NO_STORE, severity="warning")
        for store in self._under_cursor():
            self.app.push_screen(DetailsScreen(self.host, store))

    def action_new(self) -> None:
        """Create a store."""
        self.new()

    def new(self, store_id: str = "") -> None:
        """Open the dialog that creates a store, with an id if it is known."""
        reason = self.why_not("new")
        if reason:
            self.host.show_message(reason, severity="warning")
        else:
            self.app.push_screen(CreateDialog(self.host.session.stores, store_id), self._created)

    def _created(self, created: Created | None) -> None:
        if created is None:
            return
        store = created.store
        requested = f"Store {store.store_id} requested ({store.phase})."
        self.host.show_message(requested if created.is_new else f"Store {store.store_id} already exists.")
        if self.rows.filter and not self.rows.filter.test()(store):
            self.narrow(Filter())
        self._expected = store.uid
        self._move_to_expected()

    # --- Filter and commands

    def action_filter(self) -> None:
        """Type a filter."""
        self._prompt.open("filter", self.rows.filter.text)

    def action_command(self) -> None:
        """Type a command."""
        self._prompt.open("command")

    def action_failed(self) -> None:
        """Show only failed and degraded stores, or all."""
        self.narrow(Filter(self.rows.filter.text, failing=not self.rows.filter.failing))

    def action_clear(self) -> None:
        """Clear the filter, or else the marks."""
        if self.rows.filter:
            self.narrow(Filter())
        elif self.table.marked:
            self.table.marked.clear()
            self.table.repaint()
            self._show()

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        """Filter the list after a pause in typing."""
        if event.mode == "filter":
            if self._typing:
                self._typing.stop()
            self._typing = self.set_timer(TYPING_SECONDS, lambda: self._narrow_to(event.text))

    def on_prompt_accepted(self, event: Prompt.Accepted) -> None:
        """Filter the list, or run the command."""
        if event.mode == "filter":
            self._narrow_to(event.text)
        else:
            self._show()
            self.app.run_worker(run_command(event.text, self, self.host), group="command", exit_on_error=False)

    def on_prompt_cancelled(self, event: Prompt.Cancelled) -> None:
        """Clear the filter."""
        if event.mode == "filter":
            self._narrow_to("")
        else:
            self._show()

    def _narrow_to(self, text: str) -> None:
        if self._typing:
            self._typing.stop()
        self.narrow(Filter(text, failing=self.rows.filter.failing))
