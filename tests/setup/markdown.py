"""The documents of the project, and how to read Markdown: prose without code, links, anchors, shell blocks."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.setup.checkout import SOURCE

DOCUMENTS = sorted([*SOURCE.glob("*.md"), *(SOURCE / "docs").glob("*.md")])

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)(?!`)(?:(?!\n\n).)+?(?<!`)\1(?!`)", re.DOTALL)
_GENERATED = re.compile(r"^<!-- keys -->\n.*?^<!-- /keys -->$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def without_blocks(text: str) -> str:
    """Return a text whose code blocks are empty lines, so that line numbers stay."""
    return _BLOCK.sub(lambda block: "\n" * block[0].count("\n"), text)


def prose(text: str) -> str:
    """Return what was written for the page: no code, and no table that is made from code; line numbers stay."""
    written = _GENERATED.sub(lambda table: "\n" * table[0].count("\n"), without_blocks(text))
    return _CODE.sub(lambda code: "\n" * code[0].count("\n"), written)


def links(text: str) -> list[str]:
    """Return the targets of all links and images."""
    return _LINK.findall(prose(text))


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them: a repeated heading gets a number."""
    found: Counter[str] = Counter()
    names = set()
    for heading in re.findall(r"^#+ (.+)$", without_blocks(text), re.MULTILINE):
        title = re.sub(r"\[(.+?)\]\(.+?\)", r"\1", heading)
        name = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        names.add(f"{name}-{found[name]}" if found[name] else name)
        found[name] += 1
    return names


def shell_blocks(document: Path) -> Iterator[str]:
    """Yield the commands of each shell block."""
    for _, language, commands in _BLOCK.findall(document.read_text()):
        if language == "sh":
            yield commands
