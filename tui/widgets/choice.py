"""A choice of one out of a few, a line each; a sign marks the chosen one, not only a colour."""

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
    """Choices by value, each with its text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("down,right,j,space", "step(1)", "next"),
        ("up,left,k", "step(-1)", "previous"),
        ("enter", "accept", "confirm"),
    ]

    value = reactive("")

    @dataclass
    class Changed(Message):
        """Another choice was made."""

        value: str

    class Accepted(Message):
        """The choice was confirmed."""

    def __init__(self, texts: Mapping[str, str], value: str, *, id: str) -> None:
        super().__init__(id=id)
        self._texts = texts
        self.set_reactive(Choice.value, value)

    def render(self) -> Text:
        """Draw a line for each choice."""
        lines = []
        for value, text in self._texts.items():
            is_chosen = value == self.value
            sign, tone = (CHOSEN, "accent") if is_chosen else (OTHER, "quiet")
            lines.append(self.text([(f"{sign} ", tone), (text, "plain" if is_chosen else "quiet")]))
        return Text("\n", end="").join(lines)

    def action_step(self, step: int) -> None:
        """Choose the next or the previous one."""
        values = list(self._texts)
        self.value = values[(values.index(self.value) + step) % len(values)]

    def action_accept(self) -> None:
        """Confirm the choice."""
        self.post_message(self.Accepted())

    def on_click(self, event: events.Click) -> None:
        """Choose the one that was clicked."""
        values = list(self._texts)
        if 0 <= event.y < len(values):
            self.value = values[event.y]

    def watch_value(self, value: str) -> None:
        """Report the choice."""
        self.post_message(self.Changed(value))
