"""Pieces of text drawn in tones, the colours that the theme gives to what a piece means.

Text from a server passes `Toned.text` or `tui.text.pieces.fitted`, which escape everything that a terminal would
interpret. It is never parsed as markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.widget import Widget

from urumi.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import ClassVar

    from rich.style import Style

    from tui.text.pieces import Piece

PHASE_TONES = ("pending", "provisioning", "ready", "degraded", "failed", "deleting", "deleted")
TONES = ("plain", "quiet", "strong", "name", "accent", "key", "warning", "error", "good", *PHASE_TONES)


class Toned(Widget):
    """A widget that draws pieces of text in tones."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"tone--{tone}" for tone in TONES}

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._tones: dict[str, Style] = {}

    def tone(self, name: str) -> Style:
        """Return the style of a tone, without a background."""
        style = self._tones.get(name)
        if style is None:
            style = self._tones[name] = self.get_component_rich_style(f"tone--{name}", partial=True)
        return style

    def text(self, pieces: Iterable[Piece]) -> Text:
        """Return the pieces as one text that is safe to draw."""
        return Text.assemble(*((printable(text), self.tone(tone)) for text, tone in pieces), no_wrap=True, end="")

    def notify_style_update(self) -> None:
        """Discard the colours of the previous theme."""
        super().notify_style_update()
        self._tones.clear()


def shortened(text: Text, width: int, ellipsis: str) -> Text:
    """Return the text, shortened with an ellipsis if it is too wide."""
    if text.cell_len > width:
        text.truncate(max(0, width - 1), overflow="crop")
        text.append(ellipsis)
    return text
