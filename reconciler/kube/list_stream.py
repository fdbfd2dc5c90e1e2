"""Reads a page of a list while it arrives.

Five hundred pods are 5 MB of text and 30 MB of objects, of which a hundredth is kept, and fourteen kinds are listed at
the same time. Therefore each object is parsed as soon as its text is complete, and reduced before the next one is
parsed: a list needs hardly more memory than its result.
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
    """Parses the bytes of one page in chunks.

    Args:
        keep: returns what is kept of an object.
    """

    def __init__(self, keep: Callable[[Object], Any]) -> None:
        self.kept: list[Any] = []
        self._keep = keep
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._head = ""
        self._text = ""
        self._is_among_items = False

    def feed(self, data: bytes) -> None:
        """Parse the next chunk.

        Raises:
            UnicodeDecodeError: it is not UTF-8.
        """
        self._text += self._decoder.decode(data)
        found = None if self._head else _ITEMS.search(self._text)
        if found is not None:
            self._head, self._text = self._text[: found.end()], self._text[found.end() :]
            self._is_among_items = True
        if self._is_among_items:
            self._parse_items()

    def rest(self) -> str:
        """Return the page without its objects; a page that was cut off is cut off here too."""
        return self._head + self._text

    def _parse_items(self) -> None:
        at = self._after_space(0)
        while at < len(self._text) and self._text[at] != "]":
            try:
                item, end = _DECODER.raw_decode(self._text, at)
            except ValueError:
                break  # incomplete, or not JSON at all, which the caller finds when it parses the rest
            self.kept.append(self._keep(item))
            at = self._after_space(end)
        self._is_among_items = self._text[at : at + 1] != "]"
        self._text = self._text[at:]

    def _after_space(self, at: int) -> int:
        found = _BETWEEN.match(self._text, at)
        return at if found is None else found.end()
