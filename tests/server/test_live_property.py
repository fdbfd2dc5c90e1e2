"""With random faults of connections, servers and replicas, no change of a store is missed and none is shown twice.

    one history of changes --> each of two replicas, with its own delays --> clients that connect, leave and switch

Delays, breaks, restarts and pauses of the clients are drawn from a seed. Each client compares every frame with the
previous frames; at the end each must have exactly the stores that exist.
"""

import asyncio
import contextlib
import json
import random
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from testing.frames import read_frame
from testing.replica import Object, Replica, store_object, until

pytestmark = pytest.mark.anyio

STORES, CHANGES, CLIENTS, BREAKS = 12, 600, 6, 25


class Watcher:
    """A client as in docs/protocol.md that fails on repeated frames and on frames out of order."""

    def __init__(self, replicas: list[Replica], rng: random.Random) -> None:
        self.known: dict[str, int] = {}
        self.replica = replicas[0]
        self.line: ClientConnection | None = None
        self.resumed = self.snapshots = 0
        self.reads_slowly = False
        self._replicas = replicas
        self._rng = rng
        self._position: dict[str, Any] | None = None
        # By epoch: the newest version of each store (of each uid) that was received.
        self._received: dict[str, dict[str, int]] = {}

    async def watch(self) -> None:
        """Stay connected until cancelled."""
        while True:
            with contextlib.suppress(OSError, ConnectionClosed, InvalidHandshake, InvalidMessage):
                await self._one_connection()
            self.line = None
            await asyncio.sleep(0.005)

    async def _one_connection(self) -> None:
        async with self.replica.connect(max_queue=2) as self.line:
            resume = {"resume": self._position} if self._position else {}
            await self.line.send(json.dumps({"type": "subscribe", "stores": "all", **resume}))
            parts: dict[str, int] = {}
            async for text in self.line:
                frame = read_frame(text)
                match frame["type"]:
                    case "resync":
                        self._position = None
                    case "snapshot":
                        parts |= {store["storeId"]: store["generation"] for store in frame["stores"]}
                        if frame["last"]:
                            self._replace(parts, frame)
                    case "delta":
                        self._change(frame)
                    case "bookmark":
                        assert (
                            self._position is None
                            or self._position["epoch"] != frame["epoch"]
                            or (frame["seq"] >= self._position["seq"])
                        )
                        self._position = {"epoch": frame["epoch"], "seq": frame["seq"]}
                if self.reads_slowly:
                    await asyncio.sleep(self._rng.random() / 100)

    def _replace(self, parts: dict[str, int], frame: Any) -> None:
        self.snapshots += 1
        self.known = dict(parts)
        self._position = {"epoch": frame["epoch"], "seq": frame["seq"]}
        received = self._received.setdefault(frame["epoch"], {})
        received |= parts

    def _change(self, frame: Any) -> None:
        assert self._position is not None, "a delta before the snapshot was complete"
        assert frame["seq"] > self._position["seq"], (
            f"sent twice or out of order: {frame['seq']} after {self._position}"
        )
        store_id, received = frame["storeId"], self._received.setdefault(self._position["epoch"], {})
        if frame["op"] == "delete":
            self.known.pop(store_id, None)
        else:
            version = frame["store"]["generation"]
            assert version > received.get(store_id, 0), (
                f"{store_id} was sent twice: {version} after {received[store_id]}"
            )
            self.known[store_id] = received[store_id] = version
        self._position = {**self._position, "seq": frame["seq"]}


async def replay(history: list[tuple[str, Object | None]], replica: Replica, rng: random.Random) -> None:
    """Send the changes to a replica, in order, with random delays."""
    for store_id, store in history:
        if store is None:
            replica.remove(store_id)
        else:
            replica.put(store)
        if rng.random() < 0.3:
            await asyncio.sleep(rng.random() / 50)


async def inject_faults(replicas: list[Replica], watchers: list[Watcher], rng: random.Random) -> None:
    """Break connections, move clients to the other replica, restart servers."""
    for number in range(BREAKS):
        await asyncio.sleep(rng.random() / 10)
        watcher = rng.choice(watchers)
        watcher.reads_slowly = rng.random() < 0.5
        if rng.random() < 0.4:
            watcher.replica = rng.choice(replicas)
        if watcher.line is not None:
            watcher.line.transport.abort()
        if number % 10 == 9:
            await rng.choice(replicas).restart()


def draw_history(rng: random.Random) -> tuple[list[tuple[str, Object | None]], dict[str, int]]:
    """Return random changes of stores and the resulting state; versions increase, also across a deletion."""
    history: list[tuple[str, Object | None]] = []
    now: dict[str, int] = {}
    for version in range(1, CHANGES + 1):
        store_id = f"shop-{rng.randrange(STORES)}"
        if store_id in now and rng.random() < 0.15:
            del now[store_id]
            history.append((store_id, None))
        else:
            now[store_id] = version
            history.append((store_id, store_object(store_id, version)))
    return history, now


@pytest.mark.parametrize(
    "history_number", [1, *(pytest.param(number, marks=pytest.mark.thorough) for number in (2, 3))]
)
async def test_no_change_is_missed_or_shown_twice(history_number: int, rng: random.Random) -> None:
    history, expected = draw_history(rng)
    async with Replica() as one, Replica() as other:
        replicas = [one, other]
        watchers = [Watcher(replicas, rng) for _ in range(CLIENTS)]
        watching = [asyncio.create_task(watcher.watch()) for watcher in watchers]
        await asyncio.gather(
            *(replay(history, replica, random.Random(rng.random())) for replica in replicas),
            inject_faults(replicas, watchers, rng),
        )
        await until(lambda: all(watcher.known == expected for watcher in watchers) or any(map(_ended, watching)))
        for task in watching:
            task.cancel()
        ends = await asyncio.gather(*watching, return_exceptions=True)
    assert [end for end in ends if not isinstance(end, asyncio.CancelledError)] == []
    assert sum(watcher.snapshots for watcher in watchers) > CLIENTS, "no client ever received a second snapshot"


def _ended(task: asyncio.Task[None]) -> bool:
    return task.done()
