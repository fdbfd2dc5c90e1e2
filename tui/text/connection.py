"""The state of the connection and the age of the data, in text that does not flicker while all is well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tui.model.phases import PHASE_ORDER
from tui.text.values import age, duration, plural
from urumi.text import SILENT_CLUSTER_SECONDS, printable

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator
    from datetime import datetime

    from tui.model.session import Session
    from tui.text.glyphs import Glyphs
    from tui.text.pieces import Piece
    from urumi.store import Phase

OFFLINE_SECONDS = 10.0

Quality = Literal["live", "stale", "waiting", "lost"]
TONES: dict[Quality, str] = {"live": "good", "stale": "warning", "waiting": "warning", "lost": "error"}


@dataclass(frozen=True, slots=True)
class ConnectionText:
    """The state of the connection in short, and the details."""

    quality: Quality
    text: str
    detail: str = ""

    @property
    def tone(self) -> str:
        """The tone of both texts."""
        return TONES[self.quality]

    def piece(self, glyphs: Glyphs) -> Piece:
        """Return the short text with its sign."""
        return f"{glyphs.connections[self.quality]} {self.text} ", self.tone


def connection_text(session: Session, now: datetime) -> ConnectionText:
    """Return the state of the connection of a session."""
    connection = session.connection
    if connection is not None and connection.state == "live":
        return _live_text(session)
    if connection is None or connection.attempt == 0:
        return ConnectionText("waiting", "connecting")
    is_trying = connection.state == "connecting"
    next_try = "trying now" if is_trying else f"next attempt in {session.retry_seconds:.0f} s (press R)"
    if session.is_refused:
        return ConnectionText("lost", "not signed in", f"{session.reason}, {next_try}")
    if session.lost_at and (now - session.lost_at).total_seconds() >= OFFLINE_SECONDS:
        text = f"offline since {session.lost_at.astimezone():%H:%M}"
        if session.age_seconds is not None:
            data_at = type(now).fromtimestamp(now.timestamp() - session.age_seconds)
            text = f"{text}, showing data from {data_at:%H:%M}"
        return ConnectionText("lost", text, _joined(next_try, session.reason, f"attempt {connection.attempt}"))
    detail = _joined(_age_text(session), session.reason, f"attempt {connection.attempt}")
    return ConnectionText("waiting", f"reconnecting, {next_try}", detail)


def _live_text(session: Session) -> ConnectionText:
    if session.cluster_error:
        detail = _joined(_age_text(session), printable(session.cluster_error))
        return ConnectionText("stale", "cluster unreachable", detail)
    age_seconds = session.age_seconds
    if age_seconds is not None and age_seconds > SILENT_CLUSTER_SECONDS:
        detail = f"no response from the cluster for {duration(age_seconds)}"
        return ConnectionText("stale", "live, stale data", detail)
    return ConnectionText("live", "live")


def _age_text(session: Session) -> str:
    return "" if session.age_seconds is None else f"data is {age(session.age_seconds)} old"


def _joined(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def summary(counts: Counter[Phase], glyphs: Glyphs, *, is_short: bool = False) -> Iterator[Piece]:
    """Return the number of stores, in total and by phase; the short form leaves the names of the phases out."""
    yield f"  {plural(counts.total(), 'store')}  ", "strong"
    for phase in PHASE_ORDER:
        if counts[phase]:
            name = "" if is_short else f"{phase} "
            yield f" {glyphs.phases[phase]} {counts[phase]:,} {name}", phase.value.lower()
