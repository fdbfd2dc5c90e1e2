"""The double of the API server: the shared semantics, and the faults that it injects."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from reconciler.cache.informer import Informer
from reconciler.kube.client import Kube
from reconciler.kube.resources import SECRETS, STORES, Object, Resource
from reconciler.kube.warnings import warnings_about
from reconciler.store.inventory import ownership
from testing.apiserver.server import ApiServer
from tests.testing.semantics import CONFIG_MAPS, ApiSemantics, Edit, config_map, store
from urumi.errors import ClusterError, ClusterUnreachable

pytestmark = pytest.mark.anyio

NAMESPACE = "shop"
EVENTS = Resource("events.k8s.io", "v1", "events", "Event")


@pytest.fixture
def server() -> ApiServer:
    """A server with one namespace."""
    return ApiServer(NAMESPACE)


@pytest.fixture
def kube(server: ApiServer) -> Kube:
    """The double, for the shared tests."""
    return server


@pytest.fixture
def namespace() -> str:
    """The namespace that the double starts with."""
    return NAMESPACE


@pytest.fixture
def edit(server: ApiServer) -> Edit:
    """Patches an object as another client."""

    async def patch(resource: Resource, name: str, change: Object, namespace: str) -> None:
        await server.as_manager("kubectl-patch").merge(resource, name, change, namespace)

    return patch


class TestDouble(ApiSemantics):
    """The shared tests against the double."""


async def test_the_next_calls_of_a_method_fail_and_no_others(server: ApiServer) -> None:
    server.fail("create", SECRETS, ClusterError("try later", status=503), times=2)
    await server.create(CONFIG_MAPS, config_map("a"), NAMESPACE)
    for _ in range(2):
        with pytest.raises(ClusterError, match="try later"):
            await server.create(SECRETS, config_map("a"), NAMESPACE)
    assert await server.get(SECRETS, "a", NAMESPACE) is None
    await server.create(SECRETS, config_map("a"), NAMESPACE)


async def test_a_call_whose_answer_is_lost_took_effect(server: ApiServer) -> None:
    server.fail("create", None, ClusterUnreachable("no answer"), takes_effect=True)
    with pytest.raises(ClusterUnreachable):
        await server.create(SECRETS, config_map("a"), NAMESPACE)
    assert server.outage.reason == "no answer"
    assert await server.get(SECRETS, "a", NAMESPACE) is not None
    assert server.outage.reason == ""


async def test_another_client_writes_before_a_call(server: ApiServer) -> None:
    made = await server.create(STORES, store("a"), NAMESPACE)

    async def edit() -> None:
        await server.as_manager("kubectl").merge(STORES, "a", {"metadata": {"labels": {"a": "b"}}}, NAMESPACE)

    server.before("replace_status", STORES, edit)
    with pytest.raises(ClusterError) as refused:
        await server.replace_status(STORES, made, {"phase": "Pending"})
    assert refused.value.status == 409
    assert server.calls == [("create", "stores", "a"), ("replace_status", "stores", "a")]


async def test_another_manager_owns_what_it_writes(server: ApiServer) -> None:
    made = await server.as_manager("helm").apply(CONFIG_MAPS, config_map("a", key="1"), namespace=NAMESPACE)
    assert ownership(made).startswith("helm:")


async def test_a_returned_object_is_a_copy(server: ApiServer) -> None:
    made = await server.create(CONFIG_MAPS, config_map("a", key="1"), NAMESPACE)
    made["data"]["key"] = "2"
    found = await server.get(CONFIG_MAPS, "a", NAMESPACE)
    assert found is not None
    assert found["data"] == {"key": "1"}


async def test_warnings_are_selected_by_fields(server: ApiServer) -> None:
    regarding = {"kind": "Deployment", "name": "wordpress"}
    for kind, reason in (("Warning", "FailedScheduling"), ("Warning", "FailedCreate"), ("Normal", "Scaled")):
        event = {
            "metadata": {"generateName": "e-"},
            "type": kind,
            "reason": reason,
            "note": "why",
            "regarding": regarding,
        }
        await server.create(EVENTS, event, NAMESPACE)
    assert await warnings_about(server, NAMESPACE, ["wordpress"], ()) == {"wordpress": ("FailedCreate", "why")}


async def test_a_selector_that_the_double_does_not_support_is_refused(server: ApiServer) -> None:
    await server.create(CONFIG_MAPS, config_map("a"), NAMESPACE)
    with pytest.raises(ClusterError, match="does not support"):
        await server.list_page(CONFIG_MAPS, NAMESPACE, {"labelSelector": "a in (b)"}, metadata_only=False)


@pytest.fixture
async def informer(server: ApiServer) -> AsyncIterator[Informer]:
    """An informer that watches."""
    informer = Informer(server, CONFIG_MAPS, namespace=NAMESPACE)
    running = asyncio.create_task(informer.run())
    while not server.open_watches:
        await asyncio.sleep(0)
    yield informer
    running.cancel()
    await asyncio.wait([running])


async def test_an_informer_reads_bookmarks(server: ApiServer, informer: Informer) -> None:
    await server.create(SECRETS, config_map("a"), NAMESPACE)
    newest = int((await server.create(SECRETS, config_map("b"), NAMESPACE))["metadata"]["resourceVersion"])
    waiting = asyncio.create_task(informer.wait_for_version(newest))
    await asyncio.sleep(0)
    assert not waiting.done()
    server.send_bookmarks()
    await asyncio.wait_for(waiting, 5)


async def test_a_watch_from_a_compacted_version_is_expired(server: ApiServer) -> None:
    await server.create(CONFIG_MAPS, config_map("a"), NAMESPACE)
    server.compact()
    query = {"resourceVersion": "1"}
    async with server.watch(
        CONFIG_MAPS, NAMESPACE, query, metadata_only=False, answer_seconds=5, silence_seconds=5, total_seconds=5
    ) as lines:
        assert [b'"code": 410' in line async for line in lines] == [True]


async def test_a_watch_without_a_line_ends_with_an_error(server: ApiServer) -> None:
    async with server.watch(
        CONFIG_MAPS, NAMESPACE, {}, metadata_only=False, answer_seconds=5, silence_seconds=0.001, total_seconds=5
    ) as lines:
        with pytest.raises(ClusterUnreachable) as failed:
            await anext(aiter(lines))
    assert isinstance(failed.value.__cause__, TimeoutError)
    assert server.open_watches == 0


async def test_an_open_watch_sends_any_bytes_and_ends_with_an_error(server: ApiServer) -> None:
    async with server.watch(
        CONFIG_MAPS, NAMESPACE, {}, metadata_only=False, answer_seconds=5, silence_seconds=5, total_seconds=5
    ) as lines:
        server.send_line(b"garbage\n")
        server.end_watches(ClusterError("broken", status=500))
        each = aiter(lines)
        assert await anext(each) == b"garbage\n"
        with pytest.raises(ClusterError, match="broken"):
            await anext(each)
