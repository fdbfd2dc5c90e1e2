"""The list of stores with the pane of the one under the cursor: where the dashboard begins and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Container

from tui.commands.availability import NO_STORE
from tui.commands.palette import CommandSuggester
from tui.model.filter import Filter
from tui.model.keymap import APP, LIST, STORE
from tui.model.rows import Roster
from tui.screens.actions import ActingScreen
from tui.screens.create import Created, CreateDialog
from tui.screens.details import DetailsScreen
from tui.text.connection import TONES, status, summary
from tui.text.empty_list import blank_lines
from tui.text.values import plural
from tui.widgets.detail import DetailPane
from tui.widgets.keybar import KeyBar
from tui.widgets.prompt import Prompt
from tui.widgets.store_table import StoreTable
from tui.widgets.toned import cells
from tui.widgets.topbar import TopBar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.timer import Timer

    from tui.app import Dashboard
    from tui.text.columns import Column
    from tui.widgets.toned import Piece, Pieces
    from urumi.wire import Store

TYPING_SECONDS = 0.1
SUMMARY_GAP = 2


class StoresScreen(ActingScreen):
    """The list, narrowed and ordered as a person likes it."""

    BINDINGS: ClassVar[list[BindingType]] = LIST.bindings()

    def __init__(self, dashboard: Dashboard) -> None:
        super().__init__()
        self.roster = Roster()
        self.table = StoreTable(self.roster, dashboard.glyphs, dashboard.now)
        self.pane = DetailPane(dashboard.glyphs)
        self._top = TopBar(dashboard.glyphs)
        self._prompt = Prompt(CommandSuggester(self))
        self._keys = KeyBar(id="keys")
        self._awaited = ""
        self._is_pane_due = False
        self._typing: Timer | None = None

    def compose(self) -> ComposeResult:
        """Put the list over the pane, or beside it where there is room."""
        yield self._top
        yield self._prompt
        with Container(id="body"):
            yield self.table
            yield self.pane
        yield self._keys

    def on_mount(self) -> None:
        """Begin with the list, and listen."""
        self.set_focus(self.table)
        self.dashboard.changed.subscribe(self, self._take, immediate=True)
        self.dashboard.beat.subscribe(self, self._beat, immediate=True)
        self._take(frozenset(self.dashboard.session.stores))
        self._beat(None)

    def targets(self) -> Sequence[Store]:
        """Return the marked stores in their order, or the one under the cursor."""
        marked = [row.store for uid in self.table.marked if (row := self.roster.row(uid)) and not row.gone]
        return sorted(marked, key=lambda store: store.store_id) or self._under_cursor()

    def _under_cursor(self) -> list[Store]:
        row = self.roster.row(self.table.cursor)
        return [row.store] if row else []

    # --- News

    def _take(self, changed: frozenset[str]) -> None:
        line = self.table.cursor_line()
        if self.roster.update(self.dashboard.session.stores, changed):
            self.table.marked = {uid for uid in self.table.marked if (row := self.roster.row(uid)) and not row.gone}
            self._stand_on_awaited()
            self.table.follow(line=line)
        else:
            self.table.repaint()
        self._show()

    def _stand_on_awaited(self) -> None:
        if self.roster.place(self._awaited) is not None:
            self.table.stand_on(self._awaited)
            self._awaited = ""

    def _beat(self, beat: None) -> None:
        self.table.repaint()
        self._show()

    def _show(self) -> None:
        """Show everything that is not the list itself."""
        session, now = self.dashboard.session, self.dashboard.now()
        self.table.stale = not session.is_live and bool(session.stores)
        self.table.blank = blank_lines(session, self.roster.filter, now)
        self._prompt.rest(self.roster.filter.text, self._filter_words())
        self._show_top()
        self._show_chosen()

    def _show_top(self) -> None:
        session, glyphs = self.dashboard.session, self.dashboard.glyphs
        line = status(session, self.dashboard.now())
        aside = tuple(self._aside())
        lines = [(tuple(self._brand()), tuple(line.pieces(glyphs))), (self._counts(cells(aside)), aside)]
        if line.detail:
            lines.append((((f"  {line.detail}", TONES[line.tone]),), ()))
        self._top.lines = tuple(lines)

    def _counts(self, taken: int) -> Pieces:
        if self.dashboard.session.age_seconds is None:
            return ()
        counts, glyphs = self.roster.counts, self.dashboard.glyphs
        in_words = tuple(summary(counts, glyphs))
        fits = cells(in_words) + taken + SUMMARY_GAP <= self.size.width
        return in_words if fits else tuple(summary(counts, glyphs, is_short=True))

    def _show_chosen(self) -> None:
        self._is_pane_due = False
        store = next(iter(self._under_cursor()), None)
        self.pane.show(store, self.dashboard.now())
        self._keys.hints = self.hints((*LIST.commands, *STORE.commands, *APP.commands))

    def _brand(self) -> Iterator[Piece]:
        yield "  Urumi ", "accent"
        yield f" {self.dashboard.session.target.url.partition('://')[2]} ", "quiet"
        if self.dashboard.settings.read_only:
            yield " read-only ", "warning"

    def _aside(self) -> Iterator[Piece]:
        if self.table.marked:
            yield f"{plural(len(self.table.marked), 'store')} marked ", "accent"
        elif self.roster.simulated:
            yield "simulated containers ", "warning"

    def _filter_words(self) -> str:
        wanted = self.roster.filter
        if not wanted:
            return ""
        only = "failed or degraded only, " if wanted.failing else ""
        return f"{only}showing {self.roster.shown:,} of {plural(self.roster.known, 'store')}, esc shows all"

    # --- The list

    def on_store_table_moved(self) -> None:
        """Show the other store, once the cursor is painted and however many it has passed by then."""
        if not self._is_pane_due:
            self._is_pane_due = True
            self.call_after_refresh(self._show_chosen)

    def on_store_table_marked(self) -> None:
        """Say how many are marked."""
        self._show_top()
        self._show_chosen()

    def on_store_table_opened(self) -> None:
        """Show the store in full."""
        self.action_details()

    def on_store_table_picked(self, event: StoreTable.Picked) -> None:
        """Order by the column, or turn the order round."""
        self.sort(event.column)

    def sort(self, column: Column) -> None:
        """Order by a column; the other way round where it orders already."""
        backwards = column == self.roster.column and not self.roster.backwards
        line = self.table.cursor_line()
        self.roster.order(column, backwards=backwards)
        self.table.follow(line=line)

    def narrow(self, wanted: Filter) -> None:
        """Show only some of the stores."""
        self.roster.narrow(wanted)
        self.roster.hold(self.table.cursor if self.roster.place(self.table.cursor) is not None else "")
        self.table.follow()
        self.table.show_cursor()
        self._show()

    def why_not(self, action: str) -> str:
        """Return why an action would do nothing now; empty where it would do something."""
        return NO_STORE if action == "details" and not self._under_cursor() else super().why_not(action)

    def action_details(self) -> None:
        """Show everything about the store under the cursor."""
        if not self._under_cursor():
            self.dashboard.say(NO_STORE, severity="warning")
        for store in self._under_cursor():
            self.app.push_screen(DetailsScreen(self.dashboard, store))

    def action_new(self) -> None:
        """Ask for a new store."""
        self.new()

    def new(self, store_id: str = "") -> None:
        """Ask for a new store, some of whose id is known."""
        reason = self.why_not("new")
        if reason:
            self.dashboard.say(reason, severity="warning")
        else:
            self.app.push_screen(CreateDialog(self.dashboard.session.stores, store_id), self._created)

    def _created(self, created: Created | None) -> None:
        if created is None:
            return
        store = created.store
        self.dashboard.say(
            f"{store.store_id} {'was asked for' if created.is_new else 'was there already; here it is'}."
        )
        if self.roster.filter and not self.roster.filter.test()(store):
            self.narrow(Filter())
        self._awaited = store.uid
        self._stand_on_awaited()

    # --- Filter and commands

    def action_filter(self) -> None:
        """Let a filter be typed."""
        self._prompt.ask("filter", self.roster.filter.text)

    def action_command(self) -> None:
        """Let a command be typed."""
        self._prompt.ask("command")

    def action_failed(self) -> None:
        """Show what fails only, or everything again."""
        self.narrow(Filter(self.roster.filter.text, failing=not self.roster.filter.failing))

    def action_clear(self) -> None:
        """Take away the filter, or else the marks."""
        if self.roster.filter:
            self.narrow(Filter())
        elif self.table.marked:
            self.table.marked.clear()
            self.table.repaint()
            self._show()

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        """Narrow the list while somebody types, once they pause."""
        if event.mode == "filter":
            if self._typing:
                self._typing.stop()
            self._typing = self.set_timer(TYPING_SECONDS, lambda: self._narrow_to(event.text))

    def on_prompt_accepted(self, event: Prompt.Accepted) -> None:
        """Narrow the list, or do what was said."""
        if event.mode == "filter":
            self._narrow_to(event.text)
        else:
            self._show()
            self.dashboard.obey(event.text, self)

    def on_prompt_cancelled(self, event: Prompt.Cancelled) -> None:
        """Show everything again where it was a filter."""
        if event.mode == "filter":
            self._narrow_to("")
        else:
            self._show()

    def _narrow_to(self, text: str) -> None:
        if self._typing:
            self._typing.stop()
        self.narrow(Filter(text, failing=self.roster.filter.failing))
