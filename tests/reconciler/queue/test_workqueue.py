"""The work queue: no key twice, none lost, edits first."""

import asyncio

import pytest

from reconciler.queue.workqueue import WorkQueue

pytestmark = pytest.mark.anyio


async def taken(queue: WorkQueue, count: int) -> list[str]:
    """Take keys and finish them at once."""
    keys = []
    for _ in range(count):
        async with asyncio.timeout(5):
            keys.append(await queue.take())
        queue.done(keys[-1])
    return keys


async def test_a_key_is_queued_once() -> None:
    queue = WorkQueue()
    for key in ("a", "b", "a", "a"):
        queue.add(key)
    assert await taken(queue, 2) == ["a", "b"]
    assert len(queue) == 0


async def test_an_edit_overtakes_a_resync() -> None:
    queue = WorkQueue()
    for number in range(5000):
        queue.add(f"resync-{number}", urgent=False)
    queue.add("edited")
    assert await taken(queue, 1) == ["edited"]


async def test_a_routine_key_that_becomes_urgent_is_queued_once() -> None:
    queue = WorkQueue()
    queue.add("a", urgent=False)
    queue.add("b", urgent=False)
    queue.add("b")
    assert await taken(queue, 2) == ["b", "a"]
    assert len(queue) == 0


async def test_a_key_added_while_in_flight_is_queued_again_once_it_is_done() -> None:
    queue = WorkQueue()
    queue.add("a")
    assert await queue.take() == "a"
    queue.add("a", urgent=False)
    assert len(queue) == 0
    queue.done("a")
    assert await taken(queue, 1) == ["a"]


async def test_a_key_is_due_at_the_earliest_time_and_only_once() -> None:
    queue = WorkQueue()
    queue.add_later("a", 3600)
    queue.add_later("a", 0.01)
    queue.add_later("a", 7200)
    assert await taken(queue, 1) == ["a"]
    assert len(queue) == 0


async def test_a_due_key_wakes_a_waiting_worker() -> None:
    queue = WorkQueue()
    worker = asyncio.create_task(taken(queue, 1))
    await asyncio.sleep(0)
    queue.add_later("a", 0.01)
    assert await worker == ["a"]


async def test_taking_a_key_clears_its_timer() -> None:
    queue = WorkQueue()
    queue.add_later("a", 0.02)
    queue.add("a")
    assert await taken(queue, 1) == ["a"]
    queue.add_later("b", 0.05)
    assert await taken(queue, 1) == ["b"]
