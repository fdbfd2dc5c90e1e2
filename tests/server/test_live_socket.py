"""The live endpoint in uvicorn: order, folding, limits, clients that do not read or violate the protocol."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

import server.live.socket
from reconciler.metrics import REGISTRY
from server.live.hub import RING_SIZE
from testing.frames import PUBLISHED, is_frame, read_frame
from testing.replica import Replica, store_object, until
from urumi.schema import live_schema

pytestmark = pytest.mark.anyio
ALL = json.dumps({"type": "subscribe", "stores": "all"})
BIG = "x" * 60_000


@pytest.fixture
async def replica() -> AsyncIterator[Replica]:
    """A server with no stores."""
    async with Replica() as replica:
        yield replica


def subscribe(resume: dict[str, Any] | None = None, stores: Any = "all") -> str:
    """Return the first frame of a client."""
    frame = {"type": "subscribe", "stores": stores} | ({"resume": resume} if resume else {})
    assert is_frame(json.dumps(frame), "FromClient")
    return json.dumps(frame)


async def receive(line: ClientConnection) -> dict[str, Any]:
    """Return the next frame."""
    async with asyncio.timeout(60):
        return read_frame(await line.recv())


async def receive_until(line: ClientConnection, kind: str) -> list[dict[str, Any]]:
    """Return the frames up to one of that type."""
    frames = [await receive(line)]
    while frames[-1]["type"] != kind:
        frames.append(await receive(line))
    return frames


async def close_of(line: ClientConnection) -> tuple[int, str]:
    """Read until the server closes, and return its code and reason; 1006 without a close frame."""
    try:
        async with asyncio.timeout(60):
            async for _ in line:
                pass
    except ConnectionClosed:
        pass
    return line.close_code or 0, line.close_reason or ""


def dropped(reason: str, registry: CollectorRegistry = REGISTRY) -> float:
    """Return how many were dropped for a reason."""
    return registry.get_sample_value("urumi_ws_dropped_total", {"reason": reason}) or 0.0


def test_the_published_schema_is_that_of_the_models() -> None:
    assert json.loads(PUBLISHED.read_text()) == live_schema()


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "delta", "seq": 1, "op": "upsert", "storeId": "a", "uid": "u"}',
        '{"seq": 1, "epoch": "e"}',
        '{"type": "bookmark", "epoch": "e", "seq": 1, "more": 1}',
        '{"type": "surprise"}',
    ],
)
def test_the_schema_rejects_invalid_frames(text: str) -> None:
    assert not is_frame(text, "FromServer")


async def test_a_snapshot_comes_in_parts_and_is_followed_by_a_bookmark(replica: Replica) -> None:
    for number in range(250):
        replica.put(store_object(f"shop-{number}", 1))
    async with replica.connect() as line:
        await line.send(subscribe())
        frames = await receive_until(line, "bookmark")
    assert [frame["type"] for frame in frames] == ["snapshot"] * 3 + ["bookmark"]
    assert [frame.get("last") for frame in frames] == [False, False, True, None]
    assert {frame["seq"] for frame in frames} == {250}
    assert len({store["storeId"] for frame in frames[:3] for store in frame["stores"]}) == 250


async def test_subscribers_are_notified_immediately_that_the_cluster_is_unreachable(replica: Replica) -> None:
    async with replica.connect() as idle, replica.connect() as busy:
        for line in (idle, busy):
            await line.send(subscribe())
            assert (await receive_until(line, "bookmark"))[-1]["clusterError"] == ""
        replica.trouble = "The Kubernetes API at https://k:6443 does not answer: refused."
        replica.hub.notify_all()
        for line in (idle, busy):
            assert await receive(line) == {
                "type": "bookmark",
                "epoch": replica.hub.epoch,
                "seq": 0,
                "ageSeconds": 0.0,
                "clusterError": replica.trouble,
            }
        replica.trouble = ""
        replica.put(store_object("shop-1", 1))
        replica.hub.notify_all()
        received = await receive_until(busy, "bookmark")
        assert [frame["type"] for frame in received] == ["delta", "bookmark"]
        assert (received[-1]["seq"], received[-1]["clusterError"]) == (1, "")


async def test_changes_and_deletions_come_in_order(replica: Replica) -> None:
    async with replica.connect() as line:
        await line.send(subscribe())
        await receive_until(line, "bookmark")
        replica.put(store_object("shop-1", 1))
        assert (await receive(line))["store"]["generation"] == 1
        replica.put(store_object("shop-1", 2))
        assert (await receive(line))["seq"] == 2
        replica.remove("shop-1")
        assert await receive(line) == {
            "type": "delta",
            "seq": 3,
            "op": "delete",
            "storeId": "shop-1",
            "uid": "uid-of-shop-1",
        }


async def test_rapid_changes_of_a_store_are_folded_and_stay_in_order(replica: Replica) -> None:
    async with replica.connect() as line:
        await line.send(subscribe())
        await receive_until(line, "bookmark")
        for version in range(1, 6):
            replica.put(store_object("shop-a", version))
            replica.put(store_object("shop-b", version))
        frames = [await receive(line), await receive(line)]
    received = [(frame["seq"], frame["storeId"], frame["store"]["generation"]) for frame in frames]
    assert received == [(9, "shop-a", 5), (10, "shop-b", 5)]


async def test_only_subscribed_stores_are_sent_and_the_position_advances(replica: Replica) -> None:
    replica.put(store_object("shop-1", 1))
    replica.put(store_object("shop-2", 1))
    async with replica.connect() as line:
        await line.send(subscribe(stores=["shop-2", "shop-3"]))
        [snapshot, _] = await receive_until(line, "bookmark")
        assert [store["storeId"] for store in snapshot["stores"]] == ["shop-2"]
        replica.put(store_object("shop-1", 2))
        replica.put(store_object("shop-3", 1))
        assert ((await receive(line))["storeId"], replica.hub.seq) == ("shop-3", 4)


async def test_a_known_position_is_resumed_and_an_unknown_one_is_not(replica: Replica) -> None:
    for version in range(1, 4):
        replica.put(store_object("shop-1", version))
    replica.put(store_object("shop-2", 1))
    here, gone = {"epoch": replica.hub.epoch, "seq": 3}, {"epoch": "another", "seq": 3}
    async with replica.connect() as line:
        await line.send(subscribe(here))
        frames = await receive_until(line, "bookmark")
        assert [(frame["type"], frame["seq"]) for frame in frames] == [("delta", 4), ("bookmark", 4)]
    for position in (gone, {**here, "seq": 99}):
        async with replica.connect() as line:
            await line.send(subscribe(position))
            frames = await receive_until(line, "bookmark")
            assert [frame["type"] for frame in frames] == ["resync", "snapshot", "bookmark"]


async def test_a_position_outside_the_ring_gets_a_snapshot(replica: Replica) -> None:
    replica.put(store_object("shop-1", 1))
    replica.put(store_object("shop-2", 1))
    replica.remove("shop-2")
    for version in range(2, RING_SIZE + 2):
        replica.put(store_object("shop-1", version))
    for seq, kind in [(1, "resync"), (3, "delta")]:
        async with replica.connect() as line:
            await line.send(subscribe({"epoch": replica.hub.epoch, "seq": seq}))
            assert (await receive(line))["type"] == kind


@pytest.mark.parametrize(
    "first",
    [
        "no json",
        "{}",
        '{"type": "subscribe", "stores": 7}',
        json.dumps({"type": "subscribe", "stores": [f"shop-{number}" for number in range(1001)]}),
        '{"type": "bookmark"}',
        b"\x00\x01",
    ],
    ids=["no-json", "no-type", "no-stores", "too-many-stores", "not-a-clients", "bytes"],
)
async def test_another_first_frame_closes_the_socket_with_1008(replica: Replica, first: str | bytes) -> None:
    async with replica.connect() as line:
        await line.send(first)
        assert await close_of(line) == (1008, "the first frame must be subscribe")


async def test_a_client_that_sends_nothing_is_closed_in_time(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.live.socket, "FIRST_FRAME_SECONDS", 0.1)
    async with replica.connect() as line:
        assert (await close_of(line))[0] == 1008


async def test_an_idle_socket_gets_bookmarks(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.live.socket, "BOOKMARK_SECONDS", 0.05)
    async with replica.connect() as line:
        await line.send(subscribe())
        await receive_until(line, "bookmark")
        assert [(await receive(line))["type"] for _ in range(3)] == ["bookmark"] * 3


async def test_the_number_of_connections_is_limited_even_if_they_never_subscribe() -> None:
    async with Replica(max_sockets=2) as replica, replica.connect() as silent, replica.connect():
        with pytest.raises(InvalidStatus) as denied:
            async with replica.connect():
                pass
        answer = denied.value.response
        assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
        assert json.loads(answer.body or b"")["type"] == "urn:urumi:problem:busy"
        await silent.close()
        await until(lambda: replica.connections == 1)
        async with replica.connect() as line:
            await line.send(subscribe())
            assert (await receive(line))["type"] == "snapshot"


async def test_a_client_that_stops_reading_is_dropped_without_effect_on_others(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.live.socket, "SEND_TIMEOUT_SECONDS", 0.5)
    before, stores, rounds = dropped("slow"), 30, 40
    with socket.socket() as small:
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        small.setblocking(False)
        await asyncio.get_running_loop().sock_connect(
            small, ("127.0.0.1", int(replica.url.split(":")[2].split("/")[0]))
        )
        async with replica.connect(max_size=None) as reader, replica.connect(sock=small, max_queue=1) as stuck:
            for line in (reader, stuck):
                await line.send(subscribe())
            await receive_until(reader, "bookmark")
            await until(lambda: len(replica.hub.outboxes) == 2)
            received: dict[str, int] = {}
            for version in range(1, rounds + 1):
                for number in range(stores):
                    replica.put(store_object(f"shop-{number}", version, text=BIG))
                while min(received.values(), default=0) < version or len(received) < stores:
                    frame = await receive(reader)
                    assert frame["type"] in ("delta", "bookmark")
                    if frame["type"] == "delta":
                        received[frame["storeId"]] = frame["store"]["generation"]
                # Frames that one client does not read do not accumulate.
                assert all(len(outbox) <= stores for outbox in replica.hub.outboxes)
            await until(lambda: len(replica.hub.outboxes) == 1)
            # Its connection is closed too, although the peer is still connected and reads nothing.
            await until(lambda: replica.connections == 1)
            assert dropped("slow") == before + 1
            replica.put(store_object("shop-0", rounds + 1))
            assert (await receive_until(reader, "delta"))[-1]["store"]["generation"] == rounds + 1
            assert (await close_of(stuck))[0] in (1006, 1013)


async def test_a_client_that_reads_again_in_time_gets_the_close_reason(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.live.socket, "SEND_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(server.live.socket, "CLOSE_SECONDS", 60.0)
    async with replica.connect(max_queue=1, max_size=None) as stuck:
        await stuck.send(subscribe())
        await until(lambda: len(replica.hub.outboxes) == 1)
        before, version = dropped("slow"), 0
        while dropped("slow") == before:
            version += 1
            replica.put(store_object(f"shop-{version % 100}", version, text=BIG))
            await asyncio.sleep(0)
        assert await close_of(stuck) == (1013, "too slow")


async def test_clients_that_disappear_leave_no_connection_and_no_traceback(
    replica: Replica, caplog: pytest.LogCaptureFixture
) -> None:
    replica.put(store_object("shop-1", 1))
    with caplog.at_level(logging.INFO):
        for number in range(40):
            line = await replica.connect()
            if number % 4:
                await line.send(subscribe())
            if number % 2:
                line.transport.abort()
            else:
                await line.close()
            replica.put(store_object("shop-1", number + 2))
        await until(lambda: replica.connections == 0 and not replica.hub.outboxes)
    assert [record.getMessage() for record in caplog.records if record.exc_info or record.levelno >= 40] == []


async def test_a_stop_sends_goodbye_to_every_client(replica: Replica) -> None:
    async with replica.connect() as busy, replica.connect() as quiet, replica.connect() as silent:
        for line in (busy, quiet):
            await line.send(subscribe())
            await receive_until(line, "bookmark")
        replica.put(store_object("shop-1", 1))
        stopping = asyncio.create_task(replica.stop())
        for line in (busy, quiet):
            [*_, farewell] = await receive_until(line, "goodbye")
            assert farewell["retryMs"] > 0
            assert (await close_of(line))[0] == 1012
        assert (await close_of(silent))[0] == 1012
        await stopping
    await replica.start()


async def test_a_client_that_is_slow_for_a_while_gets_everything_and_is_not_dropped(replica: Replica) -> None:
    before = dropped("slow")
    async with replica.connect(max_queue=1, max_size=None) as line:
        await line.send(subscribe())
        await receive_until(line, "bookmark")
        version = 0
        while not any(len(outbox) > 20 for outbox in replica.hub.outboxes):
            version += 1
            replica.put(store_object(f"shop-{version % 100}", version, text=BIG))
            await asyncio.sleep(0)
        received: dict[str, int] = {}
        while received.get(f"shop-{version % 100}") != version:
            [*_, frame] = await receive_until(line, "delta")
            received[frame["storeId"]] = frame["store"]["generation"]
    assert received == {name: store["metadata"]["generation"] for name, store in replica.stores.items()}
    assert dropped("slow") == before


async def test_all_clients_are_sent_the_same_bytes(replica: Replica) -> None:
    for number in range(250):
        replica.put(store_object(f"shop-{number}", 1))
    async with replica.connect() as one, replica.connect() as other:
        for line in (one, other):
            await line.send(subscribe())
            await receive_until(line, "bookmark")
        first, second = replica.hub.outboxes
        assert all(map(lambda a, b: a is b, replica.hub.snapshot(first), replica.hub.snapshot(second)))
        replica.put(store_object("shop-1", 2))
        assert replica.hub.delta("shop-1") is replica.hub.delta("shop-1")
