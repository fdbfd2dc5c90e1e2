"""All keys of the screen below, in groups, built from the active bindings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.model.keymap import SCOPES
from tui.text.pieces import GAP, Line, aligned
from tui.widgets.lines import LinesView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.screen import Screen

    from tui.host import Host

WIDTH = 40  # the keys take at most this many cells


class HelpScreen(ModalScreen[None]):
    """Shows the keys of the screen below and of its focused widget."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "dismiss", "close")]

    def __init__(self, below: Screen[Any], host: Host) -> None:
        super().__init__(classes="dialog")
        self._ellipsis = host.glyphs.ellipsis
        self._lines = list(_lines(below, self._ellipsis))

    def compose(self) -> ComposeResult:
        """Put the keys under a heading."""
        with Vertical(classes="dialog--frame -tall"):
            yield Static("Keys", classes="dialog--heading")
            yield LinesView(self._ellipsis, id="help")
            yield Static("Press esc to close. docs/dashboard.md shows how to change keys.", classes="dialog--note")

    def on_mount(self) -> None:
        """Show the lines."""
        view = self.query_one(LinesView)
        view.show(self._lines, reset=True)
        self.set_focus(view)


def _lines(below: Screen[Any], ellipsis: str) -> Iterator[Line]:
    keys: dict[str, list[str]] = {}
    for active in below.active_bindings.values():
        if active.binding.id:
            keys.setdefault(active.binding.id, []).append(below.app.get_key_display(active.binding))
    known = [(scope, command) for scope in SCOPES for command in scope.commands if command.id in keys]
    heads = aligned([((" " * GAP + "  ".join(keys[command.id]), "key"),) for _, command in known], WIDTH, ellipsis)
    title = ""
    for head, (scope, command) in zip(heads, known, strict=True):
        if scope.title != title:
            if title:
                yield Line()
            title = scope.title
            yield Line(body=((title, "accent"),))
        yield Line(head, ((command.title, "plain"),))
