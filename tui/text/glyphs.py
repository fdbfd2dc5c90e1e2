"""The signs beside texts, never in place of them, and their ASCII forms for terminals that cannot draw the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from urumi.store import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of signs; each is one cell wide."""

    phases: Mapping[Phase, str]
    levels: Mapping[str, str]
    connections: Mapping[str, str]
    spinner: str
    ellipsis: str
    ascending: str
    descending: str
    mark: str
    times: str
    done: str
    open: str
    dot: str
    more: str
    advice: str


UNICODE = Glyphs(
    phases={
        Phase.PENDING: "○",
        Phase.PROVISIONING: "◐",
        Phase.READY: "✓",
        Phase.DEGRADED: "▲",
        Phase.FAILED: "✗",
        Phase.DELETING: "◌",
        Phase.DELETED: "–",
    },
    levels={"info": "·", "warning": "▲", "error": "✗"},
    connections={"live": "●", "stale": "◐", "waiting": "◌", "lost": "✕"},
    spinner="⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏",
    ellipsis="…",
    ascending="↑",
    descending="↓",
    mark="●",
    times="×",
    done="━",
    open="─",
    dot="·",
    more="▼",
    advice="→",
)

ASCII = Glyphs(
    phases={
        Phase.PENDING: "o",
        Phase.PROVISIONING: "~",
        Phase.READY: "+",
        Phase.DEGRADED: "!",
        Phase.FAILED: "x",
        Phase.DELETING: "-",
        Phase.DELETED: ".",
    },
    levels={"info": "-", "warning": "!", "error": "x"},
    connections={"live": "*", "stale": "!", "waiting": "~", "lost": "x"},
    spinner="|/-\\",
    ellipsis="~",
    ascending="^",
    descending="v",
    mark="*",
    times="x",
    done="#",
    open="-",
    dot="-",
    more="v",
    advice=">",
)
