"""What a check of the machine found."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from cluster.place import Place

Level = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about one subject; a note or a problem has a hint that starts with a verb."""

    level: Level
    subject: str
    sentence: str
    hint: str = ""


# Uses the standard library only, because it also runs before the environment exists.
Check = Callable[[Place], Iterable[Finding]]
