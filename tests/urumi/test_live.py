"""The live feed against a server that drops connections, sends invalid frames, stops responding and restarts."""

import asyncio
import itertools
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager

import pytest

from testing.peer.server import Peer
from testing.stores import make_store, provisioning
from urumi import live
from urumi.config import Target
from urumi.live import Change, ConnectionState, FeedEvent, Heartbeat, LiveFeed, StoreSnapshot
from urumi.wire import Bookmark, Delta, Snapshot, dump

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 10.0


class Reader:
    """Reads the events of a feed one by one."""

    def __init__(self, feed: LiveFeed, events: AsyncIterator[FeedEvent]) -> None:
        self.feed = feed
        self._events = events

    async def next(self) -> FeedEvent:
        """Return the next event."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await anext(self._events)

    async def until(self, is_wanted: Callable[[FeedEvent], bool]) -> list[FeedEvent]:
        """Return the events up to the wanted one; waits between connection attempts are skipped."""
        taken: list[FeedEvent] = []
        while not taken or not is_wanted(taken[-1]):
            taken.append(await self.next())
            if isinstance(taken[-1], ConnectionState) and taken[-1].state in ("reconnecting", "refused"):
                self.feed.reconnect_now()
        return taken

    async def snapshot(self) -> StoreSnapshot:
        """Return the next snapshot."""
        event = (await self.until(lambda event: isinstance(event, StoreSnapshot)))[-1]
        assert isinstance(event, StoreSnapshot)
        return event

    async def change(self) -> Change:
        """Return the next change."""
        event = (await self.until(lambda event: isinstance(event, Change)))[-1]
        assert isinstance(event, Change)
        return event

    async def connection(self, state: str) -> ConnectionState:
        """Return the next state of the connection with that name."""
        event = (await self.until(lambda event: isinstance(event, ConnectionState) and event.state == state))[-1]
        assert isinstance(event, ConnectionState)
        return event


@asynccontextmanager
async def reading(feed: LiveFeed) -> AsyncIterator[Reader]:
    """Read a feed and close it."""
    async with aclosing(feed.events()) as events:
        yield Reader(feed, events)


async def test_the_snapshot_comes_first_and_changes_follow_in_order(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with reading(LiveFeed(target)) as reader:
        assert [await reader.next() for _ in range(4)] == [
            ConnectionState("connecting"),
            ConnectionState("live"),
            StoreSnapshot((make_store("shop-1"),)),
            Heartbeat(0.0),
        ]
        peer.put(provisioning("shop-2"))
        peer.remove("shop-1")
        assert await reader.change() == Change("shop-2", "uid-of-shop-2", provisioning("shop-2"))
        assert await reader.change() == Change("shop-1", "uid-of-shop-1", None)
    assert peer.subscriptions == [{"type": "subscribe", "stores": "all"}]


async def test_only_the_requested_stores_are_subscribed(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    peer.put(make_store("shop-2"))
    async with reading(LiveFeed(target, store_ids=("shop-2",))) as reader:
        assert (await reader.snapshot()).stores == (make_store("shop-2"),)
    assert peer.subscriptions[0]["stores"] == ["shop-2"]


async def test_a_snapshot_in_parts_is_yielded_once_and_whole(peer: Peer, target: Target) -> None:
    parts = [[make_store(f"shop-{part}{number}") for number in range(3)] for part in range(3)]
    peer.opening = [Snapshot(epoch=peer.epoch, seq=0, stores=tuple(part), last=part is parts[-1]) for part in parts]
    async with reading(LiveFeed(target)) as reader:
        assert (await reader.snapshot()).stores == tuple(itertools.chain(*parts))


async def test_after_a_disconnect_the_feed_resumes_from_its_position(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with reading(LiveFeed(target)) as reader:
        await reader.snapshot()
        position = peer.seq
        peer.hang_up()
        await reader.connection("reconnecting")
        peer.put(make_store("shop-2"))
        events = await reader.until(lambda event: isinstance(event, Change))
    assert not [event for event in events if isinstance(event, StoreSnapshot)]
    assert events[-1] == Change("shop-2", "uid-of-shop-2", make_store("shop-2"))
    assert peer.subscriptions[1]["resume"] == {"epoch": peer.epoch, "seq": position}


async def test_no_change_is_lost_or_repeated_over_many_reconnections(peer: Peer, target: Target) -> None:
    expected = [f"shop-{number:03}" for number in range(60)]
    received: list[str] = []
    async with reading(LiveFeed(target)) as reader:
        await reader.snapshot()
        for number, store_id in enumerate(expected):
            peer.put(make_store(store_id))
            if number % 7 == 3:
                peer.hang_up(1013 if number % 2 else 1012)
        while len(received) < len(expected):
            received.append((await reader.change()).store_id)
        peer.bookmark()
        rest = await reader.until(lambda event: isinstance(event, Heartbeat))
    assert received == expected
    assert not [event for event in rest if isinstance(event, Change)]
    assert len(peer.subscriptions) > 1


async def test_a_bookmark_moves_the_position(peer: Peer, target: Target) -> None:
    async with reading(LiveFeed(target)) as reader:
        await reader.snapshot()
        await reader.next()
        peer.say(Bookmark(epoch=peer.epoch, seq=41, age_seconds=7.5))
        assert await reader.next() == Heartbeat(7.5)
        peer.hang_up()
        await reader.connection("live")
    assert peer.subscriptions[1]["resume"] == {"epoch": peer.epoch, "seq": 41}


async def test_an_incomplete_snapshot_is_discarded(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    peer.opening = [Snapshot(epoch=peer.epoch, seq=peer.seq, stores=tuple(peer.stores.values()), last=False)]
    async with reading(LiveFeed(target)) as reader:
        await reader.connection("live")
        peer.wait_for_lines()
        peer.hang_up()
        assert (await reader.snapshot()).stores == (make_store("shop-1"),)
    assert "resume" not in peer.subscriptions[1]


async def test_a_resync_replaces_the_snapshot(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with reading(LiveFeed(target)) as reader:
        await reader.snapshot()
        peer.stores = {"shop-9": make_store("shop-9")}
        peer.resync()
        assert (await reader.snapshot()).stores == (make_store("shop-9"),)


async def test_an_interrupted_resync_leaves_no_position(peer: Peer, target: Target) -> None:
    async with reading(LiveFeed(target)) as reader:
        await reader.snapshot()
        peer.say('{"type": "resync", "reason": "too far behind"}')
        peer.hang_up()
        await reader.snapshot()
    assert "resume" not in peer.subscriptions[1]


async def test_a_restarted_server_sends_a_new_snapshot(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with reading(LiveFeed(target)) as reader:
        await reader.snapshot()
        peer.stop()
        await reader.connection("reconnecting")
        peer.stores = {"shop-2": make_store("shop-2")}
        peer.forget()
        peer.start()
        assert (await reader.snapshot()).stores == (make_store("shop-2"),)


async def test_a_goodbye_sets_the_delay_before_reconnecting(peer: Peer, target: Target) -> None:
    async with reading(LiveFeed(target)) as reader:
        await reader.snapshot()
        peer.goodbye(retry_ms=40)
        state = await reader.connection("reconnecting")
        assert state.detail == "the server closed the connection: the server stops"
        assert 0.02 <= state.retry_seconds <= 0.06
        await reader.connection("live")


async def test_a_wrong_token_is_reported_until_it_is_accepted(peer: Peer, target: Target) -> None:
    token, peer.token = peer.token, "another"
    async with reading(LiveFeed(target)) as reader:
        state = await reader.connection("refused")
        assert state.detail == "the token was not accepted (HTTP 401)"
        assert state.retry_seconds == live.WAIT_MOST_SECONDS
        peer.token = token
        await reader.connection("live")


@pytest.mark.parametrize(
    ("status", "state", "detail"),
    [
        (403, "refused", "permission denied (HTTP 403)"),
        (503, "reconnecting", "the server refused the live connection (HTTP 503)"),
        (404, "reconnecting", "the server refused the live connection (HTTP 404)"),
    ],
)
async def test_a_denied_handshake_is_reported(peer: Peer, target: Target, status: int, state: str, detail: str) -> None:
    peer.denial = status
    async with reading(LiveFeed(target)) as reader:
        assert (await reader.connection(state)).detail == detail
        peer.denial = 0
        await reader.snapshot()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("not json", id="not json"),
        pytest.param("[]", id="no object"),
        pytest.param('{"type": "surprise"}', id="unknown type"),
        pytest.param('{"type": "delta", "seq": "many"}', id="wrong field"),
        pytest.param(
            json.dumps({"type": "delta", "seq": 9, "op": "upsert", "storeId": "shop-1", "uid": "x"}),
            id="upsert without a store",
        ),
    ],
)
async def test_an_invalid_frame_only_ends_the_connection(peer: Peer, target: Target, text: str) -> None:
    peer.put(make_store("shop-1"))
    async with reading(LiveFeed(target)) as reader:
        await reader.snapshot()
        peer.say(text)
        state = await reader.connection("reconnecting")
        assert state.detail.startswith("the server sent a frame that is not valid urumi.v1")
        peer.put(make_store("shop-2"))
        assert (await reader.change()).store_id == "shop-2"


async def test_fields_of_a_newer_server_are_ignored(peer: Peer, target: Target) -> None:
    store = {**dump(make_store("shop-1")), "colour": "green", "progress": None}
    frame = {"type": "delta", "seq": 1, "op": "upsert", "storeId": "shop-1", "uid": "uid-of-shop-1", "store": store}
    async with reading(LiveFeed(target)) as reader:
        await reader.snapshot()
        peer.say(json.dumps({**frame, "shard": 3}))
        assert (await reader.change()).store == make_store("shop-1")


async def test_a_connection_without_frames_is_considered_dead(peer: Peer, target: Target) -> None:
    peer.opening = []
    async with reading(LiveFeed(target, silence_seconds=0.05)) as reader:
        state = await reader.connection("reconnecting")
    assert state.detail == "no frame received for 0.05 s"


async def test_bookmarks_keep_an_idle_connection_alive(peer: Peer, target: Target) -> None:
    async with reading(LiveFeed(target, silence_seconds=0.3)) as reader:
        await reader.snapshot()
        await reader.next()
        started = time.monotonic()
        while time.monotonic() < started + 2 * 0.3:
            peer.bookmark(age_seconds=5.0)
            assert await reader.next() == Heartbeat(5.0)


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        (1012, "the server closed the connection (1012 why)"),
        (1013, "the server closed the connection: this client reads too slowly"),
    ],
)
async def test_a_closed_connection_has_a_cause(peer: Peer, target: Target, code: int, detail: str) -> None:
    async with reading(LiveFeed(target)) as reader:
        await reader.snapshot()
        peer.hang_up(code, "why")
        assert (await reader.connection("reconnecting")).detail == detail


async def test_without_a_server_attempts_are_counted_and_waits_bounded(peer: Peer, target: Target) -> None:
    peer.stop()
    async with reading(LiveFeed(target)) as reader:
        states = [await reader.connection("reconnecting") for _ in range(8)]
        assert [state.attempt for state in states] == list(range(1, 9))
        assert all(0 < state.retry_seconds <= live.WAIT_MOST_SECONDS for state in states)
        assert states[0].detail == f"server {target.url} unreachable: Connection refused"
        peer.start()
        await reader.snapshot()
        peer.hang_up()
        assert (await reader.connection("reconnecting")).attempt == 1


@pytest.fixture
def mute_port() -> Iterator[int]:
    """A port that accepts connections and never responds."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


async def test_a_server_that_never_responds_times_out(mute_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "OPEN_SECONDS", 0.1)
    async with reading(LiveFeed(Target(f"http://127.0.0.1:{mute_port}", "t"))) as reader:
        assert "timed out" in (await reader.connection("reconnecting")).detail


async def test_closing_the_feed_closes_its_socket(peer: Peer, target: Target) -> None:
    async with reading(LiveFeed(target)) as reader:
        await reader.snapshot()
        peer.wait_for_lines(1)
    peer.wait_for_lines(0)


async def test_a_merged_delta_moves_the_position_past_the_skipped_numbers(peer: Peer, target: Target) -> None:
    async with reading(LiveFeed(target)) as reader:
        await reader.snapshot()
        store = make_store("shop-1")
        peer.say(Delta(seq=17, op="upsert", store_id="shop-1", uid=store.uid, store=store))
        await reader.change()
        peer.hang_up()
        await reader.connection("live")
    assert peer.subscriptions[1]["resume"] == {"epoch": peer.epoch, "seq": 17}
