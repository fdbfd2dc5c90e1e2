"""The controller: every replica watches, one reconciles, and the next one continues after it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from reconciler.controller import Controller
from tests.reconciler.harness import RELEASE, STORE_ID, Harness

pytestmark = pytest.mark.anyio


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def replica(harness: Harness) -> AsyncIterator[Controller]:
    """Yield a controller that runs."""
    controller = Controller(harness.kube, harness.settings)
    task = asyncio.create_task(controller.run())
    try:
        yield controller
    finally:
        task.cancel()
        await asyncio.wait([task])


def phase(controller: Controller) -> str:
    """Return the phase of the store as a replica shows it."""
    store = controller.view.store(STORE_ID)
    return store.phase if store else ""


def is_released(controller: Controller) -> bool:
    """Return whether the timeline of the store says that it waits for its workloads."""
    store = controller.view.store(STORE_ID)
    events = store.status.get("events") or () if store else ()
    return any(event["type"] == "WaitingForWorkloads" for event in events)


async def test_the_leader_reconciles_and_every_replica_shows_it(harness: Harness) -> None:
    async with replica(harness) as leader:
        await until(lambda: leader.leader_loop is not None)
        async with replica(harness) as other:
            await harness.create_store()
            await until(lambda: is_released(other))
            assert harness.helm.installs == [RELEASE]
            assert other.leader_loop is None
            assert not other.elector.is_leading


async def test_the_next_leader_continues_after_the_end_of_the_first(harness: Harness) -> None:
    async with replica(harness) as first:
        await until(lambda: first.leader_loop is not None)
        await harness.create_store()
        await until(lambda: is_released(first))
    assert first.leader_loop is None
    async with replica(harness) as second:
        await until(lambda: second.leader_loop is not None)
        await harness.make_ready()
        await until(lambda: phase(second) == "Ready")
    assert harness.helm.installs == [RELEASE]
