"""The line above the list for typing a filter or a command; an active filter stays visible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from urumi.text import printable

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.suggester import Suggester
    from textual.widget import Widget

Mode = Literal["filter", "command"]
SIGNS: dict[Mode, str] = {"filter": "/", "command": ":"}


class PromptInput(Input):
    """The input of the prompt."""

    async def action_submit(self) -> None:
        """Accept the text."""
        if isinstance(self.parent, Prompt):
            self.parent.action_accept()


class Prompt(Horizontal):
    """One line of input with a sign before it and a note after it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "cancel", "cancel"),
        ("down", "down", "to the list"),
    ]

    @dataclass
    class Changed(Message):
        """The text was changed."""

        mode: Mode
        text: str

    @dataclass
    class Accepted(Message):
        """The text was accepted."""

        mode: Mode
        text: str

    @dataclass
    class Cancelled(Message):
        """The input was cancelled."""

        mode: Mode

    def __init__(self, suggester: Suggester) -> None:
        super().__init__(id="prompt")
        self.mode: Mode = "filter"
        self._suggester = suggester
        self._sign = Static("/", id="prompt-sign", markup=False)
        self._input = PromptInput(id="prompt-input", compact=True, select_on_focus=False)
        self._before: Widget | None = None
        self._note = Static("", id="prompt-note", markup=False)

    def compose(self) -> ComposeResult:
        """Put the sign before the input and the note after it."""
        yield self._sign
        yield self._input
        yield self._note

    def open(self, mode: Mode, text: str = "") -> None:
        """Start the input."""
        self.mode = mode
        self._sign.update(SIGNS[mode])
        self._input.suggester = self._suggester if mode == "command" else None
        self._set(text)
        self.display = True
        self._before = self.screen.focused
        self.screen.set_focus(self._input)

    def show_filter(self, text: str, note: str) -> None:
        """Show the active filter and a note about it, or hide the prompt if there is none."""
        self._note.update(printable(note))
        if not self._input.has_focus:
            self.mode = "filter"
            self._sign.update(SIGNS["filter"])
            self._set(text)
            self.display = bool(text or note)

    def action_cancel(self) -> None:
        """Cancel the input."""
        self._close(self.Cancelled(self.mode))

    def action_accept(self) -> None:
        """Accept the text."""
        self._close(self.Accepted(self.mode, self._input.value))

    def action_down(self) -> None:
        """Accept a filter and go to the list; only enter accepts a command."""
        if self.mode == "filter":
            self.action_accept()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Report the text."""
        event.stop()
        self.post_message(self.Changed(self.mode, event.value))

    def _close(self, message: Message) -> None:
        # The screen handles the message before the next key, which may already be queued for the changed list.
        self.screen.set_focus(self._before)
        self.screen.post_message(message)

    def _set(self, text: str) -> None:
        with self.prevent(Input.Changed):
            self._input.value = text
            self._input.cursor_position = len(text)
