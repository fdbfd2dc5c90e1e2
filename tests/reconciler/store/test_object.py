"""The typed view of a Store: the same answers from the whole object and from the slim copy of the informer."""

import sys
from typing import Any

import pytest

from reconciler.store.object import StoreObject, slim_store
from urumi.store import Engine, Phase

STATUS = {"phase": "Ready", "conditions": [{"type": "Ready", "status": "True"}], "events": []}


def raw_store(**metadata: Any) -> dict[str, Any]:
    """Return a whole Store as the API server sends it."""
    return {
        "metadata": {
            "name": "shop-a",
            "namespace": "store-platform",
            "uid": "u1",
            "resourceVersion": "7",
            "generation": 2,
            "creationTimestamp": "2026-11-24T10:00:00Z",
            "annotations": {"a": "b"},
            "finalizers": ["stores.urumi.ai/finalizer"],
            "managedFields": [{"manager": "urumi"}],
            **metadata,
        },
        "spec": {"storeId": "shop-a", "engine": "medusa", "host": "shop.example.com", "values": {"store": {}}},
        "status": STATUS,
    }


@pytest.mark.parametrize("is_slim", [pytest.param(False, id="whole"), pytest.param(True, id="slim")])
def test_every_field_is_read_from_a_whole_and_from_a_slim_object(is_slim: bool) -> None:
    raw = raw_store(deletionTimestamp="2026-11-24T11:00:00Z")
    store = StoreObject(slim_store(raw) if is_slim else raw)
    assert (store.name, store.store_id, store.uid, store.platform_namespace) == (
        "shop-a",
        "shop-a",
        "u1",
        "store-platform",
    )
    assert (store.namespace, store.release_name, store.engine) == ("store-shop-a", "medusa-shop-a", Engine.MEDUSA)
    assert (store.resource_version, store.generation) == ("7", 2)
    assert (store.annotations, store.finalizers) == ({"a": "b"}, ("stores.urumi.ai/finalizer",))
    assert (store.created_at, store.deletion_timestamp) == ("2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z")
    assert store.is_deleting
    assert store.deletion_requested_at.hour == 11
    assert (store.host, store.values, store.requested_by) == ("shop.example.com", {"store": {}}, {})
    assert store.status == STATUS


def test_the_phase_of_a_store_is_pending_until_one_is_written_and_deleting_from_the_request_on() -> None:
    assert StoreObject({**raw_store(), "status": {}}).phase == Phase.PENDING
    assert StoreObject(slim_store(raw_store())).phase == Phase.READY
    assert StoreObject(slim_store(raw_store(deletionTimestamp="2026-11-24T11:00:00Z"))).phase == Phase.DELETING


def test_a_store_without_optional_fields_has_empty_ones() -> None:
    store = StoreObject(
        {"metadata": {"name": "shop-a", "uid": "u1"}, "spec": {"storeId": "shop-a", "engine": "medusa"}}
    )
    assert (store.annotations, store.finalizers, store.values, store.host, store.status) == ({}, (), {}, "", {})
    assert (store.is_deleting, store.deletion_timestamp, store.generation) == (False, "", 0)


def test_a_change_of_a_status_copy_does_not_reach_the_kept_object() -> None:
    store = StoreObject(slim_store(raw_store()))
    store.status["phase"] = "Failed"
    assert store.status["phase"] == "Ready"


def test_the_slim_copy_keeps_no_managed_fields_and_the_status_as_one_text() -> None:
    slim = slim_store(raw_store())
    assert "managedFields" not in slim["metadata"]
    assert sorted(slim["status"]) == ["packed", "phase"]


def test_a_view_holds_one_reference_only() -> None:
    assert sys.getsizeof(StoreObject(raw_store())) <= 48
