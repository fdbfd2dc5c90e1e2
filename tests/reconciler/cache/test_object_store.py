"""The object store: versions decide, every difference is dispatched once."""

import pytest

from reconciler.cache.dispatch import Dispatch
from reconciler.cache.object_store import ObjectStore
from reconciler.kube.resources import Object


class Recorder:
    """Records what is dispatched, as (version before, version after)."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, str]] = []

    def __call__(self, before: Object | None, after: Object | None) -> None:
        """Record a change."""
        self.changes.append((version_of(before), version_of(after)))


def version_of(item: Object | None) -> str:
    """Return the version of an object, empty for none."""
    return "" if item is None else str(item["metadata"]["resourceVersion"])


def item(version: int, *, name: str = "a", uid: str = "1") -> Object:
    """Return an object."""
    meta = {"name": name, "namespace": "shop", "uid": uid, "resourceVersion": str(version), "managedFields": [{}]}
    return {"metadata": meta, "data": {"key": "value"}}


@pytest.fixture
def recorder() -> Recorder:
    """What was dispatched."""
    return Recorder()


@pytest.fixture
def store(recorder: Recorder) -> ObjectStore:
    """An empty store."""
    dispatch = Dispatch()
    dispatch.add(recorder)
    return ObjectStore(dispatch)


def test_a_new_object_is_stored_without_managed_fields(store: ObjectStore, recorder: Recorder) -> None:
    store.put(item(1))
    assert store.in_namespace("shop") == {"a": store.items["shop", "a"]}
    assert "managedFields" not in store.items["shop", "a"]["metadata"]
    assert recorder.changes == [("", "1")]


def test_only_what_slim_returns_is_kept() -> None:
    store = ObjectStore(Dispatch(), slim=lambda item: {"metadata": item["metadata"]})
    store.put(item(1))
    assert "data" not in store.items["shop", "a"]


def test_versions_are_compared_as_numbers(store: ObjectStore, recorder: Recorder) -> None:
    store.put(item(9))
    store.put(item(10))
    assert recorder.changes == [("", "9"), ("9", "10")]


@pytest.mark.parametrize("version", [4, 5])
def test_a_version_that_is_not_newer_changes_nothing(store: ObjectStore, recorder: Recorder, version: int) -> None:
    store.put(item(5))
    store.put(item(version, uid="2"))
    assert recorder.changes == [("", "5")]


def test_a_recreated_object_is_dispatched_as_deleted_and_new(store: ObjectStore, recorder: Recorder) -> None:
    store.put(item(1))
    store.put(item(2, uid="2"))
    assert recorder.changes == [("", "1"), ("1", ""), ("", "2")]


def test_a_deletion_removes_the_object_and_its_empty_namespace(store: ObjectStore, recorder: Recorder) -> None:
    store.put(item(1))
    store.delete(item(2))
    assert (store.items, store.in_namespace("shop")) == ({}, {})
    assert recorder.changes[1:] == [("1", "")]


def test_an_old_deletion_or_one_of_an_unknown_object_changes_nothing(store: ObjectStore, recorder: Recorder) -> None:
    store.put(item(5))
    store.delete(item(4))
    store.delete(item(9, name="unknown"))
    assert recorder.changes == [("", "5")]


def test_a_list_replaces_everything_and_dispatches_the_differences(store: ObjectStore, recorder: Recorder) -> None:
    for name in ("same", "changed", "gone", "recreated"):
        store.put(item(1, name=name))
    recorder.changes.clear()
    found = {
        ("shop", "same"): item(1, name="same"),
        ("shop", "changed"): item(2, name="changed"),
        ("shop", "recreated"): item(3, name="recreated", uid="2"),
        ("shop", "new"): item(4, name="new"),
    }
    store.replace(found)
    assert set(store.items) == set(found)
    assert sorted(recorder.changes) == [("", "3"), ("", "4"), ("1", ""), ("1", ""), ("1", "2")]


def test_a_write_during_a_list_is_kept_where_the_list_is_older(store: ObjectStore) -> None:
    for name in ("written", "listed"):
        store.put(item(1, name=name))
    store.start_listing()
    store.remember(item(5, name="written"))
    store.remember(item(2, name="listed"))
    store.replace({("shop", "written"): item(1, name="written"), ("shop", "listed"): item(3, name="listed")})
    assert {key[1]: version_of(each) for key, each in store.items.items()} == {"written": "5", "listed": "3"}


def test_a_write_before_a_list_does_not_outlive_it(store: ObjectStore) -> None:
    store.put(item(1))
    store.remember(item(5))
    store.start_listing()
    store.replace({("shop", "a"): item(3)})
    assert version_of(store.items["shop", "a"]) == "3"


def test_a_write_of_an_unknown_object_is_left_to_the_watch(store: ObjectStore, recorder: Recorder) -> None:
    store.remember(item(1))
    assert (store.items, recorder.changes) == ({}, [])
