"""The commands of docs/production.md, by section, with declared substitutions only."""

import re
from collections.abc import Mapping

from cluster.node.folders import ROOT

PAGE = ROOT / "docs" / "production.md"
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def blocks(section: str, language: str = "sh") -> list[str]:
    """Return the code blocks of a section, without the indentation of a list."""
    [text] = re.findall(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [
        re.sub(rf"^{indent}", "", code, flags=re.MULTILINE)
        for indent, kind, code in FENCE.findall(text)
        if kind == language
    ]


def substituted(text: str, words: Mapping[str, str]) -> str:
    """Return a text with other words; each must be in it, so that a change of the page is noticed."""
    for old, new in words.items():
        assert old in text, f"docs/production.md should contain {old!r}"
        text = text.replace(old, new)
    return text
