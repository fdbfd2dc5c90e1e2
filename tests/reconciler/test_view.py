"""The reconciler's view of the cluster: which changes wake which store, and what it derives from its informers."""

import pytest

from reconciler.kube.resources import CLAIMS, DEPLOYMENTS, NAMESPACES, NODES, PODS, QUOTAS, SERVICES, STORES, Resource
from reconciler.store.object import StoreObject
from tests.reconciler.conftest import MakeHarness
from tests.reconciler.harness import NAMESPACE, PLATFORM, STORE_ID, Harness
from urumi.store import MANAGED_LABEL, RETRY_ANNOTATION, store_labels

pytestmark = pytest.mark.anyio


class Woken:
    """The stores that a view woke since the last call."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self._ids: list[str] = []
        harness.view.wake(self._ids.append)

    async def stores(self) -> set[str]:
        """Return the stores that were woken since the last call."""
        await self._harness.settle()
        found = set(self._ids)
        self._ids.clear()
        return found


@pytest.fixture
async def woken(harness: Harness) -> Woken:
    """What is woken after a store is Ready."""
    await harness.ready_store()
    found = Woken(harness)
    await found.stores()
    return found


async def test_an_edit_of_the_spec_or_of_an_annotation_wakes_the_store(harness: Harness, woken: Woken) -> None:
    await harness.edit_store(spec={"values": {"store": {"title": "New"}}})
    assert await woken.stores() == {STORE_ID}
    await harness.edit_store(metadata={"annotations": {RETRY_ANNOTATION: "now"}})
    assert await woken.stores() == {STORE_ID}


async def test_a_write_of_the_status_wakes_no_store(harness: Harness, woken: Woken) -> None:
    store = await harness.store()
    await harness.kube.replace_status(STORES, store.raw, {**store.status, "attempts": 7})
    assert await woken.stores() == set()


async def test_a_deletion_request_and_the_end_of_a_store_wake_it(harness: Harness, woken: Woken) -> None:
    await harness.others.delete(STORES, STORE_ID, PLATFORM)
    assert await woken.stores() == {STORE_ID}
    await harness.edit_store(metadata={"finalizers": None})
    assert await woken.stores() == {STORE_ID}


@pytest.mark.parametrize("resource", [PODS, CLAIMS], ids=lambda resource: resource.plural)
async def test_a_new_part_wakes_its_store(harness: Harness, woken: Woken, resource: Resource) -> None:
    meta = {"name": "part", "labels": store_labels(STORE_ID)}
    await harness.controllers.create(resource, {"metadata": meta, "spec": {}}, NAMESPACE)
    assert await woken.stores() == {STORE_ID}


async def test_a_part_that_loses_its_label_wakes_its_store(harness: Harness, woken: Woken) -> None:
    await harness.others.merge(DEPLOYMENTS, "wordpress", {"metadata": {"labels": {MANAGED_LABEL: None}}}, NAMESPACE)
    assert await woken.stores() == {STORE_ID}


async def test_a_part_outside_the_namespaces_of_stores_wakes_no_store(harness: Harness, woken: Woken) -> None:
    await harness.others.create(NAMESPACES, {"metadata": {"name": "elsewhere"}})
    meta = {"name": "part", "labels": store_labels("elsewhere")}
    await harness.others.create(PODS, {"metadata": meta, "spec": {}}, "elsewhere")
    assert await woken.stores() == set()


async def test_a_changed_usage_of_a_quota_wakes_no_store_and_changed_limits_do(harness: Harness, woken: Woken) -> None:
    [quota] = await harness.list(QUOTAS)
    await harness.controllers.replace_status(QUOTAS, quota, {**quota["status"], "used": {"pods": "3"}})
    assert await woken.stores() == set()
    await harness.others.merge(QUOTAS, "store-quota", {"spec": {"hard": {"pods": "1"}}}, NAMESPACE)
    assert await woken.stores() == {STORE_ID}


async def test_a_kept_object_wakes_its_store_when_it_is_changed_or_deleted_and_not_for_what_others_add(
    harness: Harness, woken: Woken
) -> None:
    await harness.others.merge(SERVICES, "wordpress", {"metadata": {"labels": {"team": "a"}}}, NAMESPACE)
    assert await woken.stores() == set()
    await harness.others.merge(SERVICES, "wordpress", {"spec": {"selector": {"app": "x"}}}, NAMESPACE)
    assert await woken.stores() == {STORE_ID}
    await harness.others.delete(SERVICES, "wordpress", NAMESPACE)
    assert await woken.stores() == {STORE_ID}


async def test_stores_are_found_by_id_and_listed(harness: Harness) -> None:
    assert harness.view.all_stores() == []
    assert harness.view.store(STORE_ID) is None
    await harness.create_store()
    store = await harness.store()
    assert isinstance(store, StoreObject)
    assert harness.view.all_stores() == [store]


async def test_a_cluster_is_simulated_if_every_node_is(harness: Harness) -> None:
    assert harness.view.is_simulated()
    await harness.others.create(NODES, {"metadata": {"name": "node-2"}})
    await harness.settle()
    assert not harness.view.is_simulated()


async def test_a_cluster_without_nodes_is_not_simulated(harness: Harness) -> None:
    await harness.others.delete(NODES, "node-1")
    await harness.settle()
    assert not harness.view.is_simulated()


async def test_waiting_for_a_quota_ends_when_it_is_in_force_or_the_time_is_over(make_harness: MakeHarness) -> None:
    async with make_harness() as harness:
        assert not await harness.view.wait_for_quota(STORE_ID, 0.01)
        await harness.ready_store()
        assert await harness.view.wait_for_quota(STORE_ID, 5)
