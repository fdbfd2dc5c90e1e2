"""The recorder over the double of the API server: what becomes an Event, what joins a series, what is dropped."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from reconciler.kube import event_recorder as module
from reconciler.kube.event_recorder import BURST, EVENTS, MAX_NOTE_CHARACTERS, Recorder
from reconciler.kube.resources import STORES, Object
from testing.apiserver.server import ApiServer
from urumi.errors import ClusterError

pytestmark = pytest.mark.anyio

NAMESPACE = "store-platform"
PATIENCE_SECONDS = 20.0


def event(kind: str = "Ready", message: str = "the store is ready", *, level: str = "info") -> Object:
    """Return an event of a timeline."""
    return {"type": kind, "message": message, "level": level, "step": "readiness"}


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0)


async def written(server: ApiServer, calls: int) -> None:
    """Wait until the calls have taken effect: each is listed one turn of the event loop earlier."""
    await until(lambda: len(server.calls) == calls)
    await asyncio.sleep(0)


@pytest.fixture
def server() -> ApiServer:
    """A server with the platform namespace."""
    return ApiServer(NAMESPACE)


@pytest.fixture
async def store(server: ApiServer) -> Object:
    """A store."""
    item = {"metadata": {"name": "shop-1"}, "spec": {"storeId": "shop-1"}}
    return await server.as_manager("test").create(STORES, item, NAMESPACE)


@contextlib.asynccontextmanager
async def running(server: ApiServer, may_write: Callable[[], bool] = lambda: True) -> AsyncIterator[Recorder]:
    """Run a recorder."""
    recorder = Recorder(server, may_write)
    task = asyncio.create_task(recorder.run())
    yield recorder
    task.cancel()
    await asyncio.wait([task])


async def events(server: ApiServer) -> list[Any]:
    """Return the Events of the platform namespace."""
    page = await server.as_manager("test").list_page(EVENTS, NAMESPACE, {}, metadata_only=False)
    return list(page["items"])


async def test_an_event_of_the_timeline_becomes_an_event_about_the_store(server: ApiServer, store: Object) -> None:
    async with running(server) as recorder:
        recorder.record(store, event("Failed", "x" * 2000, level="error"))
        await written(server, 1)
    (found,) = await events(server)
    assert found["metadata"]["name"].startswith("shop-1-")
    assert (found["type"], found["reason"], found["action"]) == ("Warning", "Failed", "readiness")
    assert found["note"] == "x" * MAX_NOTE_CHARACTERS
    assert found["regarding"]["uid"] == store["metadata"]["uid"]


async def test_an_equal_event_is_counted_in_the_series_of_the_first(server: ApiServer, store: Object) -> None:
    async with running(server) as recorder:
        for _ in range(3):
            recorder.record(store, event())
        await written(server, 3)
    (found,) = await events(server)
    assert found["series"]["count"] == 3


async def test_an_equal_event_long_after_the_first_is_a_new_one(
    server: ApiServer, store: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SERIES_SECONDS", -1.0)
    async with running(server) as recorder:
        for _ in range(2):
            recorder.record(store, event())
        await written(server, 2)
    assert len(await events(server)) == 2


async def test_an_info_event_of_a_single_step_is_left_to_the_timeline(server: ApiServer, store: Object) -> None:
    async with running(server) as recorder:
        recorder.record(store, event("NamespaceReady"))
        recorder.record(store, event())
        await written(server, 1)
    assert [found["reason"] for found in await events(server)] == ["Ready"]
    assert recorder.dropped == 0


async def test_a_store_may_write_a_burst_and_the_rest_is_dropped(server: ApiServer, store: Object) -> None:
    async with running(server) as recorder:
        for number in range(BURST + 5):
            recorder.record(store, event(message=str(number)))
        assert recorder.dropped == 5
        recorder.forget(store["metadata"]["uid"])
        recorder.record(store, event(message="a store that was created again"))
        await written(server, BURST + 1)
    assert recorder.dropped == 5


async def test_a_full_queue_drops_events(server: ApiServer, store: Object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_LENGTH", 1)
    recorder = Recorder(server, lambda: True)
    recorder.record(store, event())
    recorder.record(store, event())
    assert recorder.dropped == 1


async def test_an_event_that_the_api_server_refuses_is_dropped_and_the_next_is_written(
    server: ApiServer, store: Object
) -> None:
    server.fail("create", EVENTS, ClusterError("events is forbidden", status=403))
    async with running(server) as recorder:
        recorder.record(store, event(message="first"))
        recorder.record(store, event(message="second"))
        await written(server, 2)
    assert recorder.dropped == 1
    assert [found["note"] for found in await events(server)] == ["second"]


async def test_a_process_that_does_not_lead_writes_nothing(server: ApiServer, store: Object) -> None:
    is_leading = False
    async with running(server, lambda: is_leading) as recorder:
        recorder.record(store, event(message="first"))
        await until(lambda: not recorder._queue)
        is_leading = True
        recorder.record(store, event(message="second"))
        await written(server, 1)
    assert [found["note"] for found in await events(server)] == ["second"]


async def test_the_number_of_remembered_series_is_limited(
    server: ApiServer, store: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_SERIES", 1)
    async with running(server) as recorder:
        for message in ("a", "b", "a"):
            recorder.record(store, event(message=message))
        await written(server, 3)
    assert sorted(found["note"] for found in await events(server)) == ["a", "a", "b"]
