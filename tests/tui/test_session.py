"""The session without a network: its updates for the events of a feed."""

from datetime import timedelta

import pytest

from testing.stores import START, failed, make_store
from tui.model.session import Session, Update
from urumi.config import Target
from urumi.live import Change, ConnectionState, Heartbeat, StoreSnapshot
from urumi.store_cache import StoreCache

LIVE = ConnectionState("live")


class Clock:
    """A monotonic clock that the test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """The clock of the session."""
    return Clock()


@pytest.fixture
def session(clock: Clock) -> Session:
    """A session that was never connected."""
    made = Session(lambda: Target("http://server", "token"), lambda: START + timedelta(seconds=clock()), clock)
    made._cache = StoreCache(clock)
    return made


def apply(session: Session, *events: ConnectionState | StoreSnapshot | Change | Heartbeat) -> Update:
    """Apply events and return the last update."""
    assert session._cache is not None
    updates = [session._apply(session._cache, event) for event in events]
    return updates[-1]


def test_a_change_names_the_store_and_nothing_else(session: Session) -> None:
    apply(session, LIVE, StoreSnapshot(()))
    store = make_store()
    assert apply(session, Change("shop-1", store.uid, store)) == Update(frozenset({"shop-1"}))
    assert session.find(store.uid) == store


def test_a_reconnect_reports_what_changed_in_between(session: Session, clock: Clock) -> None:
    apply(session, LIVE, StoreSnapshot((make_store("a-1"), make_store("b-2"), make_store("c-3"))))
    apply(session, ConnectionState("reconnecting", "refused", 1, 4.0))
    assert (session.lost_at, session.reason, session.retry_seconds) == (START, "refused", 4.0)
    clock.seconds = 30.0
    update = apply(session, LIVE, StoreSnapshot((failed("b-2"), make_store("c-3"), make_store("d-4"))))
    assert update.message == "Reconnected after 30 s: 1 new, 1 deleted, 1 changed."
    assert (session.lost_at, session.reason) == (None, "")


@pytest.mark.parametrize(("seconds", "message"), [(1.0, ""), (30.0, "Reconnected after 30 s: no changes.")])
def test_a_short_interruption_without_changes_is_not_reported(
    session: Session, clock: Clock, seconds: float, message: str
) -> None:
    apply(session, LIVE, StoreSnapshot((make_store(),)), ConnectionState("reconnecting", "", 1))
    clock.seconds = seconds
    assert apply(session, LIVE, Heartbeat(0.0)).message == message


def test_a_refused_token_is_known_until_the_connection_is_live(session: Session) -> None:
    apply(session, ConnectionState("refused", "the token was not accepted", 1))
    assert session.is_refused
    apply(session, LIVE)
    assert not session.is_refused
