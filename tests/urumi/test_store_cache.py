"""The store cache: its contents, the changes that it returns, and its age."""

from testing.stores import make_store, provisioning
from urumi.live import Change, ConnectionState, Heartbeat, StoreSnapshot
from urumi.store import Phase
from urumi.store_cache import StoreCache


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def filled(*store_ids: str, clock: Clock | None = None) -> StoreCache:
    """Return a cache with these stores."""
    cache = StoreCache(clock or Clock())
    cache.apply(StoreSnapshot(tuple(make_store(store_id) for store_id in store_ids)))
    return cache


def test_a_snapshot_replaces_everything_and_returns_only_the_differences() -> None:
    cache = filled("shop-1", "shop-2", "shop-3")
    changed = cache.apply(StoreSnapshot((make_store("shop-1"), provisioning("shop-2"), make_store("shop-4"))))
    assert changed == {"shop-2", "shop-3", "shop-4"}
    assert set(cache.stores) == {"shop-1", "shop-2", "shop-4"}
    assert cache.stores["shop-2"] == provisioning("shop-2")


def test_the_same_snapshot_again_changes_nothing() -> None:
    assert filled("shop-1").apply(StoreSnapshot((make_store("shop-1"),))) == set()


def test_a_change_replaces_one_store() -> None:
    cache = filled("shop-1")
    changed = cache.apply(Change("shop-1", "uid-of-shop-1", provisioning("shop-1")))
    assert changed == {"shop-1"}
    assert cache.stores["shop-1"].phase is Phase.PROVISIONING


def test_a_deletion_removes_only_the_store_with_that_uid() -> None:
    cache = filled("shop-1")
    assert cache.apply(Change("shop-1", "an-older-uid", None)) == set()
    assert cache.apply(Change("shop-1", "uid-of-shop-1", None)) == {"shop-1"}
    assert cache.apply(Change("shop-1", "uid-of-shop-1", None)) == set()
    assert cache.stores == {}


def test_a_store_with_a_reused_id_replaces_the_old_one() -> None:
    cache = filled("shop-1")
    assert cache.apply(Change("shop-1", "new", make_store("shop-1", uid="new"))) == {"shop-1"}
    assert cache.by_uid("uid-of-shop-1") is None
    assert cache.by_uid("new") == make_store("shop-1", uid="new")


def test_counts_by_phase() -> None:
    cache = filled("shop-1", "shop-2")
    cache.apply(Change("shop-2", "uid-of-shop-2", provisioning("shop-2")))
    assert cache.counts() == {Phase.READY: 1, Phase.PROVISIONING: 1}


def test_a_lost_connection_keeps_the_stores_and_their_age_increases() -> None:
    clock = Clock()
    cache = filled("shop-1", clock=clock)
    clock.seconds += 42.0
    assert cache.apply(ConnectionState("reconnecting", "the connection broke", 1, 0.5)) == set()
    assert cache.connection == ConnectionState("reconnecting", "the connection broke", 1, 0.5)
    assert set(cache.stores) == {"shop-1"}
    assert cache.age_seconds() == 42.0


def test_age_includes_the_age_of_the_servers_own_state() -> None:
    clock = Clock()
    cache = filled("shop-1", clock=clock)
    cache.apply(Heartbeat(60.0))
    clock.seconds += 5.0
    assert cache.age_seconds() == 65.0
    cache.apply(Change("shop-1", "uid-of-shop-1", provisioning("shop-1")))
    assert cache.age_seconds() == 0.0


def test_before_the_first_snapshot_there_is_no_age() -> None:
    cache = StoreCache(Clock())
    assert cache.age_seconds() is None
    assert cache.connection.state == "connecting"
