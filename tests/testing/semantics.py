"""The behaviour of objects in the API server: tests that both the double and the real one pass.

A subclass runs them; its module has the fixtures `kube`, `namespace` and `edit`.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable

import pytest

from reconciler.cache.informer import Informer
from reconciler.kube.client import Kube
from reconciler.kube.resources import NAMESPACES, SECRETS, STORES, Object, Resource, is_deleting, uid_of
from reconciler.store.inventory import ownership
from urumi.errors import ClusterError

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
PATIENCE_SECONDS = 30.0

Edit = Callable[[Resource, str, Object, str], Awaitable[None]]
"""Merge-patches an object as another client."""


def config_map(name: str, **data: str) -> Object:
    """Return a ConfigMap."""
    return {"metadata": {"name": name}, "data": data}


def store(name: str) -> Object:
    """Return a Store."""
    return {
        "apiVersion": STORES.api_version,
        "kind": STORES.kind,
        "metadata": {"name": name},
        "spec": {"engine": "woocommerce", "storeId": name},
    }


def version(item: Object) -> int:
    """Return the resourceVersion."""
    return int(item["metadata"]["resourceVersion"])


def changed(item: Object, **data: str) -> Object:
    """Return a ConfigMap with other data."""
    return {**item, "data": data}


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():
            await asyncio.sleep(0.05)


@pytest.mark.anyio
class ApiSemantics:
    """The behaviour of objects that steps rely on."""

    async def test_only_a_write_that_changes_something_raises_the_version(self, kube: Kube, namespace: str) -> None:
        first = await kube.create(CONFIG_MAPS, config_map("a", key="1"), namespace)
        second = await kube.replace(CONFIG_MAPS, changed(first, key="2"))
        assert version(second) > version(first)
        same = await kube.merge(CONFIG_MAPS, "a", {"data": {"key": "2"}}, namespace)
        assert version(same) == version(second)
        assert (await kube.create(CONFIG_MAPS, config_map("b"), namespace))["metadata"]["uid"] != uid_of(first)

    async def test_an_object_that_is_created_again_has_another_uid(self, kube: Kube, namespace: str) -> None:
        first = await kube.create(CONFIG_MAPS, config_map("a"), namespace)
        assert await kube.delete(CONFIG_MAPS, "a", namespace)
        assert await kube.get(CONFIG_MAPS, "a", namespace) is None
        assert uid_of(await kube.create(CONFIG_MAPS, config_map("a"), namespace)) != uid_of(first)

    async def test_a_generated_name_begins_with_its_prefix(self, kube: Kube, namespace: str) -> None:
        made = await kube.create(CONFIG_MAPS, {"metadata": {"generateName": "a-"}}, namespace)
        assert made["metadata"]["name"].startswith("a-")
        assert len(made["metadata"]["name"]) == len("a-") + 5

    async def test_creating_what_exists_is_refused(self, kube: Kube, namespace: str) -> None:
        await kube.create(SECRETS, config_map("a"), namespace)
        with pytest.raises(ClusterError, match='secrets "a" already exists') as refused:
            await kube.create(SECRETS, config_map("a"), namespace)
        assert (refused.value.status, refused.value.reason) == (409, "AlreadyExists")

    async def test_an_absent_object_is_not_found(self, kube: Kube, namespace: str) -> None:
        assert await kube.get(STORES, "none", namespace) is None
        assert not await kube.delete(STORES, "none", namespace)
        with pytest.raises(ClusterError, match=r'stores.stores.urumi.ai "none" not found') as refused:
            await kube.merge(STORES, "none", {"metadata": {"labels": {"a": "b"}}}, namespace)
        assert (refused.value.status, refused.value.reason) == (404, "NotFound")
        with pytest.raises(ClusterError, match='namespaces "no-such" not found'):
            await kube.create(SECRETS, config_map("a"), "no-such")

    async def test_a_write_of_an_old_version_is_a_conflict(self, kube: Kube, namespace: str) -> None:
        old = await kube.create(STORES, store("abc"), namespace)
        await kube.merge(STORES, "abc", {"metadata": {"labels": {"new": "yes"}}}, namespace)
        stale = {"metadata": {"resourceVersion": old["metadata"]["resourceVersion"], "labels": {"new": "no"}}}
        writes: tuple[Callable[[], Awaitable[Object]], ...] = (
            lambda: kube.replace(STORES, {**old, "metadata": {**old["metadata"], "labels": {"new": "no"}}}),
            lambda: kube.merge(STORES, "abc", stale, namespace),
            lambda: kube.replace_status(STORES, old, {"phase": "Pending"}),
        )
        for write in writes:
            with pytest.raises(ClusterError, match=r'stores.stores.urumi.ai "abc".*has been modified') as refused:
                await write()
            assert (refused.value.status, refused.value.reason) == (409, "Conflict")

    async def test_a_status_of_another_object_of_that_name_is_refused(self, kube: Kube, namespace: str) -> None:
        old = await kube.create(STORES, store("abc"), namespace)
        await kube.delete(STORES, "abc", namespace)
        with pytest.raises(ClusterError) as refused:
            await kube.replace_status(STORES, old, {"phase": "Pending"})
        assert refused.value.status == 404
        await kube.create(STORES, store("abc"), namespace)
        with pytest.raises(ClusterError) as refused:
            await kube.replace_status(STORES, old, {"phase": "Pending"})
        assert refused.value.status == 409

    async def test_the_generation_counts_changes_of_the_spec(self, kube: Kube, namespace: str) -> None:
        made = await kube.create(STORES, {**store("abc"), "status": {"phase": "Ready"}}, namespace)
        assert (made["metadata"]["generation"], "status" in made) == (1, False)
        labelled = await kube.merge(STORES, "abc", {"metadata": {"labels": {"a": "b"}}}, namespace)
        written = await kube.replace_status(STORES, labelled, {"phase": "Pending"})
        assert (written["metadata"]["generation"], written["status"]) == (1, {"phase": "Pending"})
        edited = await kube.merge(STORES, "abc", {"spec": {"requestedBy": {"user": "ann"}}, "status": None}, namespace)
        assert (edited["metadata"]["generation"], edited["status"]) == (2, {"phase": "Pending"})

    async def test_a_status_write_changes_nothing_else(self, kube: Kube, namespace: str) -> None:
        made = await kube.create(STORES, store("abc"), namespace)
        edited = {**made, "spec": {**made["spec"], "requestedBy": {"user": "ann"}}}
        written = await kube.replace_status(STORES, edited, {"phase": "Pending"})
        assert written["spec"] == made["spec"]
        assert version(await kube.replace_status(STORES, written, {"phase": "Pending"})) == version(written)

    async def test_an_apply_removes_fields_that_its_writer_no_longer_applies_and_keeps_those_of_others(
        self, kube: Kube, namespace: str, edit: Edit
    ) -> None:
        first = {"metadata": {"name": "a", "labels": {"ours": "1"}}, "data": {"kept": "1", "dropped": "1"}}
        applied = await kube.apply(CONFIG_MAPS, first, namespace=namespace)
        assert version(await kube.apply(CONFIG_MAPS, first, namespace=namespace)) == version(applied)
        await edit(CONFIG_MAPS, "a", {"metadata": {"labels": {"theirs": "1"}}, "data": {"theirs": "1"}}, namespace)
        after = await kube.apply(CONFIG_MAPS, {**first, "data": {"kept": "2"}}, namespace=namespace)
        assert after["metadata"]["labels"] == {"ours": "1", "theirs": "1"}
        assert after["data"] == {"kept": "2", "theirs": "1"}

    async def test_the_mark_of_ownership_changes_only_when_another_writer_changes_a_field_of_ours(
        self, kube: Kube, namespace: str, edit: Edit
    ) -> None:
        intent = config_map("a", ours="1")

        async def mark() -> str:
            return ownership(await kube.get(CONFIG_MAPS, "a", namespace) or {"metadata": {}})

        applied = ownership(await kube.apply(CONFIG_MAPS, intent, namespace=namespace))
        assert applied.startswith("urumi:")
        await edit(CONFIG_MAPS, "a", {"data": {"theirs": "1"}}, namespace)
        assert await mark() == applied
        await edit(CONFIG_MAPS, "a", {"data": {"ours": "2"}}, namespace)
        assert await mark() != applied
        assert ownership(await kube.apply(CONFIG_MAPS, intent, namespace=namespace)) == applied

    async def test_an_object_with_a_finalizer_stays_until_it_is_removed(self, kube: Kube, namespace: str) -> None:
        finalizers = {"finalizers": ["stores.urumi.ai/one", "stores.urumi.ai/two"]}
        made = await kube.create(STORES, {**store("abc"), "metadata": {"name": "abc", **finalizers}}, namespace)
        assert await kube.delete(STORES, "abc", namespace)
        deleting = await kube.get(STORES, "abc", namespace)
        assert deleting is not None
        assert is_deleting(deleting)
        assert deleting["metadata"]["generation"] == made["metadata"]["generation"] + 1
        assert await kube.delete(STORES, "abc", namespace)
        again = await kube.get(STORES, "abc", namespace)
        assert again is not None
        assert version(again) == version(deleting)
        await kube.merge(STORES, "abc", {"metadata": {"finalizers": ["stores.urumi.ai/two"]}}, namespace)
        assert await kube.get(STORES, "abc", namespace) is not None
        await kube.merge(STORES, "abc", {"metadata": {"finalizers": []}}, namespace)
        assert await kube.get(STORES, "abc", namespace) is None

    async def test_a_delete_with_another_uid_is_refused(self, kube: Kube, namespace: str) -> None:
        made = await kube.create(CONFIG_MAPS, config_map("a"), namespace)
        with pytest.raises(ClusterError, match=r"UID in the precondition \(other\) does not match") as refused:
            await kube.delete(CONFIG_MAPS, "a", namespace, uid="other")
        assert (refused.value.status, refused.value.reason) == (409, "Conflict")
        assert await kube.delete(CONFIG_MAPS, "a", namespace, uid=uid_of(made))

    async def test_all_objects_of_a_kind_in_a_namespace_are_deleted(self, kube: Kube, namespace: str) -> None:
        await kube.create(SECRETS, config_map("a"), namespace)
        await kube.create(CONFIG_MAPS, config_map("a"), namespace)
        await kube.delete_all(SECRETS, namespace)
        assert await kube.get(SECRETS, "a", namespace) is None
        assert await kube.get(CONFIG_MAPS, "a", namespace) is not None

    async def test_a_deleted_namespace_refuses_creations_and_disappears_when_it_is_empty(
        self, kube: Kube, namespace: str
    ) -> None:
        held = {"metadata": {"name": "held", "finalizers": ["stores.urumi.ai/held"]}}
        await kube.create(SECRETS, held, namespace)
        await kube.create(SECRETS, {"metadata": {"name": "free"}}, namespace)
        await kube.delete(NAMESPACES, namespace)
        found = await kube.get(NAMESPACES, namespace)
        assert found is not None
        assert is_deleting(found)
        assert found["status"]["phase"] == "Terminating"
        late: Object = {"metadata": {"name": "late"}}
        writes: tuple[Callable[[], Awaitable[Object]], ...] = (
            lambda: kube.create(SECRETS, late, namespace),
            lambda: kube.apply(SECRETS, late, namespace=namespace),
        )
        for write in writes:
            with pytest.raises(ClusterError, match="being terminated") as refused:
                await write()
            assert (refused.value.status, refused.value.reason) == (403, "Forbidden")

        async def is_marked() -> bool:
            secret = await kube.get(SECRETS, "held", namespace)
            return secret is not None and is_deleting(secret)

        async def is_gone() -> bool:
            return await kube.get(NAMESPACES, namespace) is None

        await until(is_marked)
        assert not await is_gone()
        await kube.merge(SECRETS, "held", {"metadata": {"finalizers": None}}, namespace)
        await until(is_gone)
        assert await kube.get(SECRETS, "free", namespace) is None

    async def test_a_list_is_selected_reduced_and_paged(self, kube: Kube, namespace: str) -> None:
        for name in ("a", "b", "c"):
            item = config_map(name, key="1")
            item["metadata"]["labels"] = {"picked": "no" if name == "b" else "yes"}
            await kube.create(CONFIG_MAPS, item, namespace)
        query = {"labelSelector": "picked=yes", "limit": "1"}
        page = await kube.list_page(CONFIG_MAPS, namespace, query, metadata_only=True)
        assert [item["metadata"]["name"] for item in page["items"]] == ["a"]
        assert page["items"][0]["kind"] == "PartialObjectMetadata"
        assert "data" not in page["items"][0]
        await kube.delete(CONFIG_MAPS, "c", namespace)
        query = {"labelSelector": "picked=yes", "continue": page["metadata"]["continue"]}
        rest = await kube.list_page(CONFIG_MAPS, namespace, query, metadata_only=False)
        assert rest["metadata"]["resourceVersion"] == page["metadata"]["resourceVersion"]
        assert "continue" not in rest["metadata"]
        assert [(item["metadata"]["name"], "kind" in item) for item in rest["items"]] == [("c", False)]

    async def test_an_informer_follows_every_change(self, kube: Kube, namespace: str) -> None:
        seen: list[tuple[str, str]] = []

        def record(before: Object | None, after: Object | None) -> None:
            item = after or before or {}
            seen.append((item["metadata"]["name"], "gone" if after is None else after["data"]["key"]))

        async def have_seen() -> bool:
            return seen[-1:] == [("end", "1")]

        label = f"test-{secrets.token_hex(4)}"
        picked = {**config_map("a", key="1"), "metadata": {"name": "a", "labels": {label: ""}}}
        informer = Informer(kube, CONFIG_MAPS, namespace=namespace, selector=label)
        informer.on_change(record)
        await kube.create(CONFIG_MAPS, picked, namespace)
        running = asyncio.create_task(informer.run())
        try:
            await asyncio.wait_for(informer.synced.wait(), PATIENCE_SECONDS)
            await kube.merge(CONFIG_MAPS, "a", {"data": {"key": "2"}}, namespace)
            await kube.merge(CONFIG_MAPS, "a", {"metadata": {"labels": {label: None}}}, namespace)
            await kube.merge(CONFIG_MAPS, "a", {"data": {"key": "3"}}, namespace)
            await kube.merge(CONFIG_MAPS, "a", {"metadata": {"labels": {label: ""}}}, namespace)
            await kube.delete(CONFIG_MAPS, "a", namespace)
            end = {**config_map("end", key="1"), "metadata": {"name": "end", "labels": {label: ""}}}
            await kube.create(CONFIG_MAPS, end, namespace)
            await until(have_seen)
        finally:
            running.cancel()
            await asyncio.wait([running])
        assert seen == [("a", "1"), ("a", "2"), ("a", "gone"), ("a", "3"), ("a", "gone"), ("end", "1")]
