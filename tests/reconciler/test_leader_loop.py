"""One leader term: what is queued, what follows a reconcile, and what is left after the end of the term."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest

from reconciler.kube.resources import NAMESPACES, STORES
from reconciler.leader_loop import LeaderLoop
from tests.reconciler.conftest import MakeHarness
from tests.reconciler.harness import NAMESPACE, PLATFORM, RELEASE, STORE_ID, Harness, Queue
from urumi.errors import ClusterError
from urumi.store import FINALIZER

pytestmark = pytest.mark.anyio


class Loop:
    """A leader loop over a harness; the test starts and ends it."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.loop = LeaderLoop(harness.kube, harness.view, harness.settings, harness.term)
        assert isinstance(self.loop.queue, Queue)
        self.queue = self.loop.queue
        harness.view.wake(self.loop.wake)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the term."""
        self._task = asyncio.create_task(self.loop.run())

    async def end(self) -> None:
        """End the term, as the loss of leadership does."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def until(self, condition: Callable[[], bool], seconds: float = 5.0) -> None:
        """Wait for a condition."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.001)

    async def until_phase(self, phase: str, store_id: str = STORE_ID) -> None:
        """Wait until a store has a phase."""

        def has_phase() -> bool:
            store = self.harness.view.store(store_id)
            return store is not None and store.phase == phase

        await self.until(has_phase)

    async def until_event(self, kind: str) -> None:
        """Wait until the timeline of the store has an event of a type."""

        def has_event() -> bool:
            store = self.harness.view.store(STORE_ID)
            events = store.status.get("events") or () if store else ()
            return any(event["type"] == kind for event in events)

        await self.until(has_event)

    async def until_installed(self, count: int = 1) -> None:
        """Wait until Helm has been started that many times."""
        await self.until(lambda: len(self.harness.helm.installs) >= count)


@pytest.fixture(autouse=True)
def recording_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let loops record their delays."""
    monkeypatch.setattr("reconciler.leader_loop.WorkQueue", Queue)


@pytest.fixture
async def loop(harness: Harness) -> AsyncIterator[Loop]:
    """A loop that was not started."""
    loop = Loop(harness)
    yield loop
    await loop.end()


async def test_a_term_starts_with_every_store(loop: Loop) -> None:
    await loop.harness.create_store()
    await loop.harness.settle()
    loop.loop.queue.forget(STORE_ID)
    loop.start()
    await loop.until_installed()


async def test_a_change_of_a_workload_wakes_its_store_until_it_is_ready(loop: Loop) -> None:
    loop.start()
    await loop.harness.create_store()
    await loop.until_event("WaitingForWorkloads")
    await loop.harness.make_ready()
    await loop.until_phase("Ready")
    assert loop.harness.helm.installs == [RELEASE]


async def test_a_store_without_our_finalizer_gets_it_before_anything_is_created(loop: Loop) -> None:
    finalizers: list[list[str]] = []

    async def note() -> None:
        store = await loop.harness.others.get(STORES, STORE_ID, PLATFORM)
        finalizers.append(store["metadata"]["finalizers"] if store else [])

    loop.harness.kube.before("create", NAMESPACES, note)
    meta = {"name": STORE_ID, "namespace": PLATFORM, "finalizers": ["test/other"]}
    await loop.harness.others.create(
        STORES, {"metadata": meta, "spec": {"storeId": STORE_ID, "engine": "woocommerce"}}, PLATFORM
    )
    loop.start()
    await loop.until_installed()
    assert finalizers == [["test/other", FINALIZER]]


async def test_a_deleted_store_is_deleted_and_leaves_the_queue(loop: Loop) -> None:
    loop.start()
    await loop.harness.create_store()
    await loop.until_event("WaitingForWorkloads")
    await loop.harness.others.delete(STORES, STORE_ID, PLATFORM)
    await loop.until(lambda: loop.harness.helm.uninstalls == [RELEASE])
    await loop.until_phase("Deleting")
    loop.queue.add(STORE_ID)
    await loop.until(lambda: loop.harness.view.store(STORE_ID) is None)
    assert await loop.harness.others.get(NAMESPACES, NAMESPACE) is None
    await loop.until(lambda: len(loop.queue) == 0)


async def test_a_conflict_is_reconciled_again_immediately(loop: Loop) -> None:
    async def edit() -> None:
        await loop.harness.edit_store(metadata={"annotations": {"edited": "yes"}})

    loop.harness.kube.before("replace_status", STORES, edit)
    loop.start()
    await loop.harness.create_store()
    await loop.until_installed()
    assert all(delay > 2 for delay in loop.queue.delays.get(STORE_ID, ()))


async def test_a_cluster_error_is_retried_not_before_the_api_server_allows(loop: Loop) -> None:
    busy = ClusterError("too many requests", status=429, retry_after_seconds=30.0)
    loop.harness.kube.fail("replace_status", STORES, busy)
    loop.start()
    await loop.harness.create_store()
    await loop.until(lambda: STORE_ID in loop.queue.delays)
    assert loop.queue.delays[STORE_ID][0] == 30.0
    assert loop.harness.helm.installs == []


async def test_a_cluster_error_without_a_time_is_retried_with_the_backoff(loop: Loop) -> None:
    loop.harness.kube.fail("replace_status", STORES, ClusterError("boom", status=500))
    loop.start()
    await loop.harness.create_store()
    await loop.until(lambda: STORE_ID in loop.queue.delays)
    assert 0.5 < loop.queue.delays[STORE_ID][0] < 2


async def test_a_defect_in_the_reconcile_of_one_store_does_not_stop_the_others(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    async def bug() -> None:
        raise RuntimeError("bug")

    loop.harness.kube.before("get", NAMESPACES, bug)
    loop.start()
    await loop.harness.create_store()
    with caplog.at_level(logging.ERROR):
        await loop.until(lambda: STORE_ID in loop.queue.delays)
    assert "reconcile failed" in caplog.text
    meta = {"name": "shop-b", "namespace": PLATFORM}
    spec = {"storeId": "shop-b", "engine": "medusa"}
    await loop.harness.others.create(STORES, {"metadata": meta, "spec": spec}, PLATFORM)
    await loop.until(lambda: "medusa-shop-b" in loop.harness.helm.installs)


async def test_stores_are_reconciled_in_parallel_and_helm_only_in_its_slots(make_harness: MakeHarness) -> None:
    async with make_harness(max_concurrent_provisions=2) as harness:
        loop = Loop(harness)
        harness.helm.gate.clear()
        ids = [f"shop-{number}" for number in range(5)]
        for store_id in ids:
            meta = {"name": store_id, "namespace": PLATFORM}
            spec = {"storeId": store_id, "engine": "woocommerce"}
            await harness.others.create(STORES, {"metadata": meta, "spec": spec}, PLATFORM)
        loop.start()
        phases = {"Pending": 3, "Provisioning": 2}
        await loop.until(
            lambda: (
                {phase: [store.phase for store in harness.view.all_stores()].count(phase) for phase in phases} == phases
            )
        )
        assert len(harness.helm.installs) == 2
        harness.helm.gate.set()
        await loop.until_installed(5)
        await loop.end()


async def test_the_end_of_a_term_ends_running_reconciles_before_it_returns(loop: Loop) -> None:
    started, ended = asyncio.Event(), list[str]()

    async def install(*_: object) -> int:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(RELEASE)
        return 1

    loop.harness.helm.install = install  # type: ignore[assignment, method-assign]
    loop.start()
    await loop.harness.create_store()
    await loop.until(started.is_set)
    await loop.end()
    assert ended == [RELEASE]


async def test_every_store_is_reconciled_again_after_some_time(make_harness: MakeHarness) -> None:
    async with make_harness(resync_seconds=0.02) as harness:
        loop = Loop(harness)
        await harness.ready_store()
        loop.start()
        taken: list[str] = []
        take = loop.queue.take

        async def noting() -> str:
            taken.append(await take())
            return taken[-1]

        loop.queue.take = noting  # type: ignore[method-assign]
        await loop.until(lambda: len(taken) >= 3)
        await loop.end()
        assert set(taken) == {STORE_ID}


async def test_the_new_leader_notes_that_it_continues_a_reconcile(harness: Harness) -> None:
    await harness.create_store()
    await harness.reconcile()
    harness.term.fencing_token += 1
    loop = Loop(harness)
    loop.start()
    await loop.until_event("TakenOver")
    await loop.end()


async def test_a_deleted_store_releases_its_place_in_the_queue_of_slots(loop: Loop) -> None:
    loop.start()
    loop.loop.limiter.acquire(STORE_ID)
    loop.loop.wake(STORE_ID)
    for number in range(loop.harness.settings.max_concurrent_provisions):
        assert loop.loop.limiter.acquire(f"shop-{number}")


async def test_a_store_that_is_deleted_before_its_turn_is_skipped(loop: Loop) -> None:
    loop.start()
    loop.loop.limiter.acquire(STORE_ID)
    loop.queue.add(STORE_ID)
    await loop.until(lambda: len(loop.queue) == 0)
    for number in range(loop.harness.settings.max_concurrent_provisions):
        await loop.until(lambda number=number: loop.loop.limiter.acquire(f"shop-{number}"))  # type: ignore[misc]
    assert loop.harness.writes() == {}
