"""Lists without a cluster: filters, orders and cursors over the catalog, and when a store is encoded again."""

import itertools
from typing import Any

import pytest

from reconciler.cache.informer import Informer
from reconciler.kube.resources import STORES, Object
from reconciler.store.object import StoreObject, slim_store
from server.http.problems import ProblemError
from server.stores.catalog import Catalog, store_etag
from server.stores.listing import page_of
from testing.apiserver.server import ApiServer
from tests.server.inprocess import NAMESPACE, store
from urumi.wire import ListQuery

PHASES = ("Ready", "Failed", "Pending")
SORTS = ("-createdAt", "createdAt", "storeId", "-storeId", "phase", "-phase", "engine", "-engine")


def made(number: int, version: int = 0) -> Object:
    """Return one of many Stores."""
    item = store(f"shop-{number:03}", "medusa" if number % 2 else "woocommerce", phase=PHASES[number % 3])
    item["metadata"] |= {
        "uid": f"uid-{number}",
        "resourceVersion": str(1000 * version + number + 1),
        # Some are created in the same second.
        "creationTimestamp": f"2026-11-24T10:{number // 4:02}:00Z",
    }
    return item


@pytest.fixture
def stores() -> Informer:
    """An informer whose objects the test sets."""
    return Informer(ApiServer(NAMESPACE), STORES, namespace=NAMESPACE, slim=slim_store)


@pytest.fixture
def catalog(stores: Informer) -> Catalog:
    """The catalog of that informer's stores."""
    catalog = Catalog(stores)
    for number in range(50):
        stores._store.put(made(number))
    return catalog


def query(**parameters: Any) -> ListQuery:
    """Return a query."""
    return ListQuery.model_validate(parameters)


def ids(catalog: Catalog, **parameters: Any) -> list[str]:
    """Return the ids of a list."""
    return [each.name for each in page_of(catalog, query(**parameters)).stores]


def pages(catalog: Catalog, **parameters: Any) -> list[list[str]]:
    """Return the ids of every page of a list."""
    found, cursor = [], ""
    while True:
        page = page_of(catalog, query(**parameters, **({"continue": cursor} if cursor else {})))
        found.append([each.name for each in page.stores])
        cursor = page.cursor
        assert bool(cursor) == bool(page.remaining)
        if not cursor:
            return found


def test_the_newest_store_comes_first(catalog: Catalog) -> None:
    assert ids(catalog) == [f"shop-{number:03}" for number in reversed(range(50))]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 7, 50, 1000])
def test_the_pages_of_every_order_are_the_whole_list(catalog: Catalog, sort: str, limit: int) -> None:
    found = pages(catalog, sort=sort, limit=limit)

    assert list(itertools.chain(*found)) == ids(catalog, sort=sort)
    assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)


@pytest.mark.parametrize("sort", SORTS)
def test_the_reverse_order_is_the_reverse_list(catalog: Catalog, sort: str) -> None:
    other = sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"

    assert ids(catalog, sort=sort) == ids(catalog, sort=other)[::-1]


@pytest.mark.parametrize(
    ("parameters", "count"),
    [({"engine": "medusa"}, 25), ({"phase": "Failed"}, 17), ({"q": "SHOP-00"}, 10), ({"q": "x"}, 0),
     ({"engine": "medusa", "phase": "Ready", "q": "shop-0"}, 8)],
)  # fmt: skip
def test_a_filter_keeps_the_stores_that_match_all_its_parts(
    catalog: Catalog, parameters: dict[str, str], count: int
) -> None:
    assert len(ids(catalog, **parameters)) == count


def test_a_page_neither_repeats_nor_skips_a_store_while_others_come_and_go(catalog: Catalog, stores: Informer) -> None:
    first = page_of(catalog, query(sort="storeId", limit=10))
    for number in (3, 9, 20):
        stores._store.delete(made(number, version=1))
    stores._store.put(made(60))
    rest = page_of(catalog, query(sort="storeId", limit=1000, **{"continue": first.cursor}))

    expected = [f"shop-{number:03}" for number in (*range(10, 20), *range(21, 50), 60)]
    assert [each.name for each in rest.stores] == expected


@pytest.mark.parametrize(
    "other", [{"sort": "phase"}, {"sort": "storeId", "q": "a"}, {"sort": "storeId", "phase": "Ready"}]
)
def test_a_cursor_belongs_to_its_query(catalog: Catalog, other: dict[str, str]) -> None:
    cursor = page_of(catalog, query(sort="storeId", limit=1)).cursor

    with pytest.raises(ProblemError, match="another phase, engine, q or sort") as refused:
        page_of(catalog, query(**other, **{"continue": cursor}))
    assert (refused.value.name, refused.value.hint) == ("bad-cursor", "Start at the first page: omit continue.")


@pytest.mark.parametrize("cursor", ["x", "!!", "W10", "WzFd", "bnVsbA", "W1tdLFtdXQ", "\0"])
def test_an_invalid_cursor_is_refused(catalog: Catalog, cursor: str) -> None:
    with pytest.raises(ProblemError) as refused:
        page_of(catalog, query(**{"continue": cursor}))
    assert refused.value.name == "bad-cursor"


def test_the_tag_changes_with_every_change_and_returns_with_the_same_stores(catalog: Catalog, stores: Informer) -> None:
    before = catalog.etag
    stores._store.put(made(1, version=1))
    changed = catalog.etag
    stores._store.delete(made(1, version=2))
    deleted = catalog.etag

    assert len({before, changed, deleted}) == 3
    other = Catalog(stores)
    assert other.etag != deleted, "a catalog includes only changes after its creation"


def test_a_store_is_encoded_once_for_each_version(catalog: Catalog, stores: Informer) -> None:
    [old] = [each for each in catalog.newest_first() if each.name == "shop-001"]
    assert catalog.encoded(old) is catalog.encoded(old)

    stores._store.put(made(1, version=1))
    [new] = [each for each in catalog.newest_first() if each.name == "shop-001"]
    assert store_etag(new) != store_etag(old)
    assert catalog.encoded(new) is catalog.encoded(new)
    # A list that was started before still gets its version, which is not kept.
    assert catalog.encoded(old) is not catalog.encoded(old)


def test_without_cache_space_every_call_encodes_again(stores: Informer) -> None:
    catalog = Catalog(stores, cache_bytes=0)
    stores._store.put(made(1))
    [only] = catalog.newest_first()

    assert isinstance(only, StoreObject)
    assert catalog.encoded(only) == catalog.encoded(only)
    assert catalog.encoded(only) is not catalog.encoded(only)
