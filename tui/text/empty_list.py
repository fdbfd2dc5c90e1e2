"""What the list shows when it has no store to show: the reason and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.text.connection import connection_text
from tui.text.values import plural

if TYPE_CHECKING:
    from datetime import datetime

    from tui.model.filter import Filter
    from tui.model.session import Session
    from tui.text.pieces import Pieces


def empty_list(session: Session, current: Filter, now: datetime) -> tuple[Pieces, ...]:
    """Return the lines, short enough for 80 columns."""
    if session.stores:
        everything = "the store" if len(session.stores) == 1 else f"all {plural(len(session.stores), 'store')}"
        return (
            (("No store matches ", "plain"), (current.description(), "strong")),
            (("Press ", "quiet"), ("esc", "key"), (f" to show {everything}.", "quiet")),
        )
    if session.age_seconds is not None:
        return (
            (("No stores yet", "strong"),),
            (),
            (("Press ", "plain"), ("n", "key"), (" to create one with a short id, such as shop-1.", "plain")),
            (("Its progress is shown here, step by step.", "quiet"),),
        )
    connection = session.connection
    if connection is None or connection.attempt == 0:
        return ((("Connecting to ", "plain"), (session.target.url, "plain")),)
    if session.is_refused:
        return (
            ((f"{session.target.url}: {session.reason}", "error"),),
            (),
            (("Pass --token or set URUMI_TOKEN.", "plain"),),
            (("The token of a local server is found automatically.", "quiet"),),
        )
    state = connection_text(session, now)
    return (
        (("No data yet: ", "plain"), (state.text, state.tone)),
        ((session.reason, "error"),),
        (),
        (
            ("Start a local platform with ", "quiet"),
            ("./setup.sh", "strong"),
            (", or pass ", "quiet"),
            ("--url", "strong"),
            (".", "quiet"),
        ),
        (("Press ", "quiet"), ("R", "key"), (" to reconnect now.", "quiet")),
    )
