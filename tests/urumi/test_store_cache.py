"""The book of stores: what it holds, what it says has changed, how old it says it is."""

from tests.urumi.stores import make_store, provisioning
from urumi.live import Change, Heard, Link, Picture
from urumi.store import Phase
from urumi.store_cache import StoreBook


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def filled(*store_ids: str, clock: Clock | None = None) -> StoreBook:
    """Return a book with these stores."""
    book = StoreBook(clock or Clock())
    book.apply(Picture(tuple(make_store(store_id) for store_id in store_ids)))
    return book


def test_a_picture_replaces_everything_and_names_only_what_differs() -> None:
    book = filled("shop-1", "shop-2", "shop-3")
    changed = book.apply(Picture((make_store("shop-1"), provisioning("shop-2"), make_store("shop-4"))))
    assert changed == {"shop-2", "shop-3", "shop-4"}
    assert set(book.stores) == {"shop-1", "shop-2", "shop-4"}
    assert book.stores["shop-2"] == provisioning("shop-2")


def test_the_same_picture_again_changes_nothing() -> None:
    assert filled("shop-1").apply(Picture((make_store("shop-1"),))) == set()


def test_a_change_is_folded_in() -> None:
    book = filled("shop-1")
    changed = book.apply(Change("shop-1", "uid-of-shop-1", provisioning("shop-1")))
    assert changed == {"shop-1"}
    assert book.stores["shop-1"].phase is Phase.PROVISIONING


def test_a_deletion_takes_away_the_store_of_that_uid_only() -> None:
    book = filled("shop-1")
    assert book.apply(Change("shop-1", "an-older-uid", None)) == set()
    assert book.apply(Change("shop-1", "uid-of-shop-1", None)) == {"shop-1"}
    assert book.apply(Change("shop-1", "uid-of-shop-1", None)) == set()
    assert book.stores == {}


def test_a_store_of_a_used_name_replaces_the_old_one() -> None:
    book = filled("shop-1")
    assert book.apply(Change("shop-1", "new", make_store("shop-1", uid="new"))) == {"shop-1"}
    assert book.by_uid("uid-of-shop-1") is None
    assert book.by_uid("new") == make_store("shop-1", uid="new")


def test_counts_by_phase() -> None:
    book = filled("shop-1", "shop-2")
    book.apply(Change("shop-2", "uid-of-shop-2", provisioning("shop-2")))
    assert book.counts() == {Phase.READY: 1, Phase.PROVISIONING: 1}


def test_a_lost_link_forgets_nothing_and_the_picture_grows_old() -> None:
    clock = Clock()
    book = filled("shop-1", clock=clock)
    clock.seconds += 42.0
    assert book.apply(Link("reconnecting", "the connection broke", 1, 0.5)) == set()
    assert book.link == Link("reconnecting", "the connection broke", 1, 0.5)
    assert set(book.stores) == {"shop-1"}
    assert book.age_seconds() == 42.0


def test_age_counts_the_silence_of_the_cluster() -> None:
    clock = Clock()
    book = filled("shop-1", clock=clock)
    book.apply(Heard(60.0))
    clock.seconds += 5.0
    assert book.age_seconds() == 65.0
    book.apply(Change("shop-1", "uid-of-shop-1", provisioning("shop-1")))
    assert book.age_seconds() == 0.0


def test_before_the_first_picture_there_is_no_age() -> None:
    book = StoreBook(Clock())
    assert book.age_seconds() is None
    assert book.link.state == "connecting"
