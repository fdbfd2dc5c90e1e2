"""Idempotency keys without a cluster: what a repeated request gets while its store exists, and after it was deleted."""

import pytest

from reconciler.cache.informer import Informer
from reconciler.kube.resources import STORES, Object
from server.stores.idempotency import (
    KEPT_DELETED,
    KEPT_SECONDS,
    REQUEST_ANNOTATION,
    CreatedStore,
    IdempotencyKeys,
    new_fingerprint,
)
from testing.apiserver.server import ApiServer
from tests.server.inprocess import NAMESPACE, served, store

pytestmark = pytest.mark.anyio

CREATED = CreatedStore("shop-1", "medusa")


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of the keys."""
    return Clock()


@pytest.fixture
def stores() -> Informer:
    """An informer whose objects the test sets."""
    return Informer(ApiServer(NAMESPACE), STORES, namespace=NAMESPACE)


@pytest.fixture
def keys(stores: Informer, clock: Clock) -> IdempotencyKeys:
    """The keys of that informer's stores."""
    return IdempotencyKeys(stores, clock)


def keyed(store_id: str, fingerprint: str, version: int = 1) -> Object:
    """Return a Store as the API server has it."""
    item = store(store_id)
    item["metadata"] |= {
        "uid": f"uid-of-{store_id}",
        "resourceVersion": str(version),
        "annotations": {REQUEST_ANNOTATION: fingerprint},
    }
    return item


def test_a_fingerprint_is_the_same_for_the_same_user_and_key() -> None:
    assert new_fingerprint("ann", "a-key") == new_fingerprint("ann", "a-key")
    assert new_fingerprint("ann", "a-key") != new_fingerprint("bob", "a-key")
    assert new_fingerprint("ann", "a-key") != new_fingerprint("ann", "b-key")
    assert "a-key" not in new_fingerprint("ann", "a-key")


def test_requests_without_a_key_are_never_the_same() -> None:
    assert new_fingerprint("ann", "") != new_fingerprint("ann", "")


def test_a_key_names_its_store_until_it_is_deleted(stores: Informer, keys: IdempotencyKeys) -> None:
    fingerprint = new_fingerprint("ann", "a-key")
    assert keys.existing(fingerprint) is None

    stores._store.put(keyed("shop-1", fingerprint))
    assert (keys.existing(fingerprint), keys.deleted(fingerprint)) == (CREATED, None)

    stores._store.delete(keyed("shop-1", fingerprint, 2))
    assert (keys.existing(fingerprint), keys.deleted(fingerprint)) == (None, CREATED)


def test_a_request_without_a_key_is_not_remembered(stores: Informer, keys: IdempotencyKeys) -> None:
    fingerprint = new_fingerprint("ann", "")
    stores._store.put(keyed("shop-1", fingerprint))
    stores._store.delete(keyed("shop-1", fingerprint, 2))

    assert (keys.existing(fingerprint), keys.deleted(fingerprint)) == (None, None)


def test_a_deleted_store_is_forgotten_after_a_day(stores: Informer, keys: IdempotencyKeys, clock: Clock) -> None:
    fingerprint = new_fingerprint("ann", "a-key")
    stores._store.put(keyed("shop-1", fingerprint))
    stores._store.delete(keyed("shop-1", fingerprint, 2))

    clock.now += KEPT_SECONDS - 1
    assert keys.deleted(fingerprint) == CREATED
    clock.now += 1
    assert keys.deleted(fingerprint) is None


def test_the_number_of_remembered_deleted_stores_is_limited(stores: Informer, keys: IdempotencyKeys) -> None:
    fingerprints = [new_fingerprint("ann", f"key-{number}") for number in range(KEPT_DELETED + 2)]
    for number, fingerprint in enumerate(fingerprints):
        stores._store.put(keyed("shop-1", fingerprint, 2 * number + 1))
        stores._store.delete(keyed("shop-1", fingerprint, 2 * number + 2))

    assert [keys.deleted(fingerprint) for fingerprint in fingerprints[:3]] == [None, None, CREATED]
    assert keys.deleted(fingerprints[-1]) == CREATED


async def test_a_repeated_request_gets_the_same_store_and_never_another() -> None:
    async with served() as server:
        first = await server.create("shop-1", Idempotency_Key="a-key")
        again = await server.create("shop-1", Idempotency_Key="a-key")
        other = await server.create("shop-2", Idempotency_Key="a-key")
        await server.remove("shop-1")
        deleted = await server.create("shop-1", Idempotency_Key="a-key")
        anew = await server.create("shop-1", Idempotency_Key="b-key")

    assert (first.status_code, again.status_code, anew.status_code) == (202, 202, 202)
    assert again.json()["uid"] == first.json()["uid"] != anew.json()["uid"]
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert other.json()["type"] == "urn:urumi:problem:key-reused"
    assert deleted.json()["type"] == "urn:urumi:problem:conflict"
    assert deleted.json()["detail"] == "Store shop-1, which this Idempotency-Key created, has been deleted."


@pytest.mark.parametrize("key", ["", "x" * 256, "with space"])
async def test_an_invalid_key_is_refused(key: str) -> None:
    async with served() as server:
        response = await server.request(
            "POST", "/stores", {"storeId": "shop-1", "engine": "medusa"},
            {"Authorization": "Bearer s3cret", "Idempotency-Key": key},
        )  # fmt: skip

    assert response.status_code == 422
    assert response.json()["errors"][0]["header"] == "Idempotency-Key"
