"""Text in tones: pieces of words, each with the name of what it means, drawn in the colours of the theme.

Every text of a server passes `Toned.text` or `clipped`, which leave nothing in it that a terminal would obey, and never
reads it as markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.widget import Widget

from urumi.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import ClassVar

    from rich.style import Style

    Piece = tuple[str, str]
    Pieces = Sequence[Piece]

PHASE_TONES = ("pending", "provisioning", "ready", "degraded", "failed", "deleting", "deleted")
TONES = ("plain", "quiet", "strong", "name", "accent", "key", "warning", "error", "good", *PHASE_TONES)


class Toned(Widget):
    """A widget that draws pieces of text in tones."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"tone--{tone}" for tone in TONES}

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._tones: dict[str, Style] = {}

    def tone(self, name: str) -> Style:
        """Return the style of a tone, without a background of its own."""
        style = self._tones.get(name)
        if style is None:
            style = self._tones[name] = self.get_component_rich_style(f"tone--{name}", partial=True)
        return style

    def text(self, pieces: Iterable[Piece]) -> Text:
        """Return the pieces as one text that is safe to draw."""
        return Text.assemble(*((printable(words), self.tone(tone)) for words, tone in pieces), no_wrap=True, end="")

    def notify_style_update(self) -> None:
        """Forget the colours of the theme before."""
        super().notify_style_update()
        self._tones.clear()


def clipped(text: str, width: int, ellipsis: str) -> str:
    """Return the text as exactly so many cells, cleaned; what does not fit is left out visibly."""
    # A message of 4 kB is not measured in full for a cell of 40.
    clean = printable(text[: 4 * width + 8])
    if cell_len(clean) <= width and len(text) <= 4 * width + 8:
        return set_cell_size(clean, width)
    return set_cell_size(set_cell_size(clean, max(0, width - 1)).rstrip() + ellipsis, width)


def shortened(text: Text, width: int, ellipsis: str) -> Text:
    """Return the text, or as much of it as fits with a sign that there is more."""
    if text.cell_len > width:
        text.truncate(max(0, width - 1), overflow="crop")
        text.append(ellipsis)
    return text


def cells(pieces: Iterable[Piece]) -> int:
    """Return how many cells the pieces take."""
    return sum(cell_len(printable(words)) for words, _ in pieces)
