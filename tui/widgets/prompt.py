"""The line over the list in which a filter or a command is typed; a filter stays in sight while it narrows the list."""

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


class Line(Input):
    """The input; enter means what is typed."""

    async def action_submit(self) -> None:
        """Tell the prompt."""
        if isinstance(self.parent, Prompt):
            self.parent.action_accept()


class Prompt(Horizontal):
    """One line of input with its sign before it and words behind it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "cancel", "cancel"),
        ("down", "down", "to the list"),
    ]

    @dataclass
    class Changed(Message):
        """Something else is typed."""

        mode: Mode
        text: str

    @dataclass
    class Accepted(Message):
        """What is typed is meant."""

        mode: Mode
        text: str

    @dataclass
    class Cancelled(Message):
        """What was typed is not meant."""

        mode: Mode

    def __init__(self, suggester: Suggester) -> None:
        super().__init__(id="prompt")
        self.mode: Mode = "filter"
        self._suggester = suggester
        self._sign = Static("/", id="prompt-sign", markup=False)
        self._input = Line(id="prompt-input", compact=True, select_on_focus=False)
        self._before: Widget | None = None
        self._words = Static("", id="prompt-words", markup=False)

    def compose(self) -> ComposeResult:
        """Put the sign before the input and the words behind it."""
        yield self._sign
        yield self._input
        yield self._words

    def ask(self, mode: Mode, text: str = "") -> None:
        """Let something be typed."""
        self.mode = mode
        self._sign.update(SIGNS[mode])
        self._input.suggester = self._suggester if mode == "command" else None
        self._set(text)
        self.display = True
        self._before = self.screen.focused
        self.screen.set_focus(self._input)

    def rest(self, text: str, words: str) -> None:
        """Show the filter that is in force with words about it, or nothing where there is none."""
        self._words.update(printable(words))
        if not self._input.has_focus:
            self.mode = "filter"
            self._sign.update(SIGNS["filter"])
            self._set(text)
            self.display = bool(text or words)

    def action_cancel(self) -> None:
        """Give up."""
        self._leave(self.Cancelled(self.mode))

    def action_accept(self) -> None:
        """Mean what is typed."""
        self._leave(self.Accepted(self.mode, self._input.value))

    def action_down(self) -> None:
        """Go to the list with the filter; a command is only meant with enter."""
        if self.mode == "filter":
            self.action_accept()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell what is typed."""
        event.stop()
        self.post_message(self.Changed(self.mode, event.value))

    def _leave(self, message: Message) -> None:
        # Both at once, and straight to the screen: the next key may be there already and is meant for the list as it
        # will be then.
        self.screen.set_focus(self._before)
        self.screen.post_message(message)

    def _set(self, text: str) -> None:
        with self.prevent(Input.Changed):
            self._input.value = text
            self._input.cursor_position = len(text)
