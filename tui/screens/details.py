"""All details of one store, or the store as YAML; live like the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tui.model.keymap import APP, DETAILS, STORE
from tui.model.phases import as_deleted
from tui.screens.actions import ActionScreen
from tui.text.connection import connection_text
from tui.text.details import details
from tui.text.pieces import Line
from tui.text.yaml import yaml_text
from tui.widgets.bindings import bindings
from tui.widgets.keybar import KeyBar
from tui.widgets.lines import LinesView
from tui.widgets.topbar import TopBar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from tui.host import Host
    from urumi.wire import Store


MARGINS = 5


class DetailsScreen(ActionScreen):
    """Shows the store with one uid, and keeps showing its last known state when it is deleted."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(DETAILS)

    def __init__(self, host: Host, store: Store) -> None:
        super().__init__(host)
        self._store = store
        self._is_yaml = False
        self._top = TopBar(host.glyphs)
        self._lines = LinesView(host.glyphs.ellipsis, id="details")
        self._keys = KeyBar(id="keys")

    def compose(self) -> ComposeResult:
        """Put the lines between the bars."""
        yield self._top
        yield self._lines
        yield self._keys

    def on_mount(self) -> None:
        """Show the store and subscribe to changes."""
        self.set_focus(self._lines)
        self.host.changed.subscribe(self, self._update, immediate=True)
        self.host.tick.subscribe(self, lambda _: self._show(), immediate=True)
        self._show(reset=True)

    def targets(self) -> Sequence[Store]:
        """Return the store."""
        return (self._store,)

    def action_yaml(self) -> None:
        """Switch between YAML and text."""
        self._is_yaml = not self._is_yaml
        self._show(reset=True)

    def action_back(self) -> None:
        """Go back to the list."""
        self.app.pop_screen()

    def action_copy_id(self) -> None:
        """Copy the YAML if it is shown, else the id."""
        if self._is_yaml:
            self.host.copy(yaml_text(self._store), f"the YAML of {self._store.store_id}")
        else:
            super().action_copy_id()

    def on_resize(self) -> None:
        """Lay the lines out for the new width."""
        self._show()

    def _update(self, changed: frozenset[str]) -> None:
        if self._store.store_id in changed:
            self._store = self.host.session.find(self._store.uid) or as_deleted(self._store)
            self._show()

    def _show(self, *, reset: bool = False) -> None:
        store, glyphs, now = self._store, self.host.glyphs, self.host.now()
        place = (("  Urumi ", "accent"), (" stores / ", "quiet"), (store.store_id, "strong"))
        phase = ((f"  {glyphs.phases[store.phase]} {store.phase}", store.phase.value.lower()),)
        self._top.lines = (((*place, *phase), (connection_text(self.host.session, now).piece(glyphs),)),)
        if self._is_yaml:
            texts = [(text, text.lstrip(" ")) for text in yaml_text(store).splitlines()]
            lines = [Line(((text.removesuffix(body), "plain"),), ((body, "plain"),)) for text, body in texts]
        else:
            lines = list(details(store, glyphs, now, self.size.width - MARGINS))
        self._lines.show(lines, reset=reset)
        self._keys.hints = self.hints((*DETAILS.commands, *STORE.commands, *APP.commands))
