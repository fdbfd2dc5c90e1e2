"""An informer on the real API server: copy, dispatch and consistency check; its faults are in tests/faults."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.local.cluster import ClusterInfo
from reconciler.cache.consistency import ConsistencyCheck
from reconciler.cache.informer import Informer
from reconciler.cache.reflector import Restart
from reconciler.cache.running import run_all
from reconciler.cache.timeouts import InformerTimeouts
from reconciler.cache.watch_backoff import WatchBackoff
from reconciler.kube.client import Kube
from reconciler.kube.resources import NAMESPACES, Object
from testing.faults.call import later_pages, lists, watches
from testing.faults.proxy import ApiProxy
from testing.faults.writer import CONFIG_MAPS, SELECTOR, Writer

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 30.0


class Recorder:
    """Records the calls of a handler as (name, value before, value after)."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, str, str]] = []

    def __call__(self, before: Object | None, after: Object | None) -> None:
        """Record a change."""
        changed = after or before or {}
        self.changes.append((changed["metadata"]["name"], value_of(before), value_of(after)))


def value_of(item: Object | None) -> str:
    """Return the value in a ConfigMap of these tests."""
    return "" if item is None else str((item.get("data") or {}).get("value", ""))


@pytest.fixture
async def kube(local_cluster: ClusterInfo) -> AsyncIterator[Kube]:
    """The API."""
    kube = await Kube.connect(local_cluster.kubeconfig)
    yield kube
    await kube.close()


@pytest.fixture
async def namespace(kube: Kube) -> str:
    """A namespace in which the controllers have created their ConfigMap."""
    name = f"informer-{secrets.token_hex(4)}"
    await kube.apply(NAMESPACES, {"metadata": {"name": name}})
    await until_there(lambda: kube.get(CONFIG_MAPS, "kube-root-ca.crt", name))
    return name


async def until_there(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait until a lookup finds something."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():
            pass


async def until(informer: Informer, condition: Callable[[], bool]) -> None:
    """Wait for a condition; it is evaluated after every change of the informer."""
    changed = asyncio.Event()
    informer.on_change(lambda before, after: changed.set())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await changed.wait()
            changed.clear()


@contextlib.asynccontextmanager
async def running(informer: Informer) -> AsyncIterator[Informer]:
    """Run an informer that has listed once."""
    task = asyncio.create_task(informer.run())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await informer.synced.wait()
        yield informer
    finally:
        task.cancel()
        await asyncio.wait([task])


async def put(kube: Kube, namespace: str, name: str, value: str) -> Object:
    """Write a ConfigMap that matches the selector of these tests."""
    label, _, picked = SELECTOR.partition("=")
    item = {"metadata": {"name": name, "labels": {label: picked}}, "data": {"value": value}}
    return await kube.apply(CONFIG_MAPS, item, namespace=namespace)


async def test_handlers_get_the_object_before_and_after_a_change(kube: Kube, namespace: str) -> None:
    informer, recorder = Informer(kube, CONFIG_MAPS, namespace=namespace, selector=SELECTOR), Recorder()
    informer.on_change(recorder)
    await put(kube, namespace, "a", "1")
    async with running(informer):
        await put(kube, namespace, "a", "2")
        await until(informer, lambda: value_of(informer.get("a", namespace)) == "2")
        await kube.delete(CONFIG_MAPS, "a", namespace)
        await until(informer, lambda: informer.get("a", namespace) is None)
    assert recorder.changes == [("a", "", "1"), ("a", "1", "2"), ("a", "2", "")]
    assert informer.in_namespace(namespace) == {}


async def test_the_copy_holds_no_managed_fields(kube: Kube, namespace: str) -> None:
    await put(kube, namespace, "listed", "1")
    async with running(Informer(kube, CONFIG_MAPS, namespace=namespace, selector=SELECTOR)) as informer:
        await put(kube, namespace, "watched", "1")
        await until(informer, lambda: informer.get("watched", namespace) is not None)
        assert [item for item in informer.items.values() if "managedFields" in item["metadata"]] == []


async def test_an_object_recreated_between_two_watches_is_dispatched_as_deleted_and_new(
    kube: Kube, namespace: str
) -> None:
    informer, recorder = Informer(kube, CONFIG_MAPS, namespace=namespace, selector=SELECTOR), Recorder()
    await put(kube, namespace, "again", "1")
    await put(kube, namespace, "gone", "1")
    async with running(informer):
        pass
    informer.on_change(recorder)
    for name in ("again", "gone"):
        await kube.delete(CONFIG_MAPS, name, namespace)
    await put(kube, namespace, "again", "2")
    informer.invalidate()
    async with running(informer):
        await until(informer, lambda: value_of(informer.get("again", namespace)) == "2")
    assert sorted(recorder.changes[:2]) == [("again", "1", ""), ("gone", "1", "")]
    assert recorder.changes[2:] == [("again", "", "2")]


async def test_a_remembered_write_is_dispatched_at_once_and_only_once(kube: Kube, namespace: str) -> None:
    informer, recorder = Informer(kube, CONFIG_MAPS, namespace=namespace), Recorder()
    await put(kube, namespace, "a", "1")
    async with running(informer):
        informer.on_change(recorder)
        informer.remember(await put(kube, namespace, "a", "2"))
        assert value_of(informer.get("a", namespace)) == "2"
        await put(kube, namespace, "b", "1")
        await until(informer, lambda: informer.get("b", namespace) is not None)
    assert recorder.changes == [("a", "1", "2"), ("b", "", "1")]


async def test_a_remembered_write_survives_a_list_that_began_before_it(
    local_cluster: ClusterInfo, kube: Kube, namespace: str, tmp_path: Path
) -> None:
    for number in range(6):
        await put(kube, namespace, f"map-{number}", "1")
    with ApiProxy(local_cluster, tmp_path) as proxy:
        behind = await Kube.connect(proxy.cluster.kubeconfig)
        informer, recorder = (
            Informer(behind, CONFIG_MAPS, namespace=namespace, timeouts=InformerTimeouts(page_size=2)),
            Recorder(),
        )
        async with running(informer):
            informer.on_change(recorder)
            with proxy.black_hole(later_pages):
                seen = time.monotonic()
                informer.invalidate()
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await asyncio.to_thread(proxy.wait_for_call, later_pages, seen)
                informer.remember(await put(kube, namespace, "map-0", "2"))
            await put(kube, namespace, "map-0", "3")
            await until(informer, lambda: value_of(informer.get("map-0", namespace)) == "3")
        await behind.close()
    assert recorder.changes == [("map-0", "1", "2"), ("map-0", "2", "3")]


async def test_a_consistency_check_finds_nothing_while_everything_changes(kube: Kube, namespace: str) -> None:
    writer = Writer(kube, namespace, seed="consistency")
    await writer.fill()
    async with running(Informer(kube, CONFIG_MAPS, namespace=namespace, selector=SELECTOR)) as informer:
        check = ConsistencyCheck(informer)
        for _ in range(15):
            _, *found = await asyncio.gather(writer.write(), check.check(), writer.write(), writer.write())
            assert found[0] == []
        assert informer.mismatches == 0


def names(informer: Informer) -> set[str]:
    """Return the names in the copy."""
    return {name for _, name in informer.items}


def lose(informer: Informer, key: tuple[str, str]) -> None:
    """Remove an object from the copy."""
    del informer.items[key]


def age(informer: Informer, key: tuple[str, str]) -> None:
    """Put an old version of an object into the copy."""
    item = informer.items[key]
    informer.items[key] = {**item, "metadata": {**item["metadata"], "resourceVersion": "1"}}


def add_absent(informer: Informer, key: tuple[str, str]) -> None:
    """Put an object into the copy that does not exist."""
    item = informer.items[key]
    ghost = {**item, "metadata": {**item["metadata"], "name": "ghost", "resourceVersion": "1"}}
    informer.items[key[0], "ghost"] = informer._store._by_namespace[key[0]]["ghost"] = ghost


@pytest.mark.parametrize(("sabotage", "name"), [(lose, "a"), (age, "a"), (add_absent, "ghost")])
async def test_a_consistency_check_finds_a_wrong_copy_and_a_new_list_corrects_it(
    kube: Kube, namespace: str, sabotage: Callable[[Informer, tuple[str, str]], None], name: str
) -> None:
    await put(kube, namespace, "a", "1")
    async with running(Informer(kube, CONFIG_MAPS, namespace=namespace, selector=SELECTOR)) as informer:
        before = informer.items[namespace, "a"]
        sabotage(informer, (namespace, "a"))
        checking = asyncio.create_task(ConsistencyCheck(informer).check())
        # A change moves the watch past the version of the list; otherwise a bookmark does, within a minute.
        writes = 0
        while not checking.done():
            writes += 1
            await put(kube, namespace, "other", str(writes))
        assert await checking == [(namespace, name)]
        assert informer.mismatches == 1
        await until(informer, lambda: informer.get("a", namespace) == before and names(informer) == {"a", "other"})
        assert informer.restarts[Restart.INVALIDATED] == 1


async def test_consistency_checks_run_at_intervals_and_are_skipped_while_the_api_server_is_away(
    local_cluster: ClusterInfo, namespace: str, tmp_path: Path
) -> None:
    with ApiProxy(local_cluster, tmp_path) as proxy:
        kube = await Kube.connect(proxy.cluster.kubeconfig)
        informer = Informer(
            kube, CONFIG_MAPS, namespace=namespace, timeouts=InformerTimeouts(check_seconds=(0.05, 0.1))
        )
        task = asyncio.create_task(run_all([informer]))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await informer.synced.wait()
            for fault in (proxy.delaying(0.0), proxy.cutting(lists), proxy.delaying(0.0)):
                with fault:
                    await asyncio.to_thread(proxy.wait_for_call, lists, time.monotonic())
        assert informer.mismatches == 0
        assert not task.done()
        task.cancel()
        await asyncio.wait([task])
        await kube.close()


async def test_an_error_in_a_handler_ends_all_informers(kube: Kube, namespace: str) -> None:
    def fail(before: Any, after: Any) -> None:
        raise RuntimeError("a defect in a handler")

    informer = Informer(kube, CONFIG_MAPS, namespace=namespace)
    informer.on_change(fail)
    with pytest.RaisesGroup(RuntimeError):
        await run_all([informer])


@pytest.fixture
async def long_backoff(
    local_cluster: ClusterInfo, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[ApiProxy, Kube, Informer]]:
    """An informer that watches, with a backoff of an hour."""
    monkeypatch.setattr(WatchBackoff, "wait_seconds", lambda self, error: 3600.0)
    with ApiProxy(local_cluster, tmp_path) as proxy:
        kube = await Kube.connect(proxy.cluster.kubeconfig)
        async with running(Informer(kube, CONFIG_MAPS, namespace=namespace)) as informer:
            await until_true(lambda: informer.disconnected_seconds() == 0)
            yield proxy, kube, informer
        await kube.close()


async def test_the_informer_retries_when_another_call_ends_the_outage(
    long_backoff: tuple[ApiProxy, Kube, Informer], namespace: str
) -> None:
    proxy, kube, informer = long_backoff
    with proxy.cutting():
        await until_true(lambda: informer.restarts[Restart.UNREACHABLE] == 1)
        assert informer.disconnected_seconds() > 0
    await put(kube, namespace, "a", "1")
    await until(informer, lambda: informer.get("a", namespace) is not None)
    assert informer.disconnected_seconds() == 0


@pytest.mark.parametrize(("status", "reason"), [(429, Restart.THROTTLED), (410, Restart.EXPIRED)])
async def test_after_an_outage_a_server_that_is_not_ready_is_retried_after_a_first_wait(
    local_cluster: ClusterInfo,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    reason: Restart,
) -> None:
    monkeypatch.setattr(WatchBackoff, "wait_seconds", lambda self, error: 0.2 if self.failures == 1 else 3600.0)
    with ApiProxy(local_cluster, tmp_path) as proxy:
        kube = await Kube.connect(proxy.cluster.kubeconfig)
        async with running(Informer(kube, CONFIG_MAPS, namespace=namespace)) as informer:
            await until_true(lambda: informer.disconnected_seconds() == 0)
            with proxy.cutting():
                await until_true(lambda: informer.restarts[Restart.UNREACHABLE] == 2)
            with proxy.answering(status, only=watches):
                await put(kube, namespace, "a", "1")
                await until_true(lambda: informer.restarts[reason] == 1)
            await until(informer, lambda: informer.get("a", namespace) is not None)
        await kube.close()


async def test_an_informer_without_responses_of_its_own_retries_once_and_then_waits(
    long_backoff: tuple[ApiProxy, Kube, Informer], namespace: str
) -> None:
    proxy, kube, informer = long_backoff
    with proxy.cutting(watches):
        await until_true(lambda: informer.restarts[Restart.UNREACHABLE] == 1)
        await put(kube, namespace, "a", "1")
        await until_true(lambda: informer.restarts[Restart.UNREACHABLE] == 2)
        await put(kube, namespace, "a", "2")
        # Longer than a first wait, after which it would have retried.
        await asyncio.sleep(2 * informer.timeouts.first_wait_seconds)
        assert informer.restarts[Restart.UNREACHABLE] == 2
        assert not kube.outage.reason


async def until_true(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)
