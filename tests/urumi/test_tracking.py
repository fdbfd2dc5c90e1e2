"""A tracked store: which events are about it, and when it is gone."""

import pytest

from testing.stores import make_store, provisioning
from urumi.cli.tracking import TrackedStore
from urumi.live import Change, Heartbeat, StoreSnapshot

STORE = make_store("shop-1")
NEWER = make_store("shop-1", uid="newer")


def tracked(*, is_seen: bool = True) -> TrackedStore:
    """Return the tracked state of shop-1."""
    return TrackedStore(STORE, is_seen=is_seen)


@pytest.mark.parametrize(
    "event",
    [
        StoreSnapshot((make_store("shop-2"), provisioning("shop-1"))),
        Change("shop-1", STORE.uid, provisioning("shop-1")),
    ],
    ids=["snapshot", "change"],
)
def test_a_state_of_the_store_is_applied(event: StoreSnapshot | Change) -> None:
    store = tracked(is_seen=False)
    assert store.apply(event)
    assert (store.store, store.is_seen, store.is_gone) == (provisioning("shop-1"), True, False)


@pytest.mark.parametrize(
    "event", [Heartbeat(0.0), Change("shop-2", "uid-of-shop-2", make_store("shop-2"))], ids=["heartbeat", "another"]
)
def test_other_events_change_nothing(event: Heartbeat | Change) -> None:
    store = tracked()
    assert not store.apply(event)
    assert (store.store, store.is_gone) == (STORE, False)


@pytest.mark.parametrize(
    "event",
    [
        StoreSnapshot(()),
        StoreSnapshot((NEWER,)),
        Change("shop-1", STORE.uid, None),
        Change("shop-1", NEWER.uid, NEWER),
        Change("shop-1", NEWER.uid, None),
    ],
    ids=["empty snapshot", "replaced in a snapshot", "deleted", "replaced", "replaced and deleted"],
)
def test_a_store_that_was_seen_is_gone_once_it_is_missing_or_replaced(event: StoreSnapshot | Change) -> None:
    store = tracked()
    assert not store.apply(event)
    assert store.is_gone


@pytest.mark.parametrize(
    ("event", "is_gone"),
    [
        pytest.param(StoreSnapshot(()), False, id="a snapshot that lacks it"),
        pytest.param(Change("shop-1", "older", None), False, id="the deletion of an older store"),
        pytest.param(Change("shop-1", STORE.uid, None), True, id="its own deletion"),
    ],
)
def test_a_store_that_was_not_seen_yet_is_gone_only_by_its_own_deletion(
    event: StoreSnapshot | Change, is_gone: bool
) -> None:
    store = tracked(is_seen=False)
    assert not store.apply(event)
    assert store.is_gone is is_gone
