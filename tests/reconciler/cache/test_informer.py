"""An informer on the real API server: what it keeps, what it tells, its audit; its faults are in tests/faults."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.local import ClusterInfo
from reconciler.cache.consistency import Audit
from reconciler.cache.informer import Informer, Restart, run_all
from reconciler.cache.timing import Backoff, Pace
from reconciler.kube.client import Kube
from reconciler.kube.resources import NAMESPACES, Object
from testing.faults.call import later_pages, lists, watches
from testing.faults.proxy import ApiProxy
from testing.faults.writer import CONFIG_MAPS, SELECTOR, Writer

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 30.0


class Teller:
    """Remembers what a handler was told, as (name, what it was, what it is)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def __call__(self, before: Object | None, after: Object | None) -> None:
        """Take a change."""
        changed = after or before or {}
        self.told.append((changed["metadata"]["name"], value_of(before), value_of(after)))


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
    """A namespace whose own ConfigMap, made by the controllers, is there."""
    name = f"informer-{secrets.token_hex(4)}"
    await kube.apply(NAMESPACES, {"metadata": {"name": name}})
    await until_there(lambda: kube.get(CONFIG_MAPS, "kube-root-ca.crt", name))
    return name


async def until_there(look: Callable[[], Awaitable[object]]) -> None:
    """Ask until there is an answer."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await look():
            pass


async def until(informer: Informer, look: Callable[[], bool]) -> None:
    """Wait until something is so that changes of the informer make so."""
    changed = asyncio.Event()
    informer.on_change(lambda before, after: changed.set())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not look():
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
    """Write a ConfigMap that the selector of these tests picks."""
    label, _, picked = SELECTOR.partition("=")
    item = {"metadata": {"name": name, "labels": {label: picked}}, "data": {"value": value}}
    return await kube.apply(CONFIG_MAPS, item, namespace=namespace)


async def test_handlers_are_told_what_was_and_what_is(kube: Kube, namespace: str) -> None:
    informer, teller = Informer(kube, CONFIG_MAPS, namespace=namespace, selector=SELECTOR), Teller()
    informer.on_change(teller)
    await put(kube, namespace, "a", "1")
    async with running(informer):
        await put(kube, namespace, "a", "2")
        await until(informer, lambda: value_of(informer.get("a", namespace)) == "2")
        await kube.delete(CONFIG_MAPS, "a", namespace)
        await until(informer, lambda: informer.get("a", namespace) is None)
    assert teller.told == [("a", "", "1"), ("a", "1", "2"), ("a", "2", "")]
    assert informer.in_namespace(namespace) == {}


async def test_the_copy_holds_no_managed_fields(kube: Kube, namespace: str) -> None:
    await put(kube, namespace, "listed", "1")
    async with running(Informer(kube, CONFIG_MAPS, namespace=namespace, selector=SELECTOR)) as informer:
        await put(kube, namespace, "watched", "1")
        await until(informer, lambda: informer.get("watched", namespace) is not None)
        assert [item for item in informer.items.values() if "managedFields" in item["metadata"]] == []


async def test_what_was_made_again_while_nobody_watched_is_told_as_gone_and_new(kube: Kube, namespace: str) -> None:
    informer, teller = Informer(kube, CONFIG_MAPS, namespace=namespace, selector=SELECTOR), Teller()
    await put(kube, namespace, "again", "1")
    await put(kube, namespace, "gone", "1")
    async with running(informer):
        pass
    informer.on_change(teller)
    for name in ("again", "gone"):
        await kube.delete(CONFIG_MAPS, name, namespace)
    await put(kube, namespace, "again", "2")
    informer.invalidate()
    async with running(informer):
        await until(informer, lambda: value_of(informer.get("again", namespace)) == "2")
    assert sorted(teller.told[:2]) == [("again", "1", ""), ("gone", "1", "")]
    assert teller.told[2:] == [("again", "", "2")]


async def test_a_write_of_ours_is_known_before_the_watch_tells_it_and_told_once(kube: Kube, namespace: str) -> None:
    informer, teller = Informer(kube, CONFIG_MAPS, namespace=namespace), Teller()
    await put(kube, namespace, "a", "1")
    async with running(informer):
        informer.on_change(teller)
        informer.remember(await put(kube, namespace, "a", "2"))
        assert value_of(informer.get("a", namespace)) == "2"
        await put(kube, namespace, "b", "1")
        await until(informer, lambda: informer.get("b", namespace) is not None)
    assert teller.told == [("a", "1", "2"), ("b", "", "1")]


async def test_a_write_of_ours_outlives_a_list_that_began_before_it(
    local_cluster: ClusterInfo, kube: Kube, namespace: str, tmp_path: Path
) -> None:
    for number in range(6):
        await put(kube, namespace, f"map-{number}", "1")
    with ApiProxy(local_cluster, tmp_path) as proxy:
        behind = await Kube.connect(proxy.cluster.kubeconfig)
        informer, teller = Informer(behind, CONFIG_MAPS, namespace=namespace, pace=Pace(page_size=2)), Teller()
        async with running(informer):
            informer.on_change(teller)
            with proxy.black_hole(later_pages):
                seen = time.monotonic()
                informer.invalidate()
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await asyncio.to_thread(proxy.wait_for_call, later_pages, seen)
                informer.remember(await put(kube, namespace, "map-0", "2"))
            await put(kube, namespace, "map-0", "3")
            await until(informer, lambda: value_of(informer.get("map-0", namespace)) == "3")
        await behind.close()
    assert teller.told == [("map-0", "1", "2"), ("map-0", "2", "3")]


async def test_an_audit_finds_nothing_while_everything_changes(kube: Kube, namespace: str) -> None:
    writer = Writer(kube, namespace, seed="audit")
    await writer.fill()
    async with running(Informer(kube, CONFIG_MAPS, namespace=namespace, selector=SELECTOR)) as informer:
        audit = Audit(informer)
        for _ in range(15):
            _, *found = await asyncio.gather(writer.write(), audit.audit(), writer.write(), writer.write())
            assert found[0] == []
        assert informer.mismatches == 0


def names(informer: Informer) -> set[str]:
    """Return the names in the copy."""
    return {name for _, name in informer.items}


def lose(informer: Informer, key: tuple[str, str]) -> None:
    """Take an object out of the copy."""
    del informer.items[key]


def age(informer: Informer, key: tuple[str, str]) -> None:
    """Put an old version of an object into the copy."""
    item = informer.items[key]
    informer.items[key] = {**item, "metadata": {**item["metadata"], "resourceVersion": "1"}}


def haunt(informer: Informer, key: tuple[str, str]) -> None:
    """Put an object into the copy that is not there."""
    item = informer.items[key]
    ghost = {**item, "metadata": {**item["metadata"], "name": "ghost", "resourceVersion": "1"}}
    informer.items[key[0], "ghost"] = informer._by_namespace[key[0]]["ghost"] = ghost


@pytest.mark.parametrize(("sabotage", "name"), [(lose, "a"), (age, "a"), (haunt, "ghost")])
async def test_an_audit_finds_what_is_wrong_and_a_new_list_mends_it(
    kube: Kube, namespace: str, sabotage: Callable[[Informer, tuple[str, str]], None], name: str
) -> None:
    await put(kube, namespace, "a", "1")
    async with running(Informer(kube, CONFIG_MAPS, namespace=namespace, selector=SELECTOR)) as informer:
        before = informer.items[namespace, "a"]
        sabotage(informer, (namespace, "a"))
        auditing = asyncio.create_task(Audit(informer).audit())
        # A change moves the watch past the audit's list; otherwise a bookmark does, within a minute.
        writes = 0
        while not auditing.done():
            writes += 1
            await put(kube, namespace, "other", str(writes))
        assert await auditing == [(namespace, name)]
        assert informer.mismatches == 1
        await until(informer, lambda: informer.get("a", namespace) == before and names(informer) == {"a", "other"})
        assert informer.restarts[Restart.DISTRUSTED] == 1


async def test_audits_are_run_from_time_to_time_and_put_off_while_the_api_is_away(
    local_cluster: ClusterInfo, namespace: str, tmp_path: Path
) -> None:
    with ApiProxy(local_cluster, tmp_path) as proxy:
        kube = await Kube.connect(proxy.cluster.kubeconfig)
        informer = Informer(kube, CONFIG_MAPS, namespace=namespace, pace=Pace(audit_seconds=(0.05, 0.1)))
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


async def test_an_error_that_is_not_of_the_api_ends_all_informers(kube: Kube, namespace: str) -> None:
    def fail(before: Any, after: Any) -> None:
        raise RuntimeError("a defect in a handler")

    informer = Informer(kube, CONFIG_MAPS, namespace=namespace)
    informer.on_change(fail)
    with pytest.RaisesGroup(RuntimeError):
        await run_all([informer])


@pytest.fixture
async def patient(
    local_cluster: ClusterInfo, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[ApiProxy, Kube, Informer]]:
    """An informer that watches, and by itself would not ask again for an hour."""
    monkeypatch.setattr(Backoff, "wait_seconds", lambda self, error: 3600.0)
    with ApiProxy(local_cluster, tmp_path) as proxy:
        kube = await Kube.connect(proxy.cluster.kubeconfig)
        async with running(Informer(kube, CONFIG_MAPS, namespace=namespace)) as informer:
            await until_so(lambda: informer.disconnected_seconds() == 0)
            yield proxy, kube, informer
        await kube.close()


async def test_an_outage_that_another_call_sees_end_is_over_for_the_informer_too(
    patient: tuple[ApiProxy, Kube, Informer], namespace: str
) -> None:
    proxy, kube, informer = patient
    with proxy.cutting():
        await until_so(lambda: informer.restarts[Restart.UNREACHABLE] == 1)
        assert informer.disconnected_seconds() > 0
    await put(kube, namespace, "a", "1")
    await until(informer, lambda: informer.get("a", namespace) is not None)
    assert informer.disconnected_seconds() == 0


@pytest.mark.parametrize(("status", "reason"), [(429, Restart.THROTTLED), (410, Restart.EXPIRED)])
async def test_after_an_outage_an_api_server_that_knows_nothing_yet_is_asked_as_if_for_the_first_time(
    local_cluster: ClusterInfo,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    reason: Restart,
) -> None:
    monkeypatch.setattr(Backoff, "wait_seconds", lambda self, error: 0.2 if self.failures == 1 else 3600.0)
    with ApiProxy(local_cluster, tmp_path) as proxy:
        kube = await Kube.connect(proxy.cluster.kubeconfig)
        async with running(Informer(kube, CONFIG_MAPS, namespace=namespace)) as informer:
            await until_so(lambda: informer.disconnected_seconds() == 0)
            with proxy.cutting():
                await until_so(lambda: informer.restarts[Restart.UNREACHABLE] == 2)
            with proxy.answering(status, only=watches):
                await put(kube, namespace, "a", "1")
                await until_so(lambda: informer.restarts[reason] == 1)
            await until(informer, lambda: informer.get("a", namespace) is not None)
        await kube.close()


async def test_an_informer_that_alone_is_not_served_is_called_once_and_then_waits(
    patient: tuple[ApiProxy, Kube, Informer], namespace: str
) -> None:
    proxy, kube, informer = patient
    with proxy.cutting(watches):
        await until_so(lambda: informer.restarts[Restart.UNREACHABLE] == 1)
        await put(kube, namespace, "a", "1")
        await until_so(lambda: informer.restarts[Restart.UNREACHABLE] == 2)
        await put(kube, namespace, "a", "2")
        # Longer than a first wait, after which it would have asked.
        await asyncio.sleep(2 * informer.pace.first_wait_seconds)
        assert informer.restarts[Restart.UNREACHABLE] == 2
        assert not kube.outage.reason


async def until_so(look: Callable[[], bool]) -> None:
    """Look again and again until it is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not look():
            await asyncio.sleep(0.01)
