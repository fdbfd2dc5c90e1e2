"""What the list says where it has no store to show: why, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.text.connection import TONES, status
from tui.text.values import plural

if TYPE_CHECKING:
    from datetime import datetime

    from tui.model.filter import Filter
    from tui.model.session import Session
    from tui.widgets.toned import Pieces


def blank_lines(session: Session, filtered: Filter, now: datetime) -> tuple[Pieces, ...]:
    """Return the lines, none of which is longer than it has to be."""
    if session.stores:
        return (
            (("No store matches ", "plain"), (filtered.words(), "strong")),
            (("Esc shows all ", "quiet"), (plural(len(session.stores), "store"), "quiet")),
        )
    if session.age_seconds is not None:
        return (
            (("No stores yet", "strong"),),
            (),
            (("Press ", "plain"), ("n", "key"), (" and give one a short id, such as shop-1.", "plain")),
            (("Watch it come up here, step by step.", "quiet"),),
        )
    return _unreached(session, now)


def _unreached(session: Session, now: datetime) -> tuple[Pieces, ...]:
    link = session.link
    if link is None or link.attempt == 0:
        return ((("Asking ", "plain"), (session.target.url, "plain"), (" for the stores", "plain")),)
    if session.is_refused:
        return (
            ((f"{session.target.url}: {session.reason}", "error"),),
            (),
            (("Pass --token or set URUMI_TOKEN.", "plain"),),
            (("A local server's token is found by itself as soon as it is there.", "quiet"),),
        )
    line = status(session, now)
    return (
        (("Nothing is known yet: ", "plain"), (line.words, TONES[line.tone])),
        ((session.reason, "error"),),
        (),
        (
            ("Start a local platform with ", "quiet"),
            ("./setup.sh", "strong"),
            (", or name another with ", "quiet"),
            ("--url", "strong"),
            (".", "quiet"),
        ),
        (("R ", "key"), ("tries now.", "quiet")),
    )
