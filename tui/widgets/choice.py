"""A choice of one out of a few, a line each; the chosen one is told by its sign, not by a colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.message import Message
from textual.reactive import reactive

from tui.widgets.toned import Toned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual import events
    from textual.binding import BindingType

CHOSEN, OTHER = "(x)", "( )"


class Choice(Toned, can_focus=True):
    """Choices by value, each with its words."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("down,right,j,space", "step(1)", "next"),
        ("up,left,k", "step(-1)", "previous"),
        ("enter", "accept", "go on"),
    ]

    value = reactive("")

    @dataclass
    class Changed(Message):
        """Another one was chosen."""

        value: str

    class Accepted(Message):
        """The choice is made."""

    def __init__(self, words: Mapping[str, str], value: str, *, id: str) -> None:
        super().__init__(id=id)
        self._words = words
        self.set_reactive(Choice.value, value)

    def render(self) -> Text:
        """Draw a line for each."""
        return Text("\n", end="").join(self._line(value, words) for value, words in self._words.items())

    def action_step(self, step: int) -> None:
        """Choose the next one."""
        values = list(self._words)
        self.value = values[(values.index(self.value) + step) % len(values)]

    def action_accept(self) -> None:
        """Go on with what is chosen."""
        self.post_message(self.Accepted())

    def on_click(self, event: events.Click) -> None:
        """Choose the one on the line."""
        values = list(self._words)
        if 0 <= event.y < len(values):
            self.value = values[event.y]

    def watch_value(self, value: str) -> None:
        """Tell."""
        self.post_message(self.Changed(value))

    def _line(self, value: str, words: str) -> Text:
        is_chosen = value == self.value
        sign, tone = (CHOSEN, "accent") if is_chosen else (OTHER, "quiet")
        return self.text([(f"{sign} ", tone), (words, "plain" if is_chosen else "quiet")])
