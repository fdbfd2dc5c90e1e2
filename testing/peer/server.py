"""A server of the live protocol whose stores and failures are scripted by a test.

It implements docs/protocol.md independently of the real server, and on request does what the real server seldom does:
snapshots in small parts, a resync, silence, a goodbye, every kind of refusal, an outage. It serves REST and WebSocket
clients with a bearer token, and the page with its files, its session cookie and its check of the origin.

It runs in a thread. A test changes it from its own thread, also while it is stopped: `put`, `remove` and `say` run in
the server's event loop, so that no client receives a partial change. The address stays the same over restarts.
"""

import asyncio
import json
import secrets
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from server.http.middleware import Envelope
from testing.peer.api import COOKIE, PeerApi, refusal
from urumi.wire import (
    SUBPROTOCOL,
    Bookmark,
    Delta,
    Goodbye,
    Resync,
    Snapshot,
    Store,
    Wire,
    dump,
)

SNAPSHOT_PART = 100
TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class Close:
    """An entry of an outbox that closes the socket."""

    code: int
    reason: str = ""


@dataclass(eq=False)
class Line:
    """One live socket, from the server's side."""

    subscription: dict[str, Any]
    outbox: asyncio.Queue[str | Close] = field(default_factory=asyncio.Queue)

    def wants(self, store_id: str) -> bool:
        """Return whether the client subscribed to this store."""
        stores = self.subscription["stores"]
        return stores == "all" or store_id in stores


class Peer(PeerApi):
    """The server.

    Attributes:
        subscriptions: the first frame of every socket, in order.
        denial: the HTTP status that refuses WebSocket handshakes, 0 to accept them.
        opening: the first frames of the next socket, in place of a snapshot and a bookmark.
    """

    def __init__(self) -> None:
        self._lines: set[Line] = set()
        self._changed = threading.Condition()
        self._listener = _loopback_socket()
        self._port = self._listener.getsockname()[1]
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        super().__init__()

    def _be_new(self) -> None:
        super()._be_new()
        self.subscriptions: list[dict[str, Any]] = []
        self.denial = 0
        self.opening: Sequence[Wire | str] | None = None
        self.forget()

    @property
    def url(self) -> str:
        """The server's URL."""
        return f"http://127.0.0.1:{self._port}"

    # --- Start and stop

    def start(self) -> None:
        """Start, in the same epoch; returns when the port accepts connections."""
        if self._listener.fileno() == -1:
            self._listener = _loopback_socket(self._port)
        config = uvicorn.Config(
            self._application(), lifespan="off", log_config=None, ws="websockets-sansio", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, args=(self._server, self._listener), daemon=True)
        self._thread.start()
        self.wait_for(lambda: self._server is not None and self._server.started, "the peer to start")

    def stop(self, *, goodbye_ms: int | None = None) -> None:
        """Close every socket with 1012, after a goodbye if given, and stop; returns when the port is closed."""
        if self._server is None or self._thread is None:
            return
        if goodbye_ms is not None:
            self.say(Goodbye(reason="the server stops", retry_ms=goodbye_ms))
        # uvicorn closes what is still open without a reason, so it stops after the sockets are closed.
        open_lines = set(self._lines)
        self.hang_up(1012, "the server restarts")
        self.wait_for(lambda: open_lines.isdisjoint(self._lines), "the sockets to close")
        self._server.should_exit = True
        self._thread.join(TIMEOUT_SECONDS)
        assert not self._thread.is_alive(), f"the peer did not stop within {TIMEOUT_SECONDS:g} s"
        self._listener.close()
        self._server = self._thread = self._loop = None

    def forget(self) -> None:
        """Begin a new epoch, as a restarted server does."""
        self.epoch = secrets.token_hex(4)
        self.seq = 0
        self._log: list[Delta] = []

    def start_over(self) -> None:
        """Reset stores, clients and scripted failures."""
        self.denial = 503
        if self._server is None:
            self.start()
        self.hang_up()
        self.wait_for_lines(0)
        self._be_new()

    def _run(self, server: uvicorn.Server, listener: socket.socket) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await server.serve(sockets=[listener])

        asyncio.run(serve())

    # --- What a test scripts

    def put(self, *stores: Store) -> None:
        """Add or change stores."""

        def put(store: Store) -> None:
            self.stores[store.store_id] = store
            self._publish("upsert", store.store_id, store.uid, store)

        for store in stores:
            self._in_loop(partial(put, store))

    def remove(self, store_id: str) -> None:
        """Remove a store."""
        self._in_loop(lambda: self._publish("delete", store_id, self.stores.pop(store_id).uid))

    def announce_deletion(self, store_id: str, uid: str) -> None:
        """Send that a store is gone, without removing any."""
        self._in_loop(lambda: self._publish("delete", store_id, uid))

    def say(self, *frames: Wire | str) -> None:
        """Send frames, or any text, to every client."""
        for frame in frames:
            self._send(_text(frame))

    def bookmark(self, **fields: Any) -> None:
        """Send every client a bookmark, with the age of the data and the cluster's error."""
        self.say(Bookmark(epoch=self.epoch, seq=self.seq, **fields))

    def resync(self) -> None:
        """Send every client a resync and a snapshot in parts of one store."""
        self._in_loop(lambda: self.say(Resync(reason="scripted"), *self._snapshot(self.stores.values(), part_size=1)))

    def goodbye(self, *, retry_ms: int) -> None:
        """Send every client a goodbye and close its socket."""
        self.say(Goodbye(reason="the server stops", retry_ms=retry_ms))
        self.hang_up(1012)

    def hang_up(self, code: int = 1011, reason: str = "") -> None:
        """Close every socket; the port stays open."""
        self._send(Close(code, reason))

    def wait_for_lines(self, count: int = 1) -> None:
        """Wait until that many sockets are open."""
        self.wait_for(lambda: len(self._lines) == count, f"{count} lines")

    def wait_for_subscriptions(self, count: int) -> None:
        """Wait until that many sockets have subscribed since the start of the test."""
        self.wait_for(lambda: len(self.subscriptions) >= count, f"{count} subscriptions")

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until a condition of the peer holds."""
        with self._changed:
            # uvicorn does not signal its start, so the condition is also polled.
            done = any(self._changed.wait_for(condition, 0.02) for _ in range(int(TIMEOUT_SECONDS / 0.02)))
            assert done, f"waited {TIMEOUT_SECONDS:g} s for {what}"

    # --- Live

    def _application(self) -> Starlette:
        return Starlette(routes=[*self.routes(), WebSocketRoute("/ws", self._live)], middleware=[Middleware(Envelope)])

    async def _live(self, websocket: WebSocket) -> None:
        has_session = websocket.cookies.get(COOKIE) == self._cookie and self._is_own_origin(websocket)
        denial = self.denial or (0 if has_session or self._has_token(websocket) else 401)
        if denial:
            await websocket.send_denial_response(refusal(denial, "refused", "no"))
            return
        assert SUBPROTOCOL in websocket.scope["subprotocols"]
        await websocket.accept(SUBPROTOCOL)
        line = Line(json.loads(await websocket.receive_text()))
        for frame in self._opening(line):
            line.outbox.put_nowait(_text(frame))
        with self._changed:
            self._lines.add(line)
            self.subscriptions.append(line.subscription)
            self._changed.notify_all()
        reader = asyncio.create_task(_read_until_gone(websocket))
        writer = asyncio.create_task(_write(websocket, line.outbox))
        try:
            await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reader, writer):
                task.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)
            with self._changed:
                self._lines.discard(line)
                self._changed.notify_all()

    def _opening(self, line: Line) -> Sequence[Wire | str]:
        if self.opening is not None:
            opening, self.opening = self.opening, None
            return opening
        bookmark = Bookmark(epoch=self.epoch, seq=self.seq)
        place = line.subscription.get("resume")
        if place and place["epoch"] == self.epoch and place["seq"] <= self.seq:
            missed = (delta for delta in self._log if delta.seq > place["seq"] and line.wants(delta.store_id))
            return [*missed, bookmark]
        resync = [Resync(reason="that place is no longer known")] if place else []
        return [
            *resync,
            *self._snapshot(store for store in self.stores.values() if line.wants(store.store_id)),
            bookmark,
        ]

    def _snapshot(self, stores: Iterable[Store], part_size: int = SNAPSHOT_PART) -> list[Snapshot]:
        found = tuple(stores)
        parts = [found[start : start + part_size] for start in range(0, len(found), part_size)] or [()]
        return [
            Snapshot(epoch=self.epoch, seq=self.seq, stores=part, last=number == len(parts))
            for number, part in enumerate(parts, start=1)
        ]

    def _publish(self, op: Literal["upsert", "delete"], store_id: str, uid: str, store: Store | None = None) -> None:
        self.seq += 1
        delta = Delta(seq=self.seq, op=op, store_id=store_id, uid=uid, store=store)
        self._log.append(delta)
        self._send(_text(delta), lambda line: line.wants(store_id))

    def _send(self, item: str | Close, is_meant: Callable[[Line], bool] = lambda line: True) -> None:
        def put() -> None:
            for line in filter(is_meant, self._lines):
                line.outbox.put_nowait(item)

        self._in_loop(put)

    def _in_loop(self, do: Callable[[], None]) -> None:
        if self._loop is None or threading.current_thread() is self._thread:
            do()
            return

        async def done() -> None:
            do()

        asyncio.run_coroutine_threadsafe(done(), self._loop).result(TIMEOUT_SECONDS)


async def _read_until_gone(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def _write(websocket: WebSocket, outbox: asyncio.Queue[str | Close]) -> None:
    try:
        while True:
            item = await outbox.get()
            if isinstance(item, Close):
                await websocket.close(item.code, item.reason)
                return
            await websocket.send_text(item)
    except WebSocketDisconnect:
        return


def _text(frame: Wire | str) -> str:
    return frame if isinstance(frame, str) else json.dumps(dump(frame))


def _loopback_socket(port: int = 0) -> socket.socket:
    # As in the real server: asyncio disables Nagle's algorithm only on sockets that are created with the protocol TCP.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener
