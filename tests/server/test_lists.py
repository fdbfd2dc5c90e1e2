"""GET of stores: filtered, sorted, paged, conditional, and streamed in parts."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cluster.local.cluster import ClusterInfo
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from tests.server.api import Api, delete_store, idle_server
from urumi.cli.arguments import SORTS
from urumi.wire import ListQuery, StoreList

COUNT = 250
SORT_VALUES = ("-createdAt", "createdAt", "storeId", "-storeId", "phase", "-phase", "engine", "-engine")


@pytest.fixture(scope="module")
def api(local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server with many stores that are not reconciled."""
    with idle_server(
        local_cluster, kubectl, tmp_path_factory.mktemp("lists"), URUMI_MAX_ACTIVE_STORES="1000"
    ) as server:
        items = [store(server, f"{'ab'[number % 2]}-{number:03}") for number in range(COUNT)]
        kubectl.run("create", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": items})
        api = Api(server)
        wait_for(lambda: len(listed(api)) == COUNT, "all stores to be shown")
        yield api
        api.close()


def store(server: ServerProcess, store_id: str) -> dict[str, Any]:
    """Return a store; those that begin with a are Medusa's."""
    spec = {"storeId": store_id, "engine": "medusa" if store_id.startswith("a") else "woocommerce"}
    return {
        "apiVersion": "stores.urumi.ai/v1alpha1",
        "kind": "Store",
        "metadata": {"name": store_id, "namespace": server.namespace},
        "spec": spec,
    }


def listed(api: Api, query: str = "") -> list[str]:
    """Return the ids of a list."""
    return [each["storeId"] for each in api.request("GET", f"/stores{query}").json["items"]]


def pages(api: Api, query: str) -> Iterator[dict[str, Any]]:
    """Yield the pages of a list."""
    cursor = ""
    while True:
        page = api.request("GET", f"/stores?{query}{cursor}").json
        yield page
        if "continue" not in page:
            return
        cursor = f"&continue={page['continue']}"


def test_a_list_without_a_limit_has_all_stores_in_the_wire_format(api: Api) -> None:
    answer = api.request("GET", "/stores")
    assert len(StoreList.model_validate_json(answer.content).items) == COUNT
    assert "content-length" not in answer.headers, "a long list is sent in parts"
    assert float(answer.headers["Cluster-Age-Seconds"]) >= 0


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?engine=medusa", 125),
        ("?q=A-00", 5),
        ("?phase=Pending", COUNT),
        ("?phase=Ready", 0),
        ("?engine=medusa&q=b", 0),
    ],
)
def test_a_list_is_filtered(api: Api, query: str, count: int) -> None:
    assert len(listed(api, query)) == count


@pytest.mark.parametrize("sort", SORT_VALUES)
def test_all_pages_together_are_the_whole_list_in_order(api: Api, sort: str) -> None:
    whole = api.request("GET", f"/stores?sort={sort}").json["items"]
    keys = [(each[sort.lstrip("-")], each["storeId"]) for each in whole]
    assert keys == sorted(keys, reverse=sort.startswith("-"))

    found = list(pages(api, f"sort={sort}&limit=90"))
    assert [each for page in found for each in page["items"]] == whole
    assert [page["remaining"] for page in found] == [160, 70, 0]


def test_an_existing_store_is_listed_once_while_others_are_created_and_deleted(api: Api, kubectl: Kubectl) -> None:
    before = set(listed(api))
    turning = pages(api, "sort=storeId&limit=60")
    seen = [each["storeId"] for each in next(turning)["items"]]
    made, gone = [f"{seen[0]}-new", f"{seen[-1]}-new", "z-new"], [seen[10], seen[-1], "b-201"]
    for store_id in gone:
        delete_store(kubectl, api.server, store_id)
    for store_id in made:
        kubectl.run("create", "-f", "-", given=store(api.server, store_id))
    wait_for(lambda: set(made) <= set(listed(api)), "the new stores to be shown")
    seen += [each["storeId"] for page in turning for each in page["items"]]
    assert len(seen) == len(set(seen))
    assert before - set(gone) <= set(seen)
    for store_id in made:
        delete_store(kubectl, api.server, store_id)
    for store_id in gone:
        kubectl.run("create", "-f", "-", given=store(api.server, store_id))
    wait_for(lambda: set(listed(api)) == before, "the stores to be as before")


@pytest.mark.parametrize(
    ("query", "parameter", "words"),
    [
        ("phase=ready", "phase", "'Pending', 'Provisioning', 'Ready'"),
        ("engine=magento", "engine", "'woocommerce' or 'medusa', got 'magento'"),
        ("limit=0", "limit", "greater than or equal to 1, got '0'"),
        ("limit=1001", "limit", "less than or equal to 1000"),
        ("limit=ten", "limit", "got 'ten'"),
        ("sort=age", "sort", "got 'age'"),
        (
            "phse=Ready",
            "phse",
            "phse is not a parameter of this call; expected one of continue, engine, limit, phase, q, sort",
        ),
        ("q=a&q=b", "q", "q must be given once"),
        ("q=" + "x" * 65, "q", "at most 64 characters"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_was_expected(api: Api, query: str, parameter: str, words: str) -> None:
    answer = api.request("GET", f"/stores?{query}")
    assert answer.problem == "invalid-request"
    (error,) = answer.json["errors"]
    assert error["parameter"] == parameter
    assert words in error["message"]
    assert error["message"] in answer.json["detail"]


@pytest.mark.parametrize("cursor", ["x", "!!", "W10", "WzFd", "bnVsbA", "W1tdLFtdXQ", "%00"])
def test_an_invalid_cursor_is_a_problem_and_no_defect(api: Api, cursor: str) -> None:
    assert api.request("GET", f"/stores?continue={cursor}").problem == "bad-cursor"


def test_a_cursor_of_another_list_is_refused(api: Api) -> None:
    cursor = api.request("GET", "/stores?sort=storeId&limit=1").json["continue"]
    refused = api.request("GET", f"/stores?sort=phase&continue={cursor}")
    assert refused.problem == "bad-cursor"
    assert "another phase, engine, q or sort" in refused.json["detail"]
    assert api.request("GET", f"/stores?sort=storeId&continue={cursor}&limit=7").status == 200


def test_an_unchanged_list_is_not_sent_again(api: Api, kubectl: Kubectl) -> None:
    for url in ("/stores", "/stores?engine=medusa&limit=5", "/stores/a-000", "/stores/a-000/events"):
        first = api.request("GET", url)
        for tag in (first.headers["ETag"], f'"other", W/{first.headers["ETag"]}', "*"):
            again = api.request("GET", url, headers={**api.token, "If-None-Match": tag})
            assert (again.status, again.content) == (304, b"")
            assert again.headers["ETag"] == first.headers["ETag"]
        other = api.request("GET", url, headers={**api.token, "If-None-Match": '"other"'})
        assert (other.status, other.content) == (200, first.content)

    tags = {url: api.request("GET", url).headers["ETag"] for url in ("/stores", "/stores/a-000", "/stores/a-002")}
    kubectl.run("annotate", "store", "a-000", "-n", api.server.namespace, "note=changed")
    wait_for(lambda: api.request("GET", "/stores").headers["ETag"] != tags["/stores"], "the list to have another tag")
    assert api.request("GET", "/stores/a-000").headers["ETag"] != tags["/stores/a-000"]
    assert api.request("GET", "/stores/a-002").headers["ETag"] == tags["/stores/a-002"]


def test_a_tag_is_the_same_on_another_replica_and_after_a_restart(
    api: Api, local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("other")
    tags = [api.request("GET", url).headers["ETag"] for url in ("/stores", "/stores/a-000")]
    with ServerProcess(local_cluster, kubectl, folder, namespace=api.server.namespace) as other:
        there = Api(other)
        wait_for(lambda: there.request("GET", "/stores").headers["ETag"] == tags[0], "the same tag for the list")
        assert there.request("GET", "/stores/a-000").headers["ETag"] == tags[1]
        there.close()


def test_a_list_in_parts_is_consistent_while_everything_changes(api: Api, kubectl: Kubectl) -> None:
    with ThreadPoolExecutor(1) as pool:
        notes = pool.submit(
            lambda: [
                kubectl.run("annotate", "stores", "--all", "-n", api.server.namespace, "--overwrite", f"n={number}")
                for number in range(3)
            ]
        )
        for _ in itertools.takewhile(lambda _: not notes.done(), itertools.count()):
            ids = listed(api)
            assert len(ids) == len(set(ids)) == COUNT


def test_head_has_the_headers_of_get_and_no_body(api: Api) -> None:
    get, head = api.request("GET", "/stores/a-002"), api.request("HEAD", "/stores/a-002")
    assert (head.status, head.content, head.headers["ETag"]) == (200, b"", get.headers["ETag"])


def test_every_sort_order_is_documented_and_the_command_has_some_of_them(api: Api) -> None:
    for sort in [*SORT_VALUES, *filter(None, SORTS.values())]:
        assert ListQuery.model_validate({"sort": sort}).sort == sort


def test_a_retry_of_another_store_of_that_name_is_refused(api: Api) -> None:
    uid = api.request("GET", "/stores/a-004").json["uid"]
    assert api.request("POST", f"/stores/a-004/retry?uid={uid}").status == 202
    refused = api.request("POST", "/stores/a-004/retry?uid=00000000-0000-0000-0000-000000000000")
    assert (refused.status, refused.problem) == (409, "conflict")
    assert "was replaced: the store with uid" in refused.json["detail"]
