"""The turns of phrase that Urumi does not use, and where a text has them.

Text that people read is written in the plain words of the Kubernetes documentation. What is listed here came up often
enough to be looked for; each has the words to use in its place. Names of the API (event types, steps, metrics) stay as
they are and stand in code, which `prose` leaves out.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

# What to look for, in either case, as whole words; and what to write.
TURNS = {
    r"told|tell(?:s|ing)?": "reports, shows, sends",
    r"hear(?:s|d|ing)?": "receives, last response",
    r"(?:by|of) (?:it|them)sel(?:f|ves)": "automatically, or name the cause",
    r"(?:another|every|whose|other) hand": "an out-of-band change",
    r"nobody|somebody|whoever": "no replica, a user, anyone who",
    r"for ever|anew": "indefinitely, again",
    r"let in|let(?:s|ting)? go|takes? back|taken back": "authenticated, removed, cancelled",
    r"its own words|last words|words of": "the message of",
    r"go(?:es)? on|went on|going on": "continues",
    r"(?:is|are|was|were|be) so": "name the state",
    r"be it|as it was made|lest|whence|thereof": "plain words",
    r"asked for|asks? for": "requested, needs",
    r"(?:is|are|was|were) said": "is reported",
    r"where there (?:is|are) no(?:ne)?|of (?:its|their) own(?=[.,;:)]| and)": "if there is no X; its own X",
    r"wardens?|mandates?|doorways?|small talk|remed(?:y|ies)": "watchdog, leader term, shop endpoint, hint",
    r"superseded|laid over|walls?": "conflict, deep merge, isolation",
    r"give or take|at the price of|not any more": "plain words",
}
# Each turn is a group, whose number leads to what to write.
_TURN = re.compile("|".join(rf"\b({turn})\b" for turn in TURNS), re.IGNORECASE)
_INSTEAD = list(TURNS.values())

# Plain words that have a turn in them.
ALLOWED = ("asks for confirmation", "ask for confirmation", "Go on PATH", "nobody is watching")


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn that a text has, and what to write in its place."""

    line: int
    words: str
    instead: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.words!r}; write: {self.instead}"


def turns_in(text: str) -> list[Turn]:
    """Return the turns of a text, in order."""
    plain = text
    for allowed in ALLOWED:
        plain = plain.replace(allowed, "")
    return [
        Turn(plain.count("\n", 0, found.start()) + 1, found[0], _INSTEAD[(found.lastindex or 1) - 1])
        for found in _TURN.finditer(plain)
    ]


def turns_in_module(source: str) -> Iterator[Turn]:
    """Yield the turns in the strings of a Python module, docstrings and the constant parts of f-strings included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for turn in turns_in(node.value):
                yield replace(turn, line=turn.line + node.lineno - 1)
