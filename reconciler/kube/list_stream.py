"""A page of a list, read as it arrives.

Five hundred pods are 5 MB of text and 30 MB of objects, of which a hundredth is kept, and fourteen kinds are listed at
once. So each object is taken out of the text as soon as it is whole, and reduced to what is kept before the next one
is looked at: a list never needs more memory than what it leaves behind.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.kube.resources import Object

_ITEMS = re.compile(r'"items"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder()


class PageReader:
    """Takes the bytes of one page in pieces.

    Args:
        keep: returns what is kept of an object.
    """

    def __init__(self, keep: Callable[[Object], Any]) -> None:
        self.kept: list[Any] = []
        self._keep = keep
        self._bytes = codecs.getincrementaldecoder("utf-8")()
        self._head = ""
        self._text = ""
        self._is_among_items = False

    def feed(self, data: bytes) -> None:
        """Take the next piece.

        Raises:
            UnicodeDecodeError: it is not text.
        """
        self._text += self._bytes.decode(data)
        if not self._head:
            self._find_items()
        if self._is_among_items:
            self._take_items()

    def rest(self) -> str:
        """Return the page without its objects; what it lacks at its end is lacking here too."""
        return self._head + self._text

    def _find_items(self) -> None:
        found = _ITEMS.search(self._text)
        if found is not None:
            self._head, self._text = self._text[: found.end()], self._text[found.end() :]
            self._is_among_items = True

    def _take_items(self) -> None:
        at = self._after_space(0)
        while at < len(self._text) and self._text[at] != "]":
            try:
                item, end = _DECODER.raw_decode(self._text, at)
            except ValueError:
                break  # not whole yet, or never: then the rest is no JSON
            self.kept.append(self._keep(item))
            at = self._after_space(end)
        self._is_among_items = self._text[at : at + 1] != "]"
        self._text = self._text[at:]

    def _after_space(self, at: int) -> int:
        found = _BETWEEN.match(self._text, at)
        return at if found is None else found.end()
