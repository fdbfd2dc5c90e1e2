"""The reflector over the double of the API server: each way in which a list or a watch ends, and what follows it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from reconciler.cache.consistency import ConsistencyCheck
from reconciler.cache.informer import Informer
from reconciler.cache.reflector import Restart
from reconciler.cache.running import run_all
from reconciler.cache.timeouts import InformerTimeouts
from reconciler.cache.watch_backoff import WatchBackoff
from reconciler.kube.resources import Object, Resource
from testing.apiserver.server import ApiServer
from urumi.errors import ClusterError, ClusterNotFound, ClusterUnreachable

pytestmark = pytest.mark.anyio

NAMESPACE = "shop"
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
PATIENCE_SECONDS = 20.0
TIMEOUTS = InformerTimeouts(page_size=2, short_seconds=0.0, first_wait_seconds=0.001, longest_wait_seconds=0.002)
FOREVER_SECONDS = 3600.0


@pytest.fixture
def server() -> ApiServer:
    """A server with one namespace."""
    return ApiServer(NAMESPACE)


@contextlib.asynccontextmanager
async def watching(server: ApiServer, timeouts: InformerTimeouts = TIMEOUTS) -> AsyncIterator[Informer]:
    """Run an informer that has an open watch."""
    informer = Informer(server, CONFIG_MAPS, namespace=NAMESPACE, timeouts=timeouts)
    task = asyncio.create_task(informer.run())
    try:
        await until(lambda: server.open_watches == 1)
        yield informer
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.001)


async def put(server: ApiServer, name: str, value: str = "1") -> Object:
    """Write a ConfigMap as another client."""
    item = {"metadata": {"name": name}, "data": {"key": value}}
    return await server.as_manager("kubectl").apply(CONFIG_MAPS, item, namespace=NAMESPACE)


def lists(server: ApiServer) -> int:
    """Return how many pages were requested."""
    return sum(call[0] == "list_page" for call in server.calls)


def watches(server: ApiServer) -> int:
    """Return how many watches were requested."""
    return sum(call[0] == "watch" for call in server.calls)


async def test_all_pages_are_listed_before_the_informer_is_synced(server: ApiServer) -> None:
    for name in "abcde":
        await put(server, name)
    async with watching(server) as informer:
        assert informer.synced.is_set()
        assert sorted(informer.in_namespace(NAMESPACE)) == list("abcde")
    assert lists(server) == 3


async def test_a_stream_that_ends_cleanly_is_continued_without_a_list(server: ApiServer) -> None:
    async with watching(server) as informer:
        server.end_watches()
        await put(server, "a")
        await until(lambda: informer.get("a", NAMESPACE) is not None)
        assert informer.restarts == {Restart.ENDED: 1}
    assert (lists(server), watches(server)) == (1, 2)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ClusterError("down", status=500), Restart.FAILED),
        (ClusterError("no", status=401), Restart.UNAUTHORIZED),
        (ClusterError("no", status=403), Restart.REFUSED),
        (ClusterNotFound("no"), Restart.REFUSED),
        (ClusterError("later", status=429), Restart.THROTTLED),
        (ClusterError("html", status=200), Restart.MALFORMED),
        (ClusterUnreachable("refused"), Restart.UNREACHABLE),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value.status),
)
async def test_an_error_is_counted_by_its_reason_and_retried(
    server: ApiServer, error: ClusterError, reason: Restart
) -> None:
    server.fail("watch", CONFIG_MAPS, error)
    async with watching(server) as informer:
        assert informer.restarts == {reason: 1}
        assert informer.last_error.startswith(f"{error.message}.")
        assert informer.disconnected_seconds() == 0
        await put(server, "a")
        await until(lambda: informer.get("a", NAMESPACE) is not None)
        assert informer.last_error == ""
    assert lists(server) == 1


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (ClusterError("no", status=401), "no. Check the kubeconfig or the service account"),
        (ClusterError("no", status=403), "it has to list and watch configmaps"),
        (ClusterNotFound("no"), "does not serve configmaps of v1"),
    ],
    ids=["401", "403", "404"],
)
async def test_a_refused_list_is_reported_with_a_hint(server: ApiServer, error: ClusterError, hint: str) -> None:
    server.fail("list_page", CONFIG_MAPS, error, times=10_000)
    informer = Informer(server, CONFIG_MAPS, namespace=NAMESPACE, timeouts=TIMEOUTS)
    task = asyncio.create_task(informer.run())
    await until(lambda: hint in informer.last_error)
    assert not informer.synced.is_set()
    assert informer.disconnected_seconds() > 0
    task.cancel()
    await asyncio.wait([task])


async def test_an_expired_version_leads_to_a_list(server: ApiServer) -> None:
    async def write_and_compact() -> None:
        await put(server, "a")
        server.compact()

    async with watching(server) as informer:
        server.before("watch", CONFIG_MAPS, write_and_compact)
        server.end_watches()
        await until(lambda: informer.get("a", NAMESPACE) is not None)
        assert informer.restarts == {Restart.ENDED: 1, Restart.EXPIRED: 1}
    assert lists(server) == 2


@pytest.mark.parametrize("method", ["watch", "list_page"])
async def test_a_410_leads_to_a_list(server: ApiServer, method: str) -> None:
    server.fail(method, CONFIG_MAPS, ClusterError("too old", status=410))
    async with watching(server) as informer:
        assert informer.restarts == {Restart.EXPIRED: 1}
    assert lists(server) == 2


async def test_a_list_whose_continue_token_expired_starts_again(server: ApiServer) -> None:
    for name in "abc":
        await put(server, name)

    async def compact() -> None:
        server.compact()

    async def pass_first() -> None:
        server.before("list_page", CONFIG_MAPS, compact)

    server.before("list_page", CONFIG_MAPS, pass_first)
    async with watching(server) as informer:
        assert informer.restarts == {Restart.EXPIRED: 1}
        assert sorted(informer.in_namespace(NAMESPACE)) == list("abc")


async def test_a_silent_stream_is_replaced_by_a_list(server: ApiServer) -> None:
    timeouts = InformerTimeouts(silence_seconds=0.05, short_seconds=0.0, first_wait_seconds=0.001)
    async with watching(server, timeouts) as informer:
        await until(lambda: watches(server) == 2)
        assert informer.restarts == {Restart.SILENT: 1}
        assert lists(server) == 2


async def test_bookmarks_are_responses_and_old_lines_are_not(server: ApiServer) -> None:
    await put(server, "a")
    async with watching(server) as informer:
        first = informer._reflector._last_response_at
        server.send_bookmarks()
        await until(lambda: informer._reflector._last_response_at > first)
        second = informer._reflector._last_response_at
        server.send_line(b'{"type":"DELETED","object":{"metadata":{"name":"a","uid":"1","resourceVersion":"1"}}}\n')
        await put(server, "b")
        await until(lambda: informer.get("b", NAMESPACE) is not None)
        assert informer.get("a", NAMESPACE) is not None
        assert informer._reflector._last_response_at > second


async def test_a_malformed_line_ends_the_stream(server: ApiServer) -> None:
    async with watching(server) as informer:
        server.send_line(b"<html>\n")
        await until(lambda: informer.restarts[Restart.MALFORMED] == 1)
        await until(lambda: server.open_watches == 1)
        assert "<html>" in informer.last_error


@pytest.mark.parametrize(("status", "expected_lists"), [(500, 2), (429, 1)])
async def test_every_third_failure_leads_to_a_list_unless_the_server_is_overloaded(
    server: ApiServer, status: int, expected_lists: int
) -> None:
    server.fail("watch", CONFIG_MAPS, ClusterError("no", status=status), times=4)
    async with watching(server):
        assert lists(server) == expected_lists


async def test_an_invalidated_copy_is_listed_again(server: ApiServer) -> None:
    await put(server, "a")
    async with watching(server) as informer:
        informer._store.items.clear()
        informer.invalidate()
        await until(lambda: informer.get("a", NAMESPACE) is not None)
        assert informer.restarts == {Restart.INVALIDATED: 1}


async def test_until_is_evaluated_after_every_response(server: ApiServer) -> None:
    async with watching(server) as informer:
        waiting = asyncio.create_task(informer.until(lambda: informer.get("a", NAMESPACE) is not None))
        await put(server, "a")
        await asyncio.wait_for(waiting, PATIENCE_SECONDS)


@pytest.fixture
def long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait lasts an hour, except for that after a first failure."""
    monkeypatch.setattr(WatchBackoff, "wait_seconds", lambda self, error: FOREVER_SECONDS)


@pytest.mark.usefixtures("long_waits")
async def test_the_end_of_an_outage_shortens_the_wait_once(server: ApiServer) -> None:
    async with watching(server) as informer:
        server.fail("watch", CONFIG_MAPS, ClusterUnreachable("refused"), times=2)
        server.outage.call_failed("refused")
        server.end_watches(ClusterUnreachable("refused"))
        await until(lambda: informer.restarts[Restart.UNREACHABLE] == 1)
        assert watches(server) == 1
        await server.get(CONFIG_MAPS, "a", NAMESPACE)
        await until(lambda: informer.restarts[Restart.UNREACHABLE] == 2)
        await server.get(CONFIG_MAPS, "a", NAMESPACE)
        for _ in range(20):
            await asyncio.sleep(TIMEOUTS.first_wait_seconds)
        assert informer.restarts[Restart.UNREACHABLE] == 2, "the second wait is not shortened"


async def test_a_consistency_check_counts_an_object_that_is_missing(server: ApiServer) -> None:
    await put(server, "a")
    async with watching(server) as informer:
        check = ConsistencyCheck(informer)
        assert await check.check() == []
        informer._store.items.clear()
        assert await check.check() == [(NAMESPACE, "a")]
        assert informer.mismatches == 1
        await until(lambda: informer.get("a", NAMESPACE) is not None)


async def test_a_consistency_check_waits_for_the_watch(server: ApiServer) -> None:
    async def write() -> None:
        await put(server, "a")

    async with watching(server) as informer:
        # The list includes the object before the informer has read its event.
        server.before("list_page", CONFIG_MAPS, write)
        assert await ConsistencyCheck(informer).check() == []
        assert informer.get("a", NAMESPACE) is not None


async def test_an_object_deleted_during_a_check_is_not_a_mismatch(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(server, "a")
    async with watching(server) as informer:
        list_first = informer.listed

        async def list_then_delete(
            keep: Callable[[Object], int], *, metadata_only: bool
        ) -> tuple[dict[tuple[str, str], int], str]:
            found = await list_first(keep, metadata_only=metadata_only)
            await server.as_manager("kubectl").delete(CONFIG_MAPS, "a", NAMESPACE)
            await until(lambda: informer.get("a", NAMESPACE) is None)
            return found

        monkeypatch.setattr(informer, "listed", list_then_delete)
        assert await ConsistencyCheck(informer).check() == []


async def test_consistency_checks_run_at_intervals_and_survive_errors(server: ApiServer) -> None:
    timeouts = InformerTimeouts(check_seconds=(0.001, 0.002))
    informer = Informer(server, CONFIG_MAPS, namespace=NAMESPACE, timeouts=timeouts)
    task = asyncio.create_task(run_all([informer]))
    await until(informer.synced.is_set)
    server.fail("list_page", CONFIG_MAPS, ClusterError("down", status=500), times=2)
    before = lists(server)
    await until(lambda: lists(server) >= before + 4)
    assert informer.mismatches == 0
    assert not task.done()
    task.cancel()
    await asyncio.wait([task])


async def test_an_error_in_a_handler_ends_all_informers(server: ApiServer) -> None:
    def fail(before: Object | None, after: Object | None) -> None:
        raise RuntimeError("a defect in a handler")

    await put(server, "a")
    informer = Informer(server, CONFIG_MAPS, namespace=NAMESPACE)
    informer.on_change(fail)
    with pytest.RaisesGroup(RuntimeError):
        await run_all([informer])
