"""How the line to the server is and how old the data, in words that do not flicker while all is well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tui.text.columns import PHASE_ORDER
from tui.text.values import age, duration, plural
from urumi.text import SILENT_CLUSTER_SECONDS, printable

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator
    from datetime import datetime

    from tui.model.session import Session
    from tui.text.glyphs import Glyphs
    from tui.widgets.toned import Piece
    from urumi.live import ConnectionState
    from urumi.store import Phase

OFFLINE_SECONDS = 10.0

Tone = Literal["live", "stale", "waiting", "lost"]
TONES = {"live": "good", "stale": "warning", "waiting": "warning", "lost": "error"}


@dataclass(frozen=True, slots=True)
class Status:
    """The line in words: in short, and what more there is to know about it."""

    tone: Tone
    words: str
    detail: str = ""

    def pieces(self, glyphs: Glyphs) -> Iterator[Piece]:
        """Return the short words with their sign."""
        yield f"{glyphs.links[self.tone]} {self.words} ", TONES[self.tone]


def status(session: Session, now: datetime) -> Status:
    """Return how things stand."""
    link = session.link
    if link is not None and link.state == "live":
        return _live(session)
    if link is None or link.attempt == 0:
        return Status("waiting", "connecting")
    if session.is_refused:
        return Status("lost", "not signed in", f"{session.reason}, {_next(session)}")
    if session.lost_at and (now - session.lost_at).total_seconds() >= OFFLINE_SECONDS:
        return Status("lost", _offline(session.lost_at, session.age_seconds, now), _why(link, session))
    return Status("waiting", f"reconnecting {link.attempt}, {_next(session)}", _joined(session.reason, _old(session)))


def _live(session: Session) -> Status:
    if session.cluster_error:
        return Status("stale", "cluster out of reach", _joined(_old(session), printable(session.cluster_error)))
    age_seconds = session.age_seconds
    if age_seconds is not None and age_seconds > SILENT_CLUSTER_SECONDS:
        silence = duration(age_seconds)
        return Status("stale", "live, but old", f"the server has not heard from the cluster for {silence}")
    return Status("live", "live")


def _next(session: Session) -> str:
    link = session.link
    if link is not None and link.state == "connecting":
        return "trying now"
    return f"next in {session.retry_seconds:.0f} s (press R)"


def _offline(lost_at: datetime, age_seconds: float | None, now: datetime) -> str:
    since = f"offline since {lost_at.astimezone():%H:%M}"
    if age_seconds is None:
        return since
    data_at = now.timestamp() - age_seconds
    return f"{since}, showing {type(now).fromtimestamp(data_at):%H:%M} data"


def _old(session: Session) -> str:
    return "" if session.age_seconds is None else f"the data is {age(session.age_seconds)} old"


def _why(link: ConnectionState, session: Session) -> str:
    return _joined(session.reason, f"attempt {link.attempt}", _next(session))


def _joined(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def summary(counts: Counter[Phase], glyphs: Glyphs, *, is_short: bool = False) -> Iterator[Piece]:
    """Return how many stores there are, in all and in each phase; in short without the words that each row has."""
    yield f"  {plural(counts.total(), 'store')}  ", "strong"
    for phase in PHASE_ORDER:
        if counts[phase]:
            word = "" if is_short else f"{phase} "
            yield f" {glyphs.phases[phase]} {counts[phase]:,} {word}", phase.value.lower()
