"""A notice: words to read, and a text to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.screens.base import dashboard_of
from urumi.words import printable

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType


class Notice(ModalScreen[None]):
    """Shows words and a text."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q", "dismiss", "close"), ("c", "copy", "copy")]

    def __init__(self, heading: str, words: str, text: str) -> None:
        super().__init__(classes="dialog")
        self._heading = heading
        self._words = words
        self._text = text

    def compose(self) -> ComposeResult:
        """Put the words over the text."""
        with Vertical(classes="dialog--frame"):
            yield Static(printable(self._heading), classes="dialog--heading", markup=False)
            yield Static("\n".join(map(printable, self._words.splitlines())), markup=False)
            yield Static(printable(self._text), classes="dialog--text", markup=False)
            with Horizontal(classes="dialog--buttons"):
                yield Button("Close", id="close", compact=True)
                yield Button("Copy", id="copy", classes="primary", compact=True)

    def on_mount(self) -> None:
        """Begin with copying."""
        self.set_focus(self.query_one("#copy"))

    def action_copy(self) -> None:
        """Copy the text."""
        dashboard_of(self).copy(self._text, "the command")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Copy, or close."""
        if event.button.id == "copy":
            self.action_copy()
        self.dismiss()
