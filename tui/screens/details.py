"""One store in full: what it is, its error, its conditions, its timeline, or all of it as YAML; live as the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tui.model.keymap import APP, DETAILS, STORE
from tui.screens.actions import ActingScreen
from tui.text.connection import status
from tui.text.details import facts
from tui.text.values import gone
from tui.text.yaml import yaml_text
from tui.widgets.keybar import KeyBar
from tui.widgets.lines import Line, LinesView
from tui.widgets.topbar import TopBar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from tui.app import Dashboard
    from urumi.wire import Store


MARGINS = 5


class DetailsScreen(ActingScreen):
    """Shows the store with one uid, and goes on showing it as it was last seen when it is gone."""

    BINDINGS: ClassVar[list[BindingType]] = DETAILS.bindings()

    def __init__(self, dashboard: Dashboard, store: Store) -> None:
        super().__init__()
        self._store = store
        self._is_yaml = False
        self._glyphs = dashboard.glyphs
        self._top = TopBar(dashboard.glyphs)
        self._lines = LinesView(id="details")
        self._keys = KeyBar(id="keys")

    def compose(self) -> ComposeResult:
        """Put the lines between the bars."""
        yield self._top
        yield self._lines
        yield self._keys

    def on_mount(self) -> None:
        """Begin, and listen."""
        self.set_focus(self._lines)
        self.dashboard.changed.subscribe(self, self._take, immediate=True)
        self.dashboard.beat.subscribe(self, self._beat, immediate=True)
        self._show(anew=True)

    def targets(self) -> Sequence[Store]:
        """Return the store."""
        return (self._store,)

    def action_yaml(self) -> None:
        """Show it as YAML, or in words again."""
        self._is_yaml = not self._is_yaml
        self._show(anew=True)

    def action_back(self) -> None:
        """Go back to the list."""
        self.app.pop_screen()

    def action_copy_id(self) -> None:
        """Copy the YAML where it is shown, else the id."""
        if self._is_yaml:
            self.dashboard.copy(yaml_text(self._store), f"the YAML of {self._store.store_id}")
        else:
            super().action_copy_id()

    def _take(self, changed: frozenset[str]) -> None:
        if self._store.store_id in changed:
            found = self.dashboard.session.find(self._store.uid)
            self._store = found or gone(self._store)
            self._show()

    def on_resize(self) -> None:
        """Lay the lines out for the new width."""
        self._show()

    def _beat(self, beat: None) -> None:
        self._show()

    def _show(self, *, anew: bool = False) -> None:
        store, now = self._store, self.dashboard.now()
        tone = store.phase.value.lower()
        place = (("  Urumi ", "accent"), (" stores / ", "quiet"), (store.store_id, "strong"))
        phase = ((f"  {self._glyphs.phases[store.phase]} {store.phase}", tone),)
        self._top.lines = (((*place, *phase), tuple(status(self.dashboard.session, now).pieces(self._glyphs))),)
        self._lines.show(
            self._yaml() if self._is_yaml else facts(store, self._glyphs, now, self.size.width - MARGINS), anew=anew
        )
        self._keys.hints = self.hints((*DETAILS.commands, *STORE.commands, *APP.commands))

    def _yaml(self) -> list[Line]:
        return [_indented(line) for line in yaml_text(self._store).splitlines()]


def _indented(line: str) -> Line:
    words = line.lstrip(" ")
    return Line(((" " * (len(line) - len(words)), "plain"),), ((words, "plain"),))
