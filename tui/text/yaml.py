"""A store as YAML, to read and to paste: plain where that is safe, quoted as in JSON where it is not."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urumi.wire import Store

# Words that a reader of YAML would take for something other than a text are quoted, times too.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ._/+-]*(?<! )")
_NOT_TEXT = re.compile(r"(?i)(true|false|yes|no|on|off|null|y|n)")


def yaml_text(store: Store) -> str:
    """Return the store as the server sent it."""
    from urumi.wire import dump  # pydantic is not loaded before the first paint

    return "\n".join(_mapping(dump(store), 0))


def _mapping(values: dict[str, Any], depth: int) -> Iterator[str]:
    for name, value in values.items():
        yield from _entry(f"{'  ' * depth}{name}:", value, depth)


def _entry(lead: str, value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, dict) and value:
        yield lead
        yield from _mapping(value, depth + 1)
    elif isinstance(value, list) and value:
        yield lead
        for item in value:
            yield from _item(item, depth)
    else:
        yield f"{lead} {_scalar(value)}"


def _item(item: Any, depth: int) -> Iterator[str]:
    lines = _mapping(item, depth + 1) if isinstance(item, dict) else iter([f"{'  ' * (depth + 1)}{_scalar(item)}"])
    for number, line in enumerate(lines):
        yield f"{'  ' * depth}- {line.lstrip()}" if number == 0 else line


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and not _NOT_TEXT.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)
