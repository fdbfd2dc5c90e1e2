"""Limits: never exceeded by parallel requests or two replicas; requests below them are accepted."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from cluster.local.cluster import ClusterInfo
from testing.faults.call import of
from testing.faults.proxy import ApiProxy
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from tests.server.api import Answer, Api, delete_store, idle_server, new_id

LIMITS = {
    "URUMI_MAX_ACTIVE_STORES": "7",
    "URUMI_MAX_STORES_PER_IP": "4",
    "URUMI_TRUSTED_PROXIES": "127.0.0.1",
    "URUMI_CREATE_RATE_LIMIT": "20",
    "URUMI_RATE_WINDOW_SECONDS": "3600",
}


@pytest.fixture(scope="module")
def both(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Api, Api]]:
    """Two servers of one platform."""
    one = idle_server(local_cluster, kubectl, tmp_path_factory.mktemp("one"), **LIMITS)
    two = ServerProcess(local_cluster, kubectl, tmp_path_factory.mktemp("two"), namespace=one.namespace, **LIMITS)
    two.token = one.token
    with ExitStack() as stack:
        with ThreadPoolExecutor() as pool:
            list(pool.map(stack.enter_context, (one, two)))
        apis = Api(one), Api(two)
        for api in apis:
            stack.callback(api.close)
        yield apis


@pytest.fixture
def replicas(both: tuple[Api, Api], kubectl: Kubectl) -> tuple[Api, Api]:
    """The two servers, without stores and with an empty ledger."""
    namespace = both[0].server.namespace
    # The Lease is emptied and not deleted, because a replica that has read it would recreate it with its content.
    kubectl.attempt("annotate", "lease", "urumi-admission", "-n", namespace, "--overwrite", "stores.urumi.ai/grants=[]")
    for store_id in stores_of(kubectl, both[0]):
        delete_store(kubectl, both[0].server, store_id)
    wait_for(lambda: not any(api.request("GET", "/stores").json["items"] for api in both), "both to show no store")
    return both


def stores_of(kubectl: Kubectl, api: Api) -> set[str]:
    """Return the ids of the stores in the API server."""
    return kubectl.names("store", api.server.namespace)


def at_once(apis: tuple[Api, ...], count: int, **headers: str) -> list[Answer]:
    """Request many stores at the same time, each from another address."""

    def create(number: int) -> Answer:
        address = {"X-Forwarded-For": f"203.0.113.{number}", **headers}
        return apis[number % len(apis)].create(f"store-{number}", **address)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(create, range(count)))


def test_fifty_at_once_on_two_replicas_never_exceed_a_limit(replicas: tuple[Api, Api], kubectl: Kubectl) -> None:
    answers = at_once(replicas, 50)
    assert Counter(answer.status for answer in answers) == {202: 7, 409: 43}
    assert {answer.problem for answer in answers if answer.status == 409} == {"quota-exceeded"}
    made = stores_of(kubectl, replicas[0])
    assert made == {answer.json["storeId"] for answer in answers if answer.status == 202}

    # Released capacity can be used immediately by either replica.
    gone, *kept = sorted(made)
    delete_store(kubectl, replicas[0].server, gone)
    wait_for(lambda: replicas[1].server.store(gone) is None, "the other replica to know")
    again = [api.create(new_id()) for api in replicas]
    assert [answer.status for answer in again] == [202, 409]
    assert replicas[1].create(kept[0]).status == 200, "a repeated request for an existing store counts as none"


def test_the_share_of_an_address_is_counted_over_all_replicas(replicas: tuple[Api, Api], kubectl: Kubectl) -> None:
    answers = at_once(replicas, 10, **{"X-Forwarded-For": "198.51.100.7"})
    assert Counter(answer.status for answer in answers) == {202: 4, 409: 6}
    refused = next(answer for answer in answers if answer.status == 409)
    assert refused.json["limit"] == {"name": "MAX_STORES_PER_IP", "allowed": 4, "current": 4}
    assert "Limit of stores reached for address 198.51.100.7: 4 of 4 exist." in refused.json["detail"]
    elsewhere = replicas[1].create(new_id(), X_Forwarded_For="198.51.100.8")
    assert (elsewhere.status, elsewhere.json["requestedBy"]["ip"]) == (202, "198.51.100.8")


def test_a_key_is_known_to_every_replica_and_survives_a_restart(replicas: tuple[Api, Api], kubectl: Kubectl) -> None:
    one, two = replicas
    store_id = new_id()
    first = one.create(store_id, Idempotency_Key="a-key")
    again = two.create(store_id, Idempotency_Key="a-key")
    assert (first.status, again.status) == (202, 202)
    assert again.json["uid"] == first.json["uid"]
    assert "Idempotency-Replayed" not in first.headers
    assert (again.headers["Idempotency-Replayed"], again.headers["Location"]) == ("true", f"/stores/{store_id}")
    assert two.create(new_id(), Idempotency_Key="a-key").problem == "key-reused"
    assert two.create(store_id, "woocommerce", Idempotency_Key="a-key").problem == "key-reused"
    assert two.create(store_id, Idempotency_Key="another").status == 200

    one.server.kill()
    one.server.start()
    assert one.create(store_id, Idempotency_Key="a-key").status == 202
    assert one.create(new_id(), Idempotency_Key="a-key").problem == "key-reused"
    delete_store(kubectl, one.server, store_id)
    wait_for(lambda: two.server.store(store_id) is None, "the other replica to know")
    for api in replicas:
        refused = api.create(store_id, Idempotency_Key="a-key")
        assert refused.problem == "conflict"
        assert f"{store_id}, which this Idempotency-Key created, has been deleted" in refused.json["detail"]
    assert stores_of(kubectl, one) == set()


def test_concurrent_requests_with_one_key_create_one_store(replicas: tuple[Api, Api], kubectl: Kubectl) -> None:
    same = new_id()
    with ThreadPoolExecutor(8) as pool:
        one_body = list(pool.map(lambda n: replicas[n % 2].create(same, Idempotency_Key="one"), range(8)))
        many_bodies = list(pool.map(lambda n: replicas[n % 2].create(f"many-{n}", Idempotency_Key="many"), range(8)))
    assert {answer.status for answer in one_body} == {202}
    assert len({answer.json["uid"] for answer in one_body}) == 1
    problems = Counter(answer.problem for answer in many_bodies)
    assert problems == {"": 1, "key-reused": 7}, [answer.json.get("detail") for answer in many_bodies]
    assert len(stores_of(kubectl, replicas[0])) == 2


def test_the_grant_of_a_creation_that_the_cluster_refuses_is_released(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path
) -> None:
    limits = {"URUMI_MAX_ACTIVE_STORES": "1", "URUMI_CREATE_RATE_LIMIT": "2", "URUMI_RATE_WINDOW_SECONDS": "3600"}
    with (
        ApiProxy(local_cluster, tmp_path) as proxy,
        idle_server(proxy.cluster, kubectl, tmp_path / "server", **limits) as server,
    ):
        api = Api(server)
        refusal = json.dumps({"kind": "Status", "message": "denied", "reason": "Forbidden"}).encode()
        with proxy.answering(403, refusal, only=of("stores", "create")):
            for _ in range(3):
                assert api.create(new_id()).problem == "cluster-refused"
        with proxy.answering(401, only=of("stores", "create")):
            unauthorized = api.create(new_id())
            assert (unauthorized.status, unauthorized.problem) == (503, "cluster-unreachable")
            assert "the token of this server" in unauthorized.json["detail"]
        store_id = new_id()
        assert api.create(store_id).status == 202
        delete_store(kubectl, server, store_id)
        assert api.create(new_id()).status == 202
        too_fast = api.create(new_id())
        assert (too_fast.status, too_fast.problem) == (429, "too-many-requests")
        assert 3000 < int(too_fast.headers["Retry-After"]) <= 3600
        assert f"Try again in {too_fast.headers['Retry-After']} s." == too_fast.json["hint"]
        api.close()


def test_an_unreadable_ledger_is_replaced(replicas: tuple[Api, Api], kubectl: Kubectl) -> None:
    namespace = replicas[0].server.namespace
    assert replicas[0].create(new_id()).status == 202
    kubectl.run("annotate", "lease", "urumi-admission", "-n", namespace, "--overwrite", "stores.urumi.ai/grants=[{")
    assert {answer.status for answer in at_once(replicas, 2)} == {202}
    kubectl.run("delete", "lease", "urumi-admission", "-n", namespace)
    assert [api.create(new_id(), X_Forwarded_For="198.51.100.8").status for api in replicas] == [202, 202]
    assert len(stores_of(kubectl, replicas[0])) == 5


def test_an_address_counts_only_from_a_trusted_proxy(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path
) -> None:
    with idle_server(local_cluster, kubectl, tmp_path / "server", URUMI_TRUSTED_PROXIES="10.0.0.0/8") as server:
        api = Api(server)
        made = api.create(new_id(), X_Forwarded_For="203.0.113.9", X_Forwarded_Proto="https")
        assert made.json["requestedBy"]["ip"] == "127.0.0.1"
        own = {"Origin": server.url, "X-Forwarded-Proto": "https"}
        signed_in = api.request("POST", "/session", {"token": server.token}, own)
        assert "secure" not in signed_in.headers["Set-Cookie"].lower()
        api.close()
