"""A store as YAML, to read and to paste.

Texts of several lines are written as blocks. A text with characters that a terminal would interpret, or that reorder
what is read, is quoted with those characters escaped, so it can be shown and is still read back unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from urumi.text import printable

if TYPE_CHECKING:
    from urumi.wire import Store

UNLIMITED = 1_000_000  # lines are wrapped where they are drawn


class _Dumper(yaml.SafeDumper):
    def represent_text(self, text: str) -> yaml.ScalarNode:
        is_printable = all(printable(line) == line for line in text.split("\n"))
        style = '"' if not is_printable else "|" if "\n" in text else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)


def yaml_text(store: Store) -> str:
    """Return the store as the server sent it."""
    from urumi.wire import dump  # pydantic is not loaded before the first paint

    text = yaml.dump(dump(store), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=UNLIMITED)
    # PyYAML keeps some characters that `printable` escapes, in quoted texts only, where these escapes are valid YAML.
    return "\n".join(map(printable, text.split("\n")))
