"""A server that speaks docs/protocol.md, with a switch for everything that can go wrong on the way.

It runs in a thread of its own on a loopback port that stays the same over restarts. Tests change its stores and its
behaviour from their own thread; everything that touches a socket is handed to the server's event loop.
"""

import asyncio
import json
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.urumi.stores import make_store
from urumi.wire import SUBPROTOCOL, Bookmark, Delta, Goodbye, Resync, Snapshot, Store, Wire, dump

PATIENCE_SECONDS = 10.0


@dataclass(frozen=True)
class Close:
    """Put into a line in place of a frame: close it with this code."""

    code: int
    reason: str = ""


@dataclass(eq=False)
class Line:
    """One live socket, from the server's side."""

    subscription: dict[str, Any]
    outbox: asyncio.Queue[str | Close] = field(default_factory=asyncio.Queue)

    def wants(self, store_id: str) -> bool:
        """Return whether the subscriber asked for this store."""
        stores = self.subscription["stores"]
        return stores == "all" or store_id in stores


class Peer:
    """The server; a context manager.

    Attributes:
        answer: what the next REST call gets in place of the right answer.
        denial: the status with which handshakes are refused.
        opening: what new subscribers are told in place of a snapshot and a bookmark.
    """

    def __init__(self) -> None:
        self._lines: set[Line] = set()
        self._changed = threading.Condition()
        self._listener = _loopback_socket()
        self._port = self._listener.getsockname()[1]
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._be_new()

    def _be_new(self) -> None:
        self.token = secrets.token_urlsafe(12)
        self.stores: dict[str, Store] = {}
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.subscriptions: list[dict[str, Any]] = []
        self.answer: Response | None = None
        self.denial = 0
        self.opening: list[Wire | str] | None = None
        self.on_delete: Callable[[str], None] = self.remove
        self.forget()

    @property
    def url(self) -> str:
        """The server's URL."""
        return f"http://127.0.0.1:{self._port}"

    # --- Life

    def start(self) -> None:
        """Serve in a thread."""
        if self._listener.fileno() == -1:
            self._listener = _loopback_socket(self._port)
        routes = [
            Route("/stores", self._list),
            Route("/stores", self._create, methods=["POST"]),
            Route("/stores/{store_id}", self._get),
            Route("/stores/{store_id}", self._delete, methods=["DELETE"]),
            Route("/stores/{store_id}/events", self._events),
            Route("/stores/{store_id}/retry", self._retry, methods=["POST"]),
            Route("/stores/{store_id}/credentials", self._credentials, methods=["POST"]),
            WebSocketRoute("/ws", self._live),
        ]
        app = Starlette(routes=routes)
        config = uvicorn.Config(
            app, lifespan="off", log_config=None, ws="websockets-sansio", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, args=(self._server, self._listener), daemon=True)
        self._thread.start()
        self.wait_for(lambda: self._server is not None and self._server.started, "the peer to start")

    def stop(self) -> None:
        """Stop serving; everybody connected is told by close code 1012."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._tell(lambda line: True, Close(1012, "the server restarts"))
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()
        self._listener.close()
        self._server = self._thread = self._loop = None

    def forget(self) -> None:
        """Begin a new epoch, as a restarted server does."""
        self.epoch = secrets.token_hex(4)
        self.seq = 0
        self._log: list[Delta] = []

    def start_over(self) -> None:
        """Be up, without stores, subscribers or mischief."""
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

    # --- What tests do to it

    def put(self, store: Store) -> None:
        """Make or change a store."""

        def put() -> None:
            self.stores[store.store_id] = store
            self._publish("upsert", store)

        self._in_loop(put)

    def remove(self, store_id: str) -> None:
        """Take a store away."""
        self._in_loop(lambda: self._publish("delete", self.stores.pop(store_id)))

    def say(self, *frames: Wire | str) -> None:
        """Send frames, or text that is none, to every subscriber."""
        for frame in frames:
            self._tell(lambda line: True, _text(frame))

    def bookmark(self, **sight: Any) -> None:
        """Tell everybody that there is nothing newer, and how well the cluster is seen."""
        self.say(Bookmark(epoch=self.epoch, seq=self.seq, **sight))

    def snapshot(self, *, last: bool = True) -> Snapshot:
        """Return the whole picture as one frame."""
        return Snapshot(epoch=self.epoch, seq=self.seq, stores=tuple(self.stores.values()), last=last)

    def resync(self) -> None:
        """Send everybody the whole picture anew."""
        self.say(Resync(reason="the place is not known any more"), self.snapshot())

    def goodbye(self, *, retry_ms: int) -> None:
        """Say goodbye to everybody."""
        self.say(Goodbye(reason="the server stops", retry_ms=retry_ms))
        self.hang_up(1012)

    def hang_up(self, code: int = 1011, reason: str = "") -> None:
        """Close every line."""
        self._tell(lambda line: True, Close(code, reason))

    def wait_for_lines(self, count: int = 1) -> None:
        """Wait until that many subscribers are connected."""
        self.wait_for(lambda: len(self._lines) == count, f"{count} lines")

    def wait_for_subscriptions(self, count: int) -> None:
        """Wait until that many subscriptions were made in all."""
        self.wait_for(lambda: len(self.subscriptions) >= count, f"{count} subscriptions")

    def wait_for(self, look: Callable[[], bool], what: str) -> None:
        """Wait until something is true of the peer."""
        with self._changed:
            # The server's own start is not announced, so it is looked for as well.
            done = any(self._changed.wait_for(look, 0.02) for _ in range(int(PATIENCE_SECONDS / 0.02)))
            assert done, f"waited {PATIENCE_SECONDS:g} s for {what}"

    # --- REST

    async def _list(self, request: Request) -> Response:
        wanted = request.query_params
        items = [
            dump(store)
            for store in self.stores.values()
            if wanted.get("phase", store.phase) == store.phase
            and wanted.get("engine", store.engine) == store.engine
            and wanted.get("q", "") in store.store_id
        ]
        return await self._reply(request, {"items": items, "ageSeconds": 0.2})

    async def _create(self, request: Request) -> Response:
        body = json.loads(await request.body())
        store_id, known = body["storeId"], self.stores.get(body["storeId"])
        if known is not None and known.engine != body["engine"]:
            problem = f"Store {store_id} exists with engine {known.engine}."
            return await self._reply(request, _problem(409, "conflict", problem, hint="Choose another storeId."), 409)
        store = known or make_store(store_id, "Pending", engine=body["engine"], url="")
        answer = await self._reply(request, dump(store), 200 if known else 202)
        if answer.status_code == 202:
            self.put(store)
        return answer

    async def _get(self, request: Request) -> Response:
        store = self.stores.get(request.path_params["store_id"])
        return await (self._absent(request) if store is None else self._reply(request, dump(store)))

    async def _events(self, request: Request) -> Response:
        store = self.stores.get(request.path_params["store_id"])
        if store is None:
            return await self._absent(request)
        return await self._reply(request, {"storeId": store.store_id, "items": dump(store).get("events", [])})

    async def _retry(self, request: Request) -> Response:
        store = self.stores.get(request.path_params["store_id"])
        return await (self._absent(request) if store is None else self._reply(request, dump(store), 202))

    async def _credentials(self, request: Request) -> Response:
        store = self.stores.get(request.path_params["store_id"])
        if store is None:
            return await self._absent(request)
        account = {"username": "admin", "password": f"password-of-{store.store_id}", "adminUrl": f"{store.url}/admin"}
        return await self._reply(request, {"storeId": store.store_id, **account})

    async def _delete(self, request: Request) -> Response:
        store_id = request.path_params["store_id"]
        if store_id not in self.stores:
            return await self._reply(request, {"deleted": False, "storeId": store_id, "reason": "NotFound"})
        answer = await self._reply(request, {"deleted": True, "storeId": store_id}, 202)
        if answer.status_code == 202:
            self.on_delete(store_id)
        return answer

    async def _absent(self, request: Request) -> Response:
        store_id = request.path_params["store_id"]
        return await self._reply(request, _problem(404, "not-found", f"There is no store {store_id!r}."), 404)

    async def _reply(self, request: Request, body: Any, status: int = 200) -> Response:
        line = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        self.requests.append((request.method, line, dict(request.headers), await request.body()))
        if not self._knows(request):
            return JSONResponse(_problem(401, "unauthorized", "The token is not the server's."), 401)
        answer, self.answer = self.answer, None
        return answer or JSONResponse(body, status)

    def _knows(self, connection: HTTPConnection) -> bool:
        return connection.headers.get("authorization") == f"Bearer {self.token}"

    # --- Live

    async def _live(self, websocket: WebSocket) -> None:
        denial = self.denial or (0 if self._knows(websocket) else 401)
        if denial:
            await websocket.send_denial_response(JSONResponse(_problem(denial, "refused", "no"), denial))
            return
        assert SUBPROTOCOL in websocket.scope["subprotocols"]
        await websocket.accept(SUBPROTOCOL)
        line = Line(json.loads(await websocket.receive_text()))
        for frame in self._opening(line):
            line.outbox.put_nowait(_text(frame))
        self._enter(line)
        reader = asyncio.create_task(_read_until_gone(websocket))
        writer = asyncio.create_task(_write(websocket, line.outbox))
        try:
            await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reader, writer):
                task.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)
            self._leave(line)

    def _opening(self, line: Line) -> list[Wire | str]:
        if self.opening is not None:
            opening, self.opening = self.opening, None
            return opening
        bookmark = Bookmark(epoch=self.epoch, seq=self.seq)
        place = line.subscription.get("resume")
        if place and place["epoch"] == self.epoch:
            return [
                *(delta for delta in self._log if delta.seq > place["seq"] and line.wants(delta.store_id)),
                bookmark,
            ]
        stores = tuple(store for store in self.stores.values() if line.wants(store.store_id))
        return [Snapshot(epoch=self.epoch, seq=self.seq, stores=stores, last=True), bookmark]

    def _enter(self, line: Line) -> None:
        with self._changed:
            self._lines.add(line)
            self.subscriptions.append(line.subscription)
            self._changed.notify_all()

    def _leave(self, line: Line) -> None:
        with self._changed:
            self._lines.discard(line)
            self._changed.notify_all()

    def _publish(self, op: Literal["upsert", "delete"], store: Store) -> None:
        self.seq += 1
        shown = store if op == "upsert" else None
        delta = Delta(seq=self.seq, op=op, store_id=store.store_id, uid=store.uid, store=shown)
        self._log.append(delta)
        self._tell(lambda line: line.wants(delta.store_id), _text(delta))

    def _tell(self, is_meant: Callable[[Line], bool], item: str | Close) -> None:
        def put() -> None:
            for line in [line for line in self._lines if is_meant(line)]:
                line.outbox.put_nowait(item)

        self._in_loop(put)

    def _in_loop(self, do: Callable[[], Any]) -> None:
        """Run in the server's thread, between its steps, so that nobody sees half of a change."""
        if self._loop is None or threading.current_thread() is self._thread:
            do()
            return

        async def done() -> None:
            do()

        asyncio.run_coroutine_threadsafe(done(), self._loop).result(PATIENCE_SECONDS)


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


def _problem(status: int, name: str, detail: str, **more: str) -> dict[str, Any]:
    return {"type": f"urn:urumi:problem:{name}", "title": name, "status": status, "detail": detail, **more}


def _loopback_socket(port: int = 0) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener
