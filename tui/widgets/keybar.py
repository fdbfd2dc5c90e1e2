"""The bar of keys at the bottom: unavailable keys are dimmed, and each key can be clicked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text
from textual.reactive import reactive

from tui.widgets.toned import Toned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events


@dataclass(frozen=True, slots=True)
class Hint:
    """A key, its label, its action, and whether the action is available now."""

    key: str
    label: str
    action: str
    enabled: bool = True


class KeyBar(Toned):
    """One line of hints; hints that do not fit are left out, the last one is always shown."""

    hints: reactive[Sequence[Hint]] = reactive(())

    def render(self) -> Text:
        """Draw the hints."""
        return Text(" ", end="", no_wrap=True).join(text for _, text in self._fitting())

    async def on_click(self, event: events.Click) -> None:
        """Run the action that was clicked."""
        start = 1
        for hint, text in self._fitting():
            if start <= event.x < start + text.cell_len:
                await self.app.run_action(hint.action, self.screen)
            start += text.cell_len + 1

    def _fitting(self) -> list[tuple[Hint, Text]]:
        drawn = []
        for hint in self.hints:
            key, label = ("key", "plain") if hint.enabled else ("quiet", "quiet")
            text = self.text([(f" {hint.key} ", key), (f"{hint.label} ", label)])
            if not hint.enabled:
                text.stylize(Style(dim=True))
            drawn.append((hint, text))
        while len(drawn) > 1 and sum(text.cell_len + 1 for _, text in drawn) > self.size.width:
            del drawn[-2]
        return drawn
