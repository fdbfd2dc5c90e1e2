"""Every key that works on the screen below, in groups, made of the bindings that are in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.model.keymap import SCOPES
from tui.widgets.lines import Line, LinesView

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.screen import Screen

    from tui.model.keymap import Command

KEYS_WIDTH = 18


class HelpScreen(ModalScreen[None]):
    """Shows the keys of the screen below and of the widget that has the focus there."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "dismiss", "close")]

    def __init__(self, below: Screen[Any], known: Mapping[str, Command]) -> None:
        super().__init__(classes="dialog")
        self._lines = list(_lines(below, known))

    def compose(self) -> ComposeResult:
        """Put the keys under a heading."""
        with Vertical(classes="dialog--frame -tall"):
            yield Static("Keys", classes="dialog--heading")
            yield LinesView(id="help")
            yield Static("esc closes; ids for your own keys are in docs/dashboard.md", classes="dialog--note")

    def on_mount(self) -> None:
        """Show the lines."""
        view = self.query_one(LinesView)
        view.show(self._lines, anew=True)
        self.set_focus(view)


def _lines(below: Screen[Any], known: Mapping[str, Command]) -> Iterator[Line]:
    keys: dict[str, list[str]] = {}
    for active in below.active_bindings.values():
        if active.binding.id:
            keys.setdefault(active.binding.id, []).append(below.app.get_key_display(active.binding))
    for scope in SCOPES:
        there = [command for command in scope.commands if command.id in keys]
        if there:
            yield Line(body=((scope.title, "accent"),))
        for command in there:
            head = ((f"  {'  '.join(keys[command.id]):<{KEYS_WIDTH}}", "key"),)
            yield Line(head, ((known[command.id].title, "plain"),))
        if there:
            yield Line()
