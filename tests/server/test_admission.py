"""Admission without a cluster: each limit, the shared ledger, conflicts between replicas, and grants that expire."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from reconciler.cache.informer import Informer
from reconciler.kube.resources import STORES
from reconciler.leaderelection.lease import LEASES
from server.auth.identity import Caller
from server.http.problems import ProblemError
from server.settings import ServerSettings
from server.stores.admission import GRACE_SECONDS, LEDGER_ANNOTATION, LEDGER_NAME, MAX_GRANTS, Admission
from server.stores.idempotency import REQUEST_ANNOTATION
from testing.apiserver.server import ApiServer
from tests.server.inprocess import NAMESPACE, store
from urumi.errors import ClusterError

pytestmark = pytest.mark.anyio

ANN = Caller("ann", "192.0.2.1", "test")
BOB = Caller("bob", "192.0.2.2", "test")


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def kube() -> ApiServer:
    """The double of the API server."""
    return ApiServer(NAMESPACE)


@pytest.fixture
def clock() -> Clock:
    """The clock of every replica."""
    return Clock()


@pytest.fixture
def stores(kube: ApiServer) -> Informer:
    """An informer whose objects the test sets."""
    return Informer(kube, STORES, namespace=NAMESPACE)


def admission(kube: ApiServer, stores: Informer, clock: Clock, **limits: Any) -> Admission:
    """Return the admission of one replica."""
    return Admission(kube, stores, replace(ServerSettings(), create_rate_limit=0, **limits), NAMESPACE, clock)


def show(stores: Informer, store_id: str, fingerprint: str = "", **requested_by: str) -> None:
    """Add a store to the informer."""
    item = store(store_id)
    item["metadata"] |= {"uid": store_id, "resourceVersion": str(len(stores.items) + 1)}
    item["metadata"]["annotations"] = {REQUEST_ANNOTATION: fingerprint}
    item["spec"]["requestedBy"] = requested_by
    stores._store.put(item)


async def refusal(replica: Admission, caller: Caller, store_id: str, fingerprint: str) -> ProblemError:
    """Return the problem with which a creation is refused."""
    with pytest.raises(ProblemError) as refused:
        await replica.admit(caller, store_id, fingerprint)
    return refused.value


async def test_existing_stores_and_grants_count_together(kube: ApiServer, stores: Informer, clock: Clock) -> None:
    replica = admission(kube, stores, clock, max_active_stores=2)
    show(stores, "shop-1")
    await replica.admit(ANN, "shop-2", "once-2")

    refused = await refusal(replica, ANN, "shop-3", "once-3")
    assert refused.message == "Limit of stores reached: 2 of 2 exist."
    assert refused.hint == "Delete a store, or raise URUMI_MAX_ACTIVE_STORES."
    assert refused.limit == {"name": "MAX_ACTIVE_STORES", "allowed": 2, "current": 2}


async def test_a_grant_counts_once_when_its_store_exists(kube: ApiServer, stores: Informer, clock: Clock) -> None:
    replica = admission(kube, stores, clock, max_active_stores=2)
    await replica.admit(ANN, "shop-1", "once-1")
    show(stores, "shop-1", "once-1")

    await replica.admit(ANN, "shop-2", "once-2")


async def test_a_grant_of_another_replica_counts(kube: ApiServer, stores: Informer, clock: Clock) -> None:
    one, two = (admission(kube, stores, clock, max_active_stores=1) for _ in range(2))
    await one.admit(ANN, "shop-1", "once-1")

    assert (await refusal(two, BOB, "shop-2", "once-2")).name == "quota-exceeded"


async def test_concurrent_requests_to_replicas_never_exceed_the_limit(
    kube: ApiServer, stores: Informer, clock: Clock
) -> None:
    replicas = [admission(kube, stores, clock, max_active_stores=5) for _ in range(3)]
    results = await asyncio.gather(
        *[replicas[n % 3].admit(ANN, f"shop-{n}", f"once-{n}") for n in range(30)], return_exceptions=True
    )

    assert results.count(None) == 5
    assert {each.name for each in results if isinstance(each, ProblemError)} == {"quota-exceeded"}


async def test_a_released_grant_is_free_again(kube: ApiServer, stores: Informer, clock: Clock) -> None:
    replica = admission(kube, stores, clock, max_active_stores=1)
    await replica.admit(ANN, "shop-1", "once-1")
    await replica.release("once-1")

    await replica.admit(ANN, "shop-2", "once-2")


async def test_a_grant_without_a_store_expires(kube: ApiServer, stores: Informer, clock: Clock) -> None:
    replica = admission(kube, stores, clock, max_active_stores=1)
    await replica.admit(ANN, "shop-1", "once-1")
    clock.now += GRACE_SECONDS

    await replica.admit(ANN, "shop-2", "once-2")


@pytest.mark.parametrize(
    ("limit", "requested_by", "noun"),
    [
        ("max_stores_per_user", {"user": "ann", "ip": "192.0.2.9"}, "user ann"),
        ("max_stores_per_ip", {"user": "eve", "ip": "192.0.2.1"}, "address 192.0.2.1"),
    ],
)
async def test_a_share_is_counted_for_one_user_or_address(
    kube: ApiServer, stores: Informer, clock: Clock, limit: str, requested_by: dict[str, str], noun: str
) -> None:
    replica = admission(kube, stores, clock, **{limit: 2})
    show(stores, "shop-1", **requested_by)
    await replica.admit(ANN, "shop-2", "once-2")

    refused = await refusal(replica, ANN, "shop-3", "once-3")
    assert refused.message == f"Limit of stores reached for {noun}: 2 of 2 exist."
    assert refused.hint == f"Delete one of them, or ask an administrator to raise URUMI_{limit.upper()}."
    await replica.admit(BOB, "shop-4", "once-4")


async def test_a_rate_is_counted_for_one_user_and_the_window_moves_on(
    kube: ApiServer, stores: Informer, clock: Clock
) -> None:
    settings = replace(ServerSettings(), create_rate_limit=2, rate_window_seconds=60)
    replica = Admission(kube, stores, settings, NAMESPACE, clock)
    await replica.admit(ANN, "shop-1", "once-1")
    clock.now += 20
    await replica.admit(ANN, "shop-2", "once-2")

    refused = await refusal(replica, ANN, "shop-3", "once-3")
    assert refused.message == "User ann requested 2 stores in the last 60 s; the limit is 2."
    assert (refused.hint, refused.headers) == ("Try again in 40 s.", {"Retry-After": "40"})
    await replica.admit(BOB, "shop-4", "once-4")
    clock.now += 40
    await replica.admit(ANN, "shop-3", "once-3")


async def test_a_key_that_is_in_use_for_another_store_is_refused(
    kube: ApiServer, stores: Informer, clock: Clock
) -> None:
    replica = admission(kube, stores, clock)
    await replica.admit(ANN, "shop-1", "key-1")
    await replica.admit(ANN, "shop-1", "key-1")

    refused = await refusal(replica, ANN, "shop-2", "key-1")
    assert (refused.name, refused.message) == (
        "key-reused",
        "This Idempotency-Key is already used to create store shop-1.",
    )


async def test_an_unreadable_ledger_is_replaced(kube: ApiServer, stores: Informer, clock: Clock) -> None:
    replica = admission(kube, stores, clock)
    await replica.admit(ANN, "shop-1", "once-1")
    change = {"metadata": {"annotations": {LEDGER_ANNOTATION: '[{"mark": "x"}, '}}}
    await kube.merge(LEASES, LEDGER_NAME, change, NAMESPACE)

    await admission(kube, stores, clock).admit(ANN, "shop-2", "once-2")

    assert [each["store"] for each in await ledger(kube)] == ["shop-2"]


async def test_a_ledger_has_the_keys_that_other_versions_read(kube: ApiServer, stores: Informer, clock: Clock) -> None:
    await admission(kube, stores, clock).admit(ANN, "shop-1", "once-1")

    assert await ledger(kube) == [
        {"mark": "once-1", "store": "shop-1", "user": "ann", "ip": "192.0.2.1", "at": clock.now}
    ]


async def test_a_full_ledger_refuses_until_grants_expire(kube: ApiServer, stores: Informer, clock: Clock) -> None:
    replica = admission(kube, stores, clock, max_active_stores=10 * MAX_GRANTS)
    await replica.admit(ANN, "shop-0", "once-0")
    full = [{"mark": f"m-{n}", "store": "x", "user": "u", "ip": "", "at": clock.now} for n in range(MAX_GRANTS)]
    change = {"metadata": {"annotations": {LEDGER_ANNOTATION: json.dumps(full)}}}
    await kube.merge(LEASES, LEDGER_NAME, change, NAMESPACE)

    assert (await refusal(admission(kube, stores, clock), ANN, "shop-1", "once-1")).name == "busy"
    clock.now += GRACE_SECONDS
    await admission(kube, stores, clock).admit(ANN, "shop-1", "once-1")


async def test_a_failed_write_reaches_the_caller_and_a_failed_release_does_not(
    kube: ApiServer, stores: Informer, clock: Clock
) -> None:
    replica = admission(kube, stores, clock)
    kube.fail("create", LEASES, ClusterError("try later", status=503))
    with pytest.raises(ClusterError, match="try later"):
        await replica.admit(ANN, "shop-1", "once-1")

    await replica.admit(ANN, "shop-1", "once-1")
    kube.fail("replace", LEASES, ClusterError("try later", status=503))
    await replica.release("once-1")


async def ledger(kube: ApiServer) -> Any:
    """Return the stored grants of the ledger."""
    lease = await kube.get(LEASES, LEDGER_NAME, NAMESPACE)
    assert lease is not None
    return json.loads(lease["metadata"]["annotations"][LEDGER_ANNOTATION])
