"""A server for the page's tests: the real static files and headers, the real protocol, stores out of a script.

It is a second, independent reading of docs/protocol.md, so that the tests can make it do what the real server seldom
does: small snapshot parts, a resync in the middle, silence, a goodbye, refusals of every kind. It runs in a thread of
its own; the test's thread changes its stores through `put` and `remove`, also while it is stopped.
"""

import asyncio
import json
import secrets
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from server.http.middleware import Envelope
from tests.page.stores import make_store
from urumi.store import Phase
from urumi.wire import (
    SUBPROTOCOL,
    Bookmark,
    CreateStore,
    Credentials,
    Delta,
    Goodbye,
    Resync,
    Snapshot,
    Store,
    Subscribe,
    Wire,
    dump,
)

STATIC = Path(__file__).resolve().parents[2] / "server" / "static"
COOKIE = "urumi_session"
SNAPSHOT_PART = 100
Refusal = tuple[int, dict[str, Any], dict[str, str]]


def refusal(status: int, name: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> Refusal:
    """Return a problem that the peer may be told to answer with."""
    body = {"type": f"urn:urumi:problem:{name}", "title": name, "status": status, "detail": detail, **more}
    return status, body, headers or {}


class Peer:
    """The server; `url` stays the same over restarts."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(16)
        self.answers = threading.Event()
        self._port = 0
        self._forget_all()
        self._outboxes: set[asyncio.Queue[str | None]] = set()
        self._server: uvicorn.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def _forget_all(self) -> None:
        self.stores: dict[str, Store] = {}
        self.requests: list[str] = []
        self.next_refusal: Refusal | None = None
        self.goodbye_ms: int | None = None
        self.refuse_sockets = False
        self.close_code = 1012
        self.answers.set()
        self._cookie = secrets.token_urlsafe(16)
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        self.epoch = secrets.token_hex(4)
        self._seq = 0
        self._log: list[Delta] = []

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start with a new epoch; returns when the port answers."""
        # As the real server has it: asyncio switches Nagle's delay off only where a socket says that it is TCP.
        listener = socket.socket(proto=socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        self._begin_epoch()
        config = uvicorn.Config(
            self._application(), ws="websockets-sansio", lifespan="off", log_config=None, timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(listener),), name="peer")
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the peer ended at its start"
            time.sleep(0.005)

    def stop(self) -> None:
        """Stop, with a goodbye where `goodbye_ms` is set; returns when the port is closed."""
        assert self._server is not None
        assert self._thread is not None
        if self.goodbye_ms is not None:
            self._in_loop(partial(self._send, Goodbye(reason="the server stops", retry_ms=self.goodbye_ms)))
        self.drop_sockets()
        self._server.should_exit = True
        self._thread.join(timeout=10)
        assert not self._thread.is_alive(), "the peer did not end within 10 s"
        self._loop = None

    def reset(self) -> None:
        """Be as new, and run."""
        self._in_loop(self._forget_all)
        if self._loop is None:
            self.start()

    def put(self, *stores: Store) -> None:
        """Add stores, or change them."""
        for store in stores:
            self._in_loop(partial(self._put, store))

    def remove(self, store_id: str) -> None:
        """Take a store away."""
        self._in_loop(lambda: self._remove(store_id))

    def forget_silently(self, store_id: str) -> None:
        """Take a store away without telling anybody."""
        self._in_loop(partial(self.stores.__delitem__, store_id))

    def tell_delete(self, store_id: str, uid: str) -> None:
        """Tell that a store is gone, whatever there is."""
        self._in_loop(lambda: self._publish(Delta(seq=self._seq + 1, op="delete", store_id=store_id, uid=uid)))

    def bookmark(self, **sight: Any) -> None:
        """Tell every subscriber how long the cluster has been silent, and why it is out of sight."""
        self._in_loop(lambda: self._send(Bookmark(epoch=self.epoch, seq=self._seq, **sight)))

    def send_text(self, text: str) -> None:
        """Send something that may not be of the protocol."""
        self._in_loop(partial(self._send_text, text))

    def resync(self) -> None:
        """Make every subscriber start over, and send the whole picture in small parts."""
        self._in_loop(self._resync)

    def end_sessions(self) -> None:
        """Make every cookie that was given out worthless."""
        self._cookie = secrets.token_urlsafe(16)

    def drop_sockets(self) -> None:
        """Close every live connection without a word; the port stays open."""
        self._in_loop(partial(self._send_text, None))

    def _in_loop(self, change: Callable[[], None]) -> None:
        if self._loop is None:
            change()
            return
        asyncio.run_coroutine_threadsafe(_run(change), self._loop).result(timeout=10)

    async def _serve(self, listener: socket.socket) -> None:
        assert self._server is not None
        self._loop = asyncio.get_running_loop()
        with listener:
            await self._server.serve(sockets=[listener])

    def _application(self) -> Starlette:
        routes = [
            Route("/", lambda request: FileResponse(STATIC / "index.html")),
            Mount("/static", _Cached(StaticFiles(directory=STATIC))),
            Route("/session", self._sign_in, methods=["POST"]),
            Route("/session", self._guarded(self._who), methods=["GET"]),
            Route("/session", self._guarded(self._sign_out), methods=["DELETE"]),
            Route("/stores", self._guarded(self._create), methods=["POST"]),
            Route("/stores/{store_id}", self._guarded(self._delete), methods=["DELETE"]),
            Route("/stores/{store_id}/retry", self._guarded(self._retry), methods=["POST"]),
            Route("/stores/{store_id}/credentials", self._guarded(self._credentials), methods=["POST"]),
            WebSocketRoute("/ws", self._live),
        ]
        return Starlette(routes=routes, middleware=[Middleware(Envelope)])

    def _guarded(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            self.requests.append(
                f"{request.method} {request.url.path}{'?' * bool(request.url.query)}{request.url.query}"
            )
            if request.cookies.get(COOKIE) != self._cookie:
                return _problem(refusal(401, "unauthorized", "No token came with the request."))
            if request.method != "GET" and not self._is_own_origin(request):
                return _problem(refusal(403, "forbidden", "The request came from another origin."))
            if request.method != "GET" and self.next_refusal:
                refused, self.next_refusal = self.next_refusal, None
                return _problem(refused)
            await asyncio.to_thread(self.answers.wait)
            return await answer(request)

        return guarded

    def _is_own_origin(self, connection: HTTPConnection) -> bool:
        return connection.headers.get("origin") == self.url

    async def _sign_in(self, request: Request) -> Response:
        if (await request.json()).get("token") != self.token:
            return _problem(refusal(401, "unauthorized", "The token is not the server's."))
        response = Response(status_code=204)
        response.set_cookie(COOKIE, self._cookie, httponly=True, samesite="strict")
        return response

    async def _who(self, request: Request) -> Response:
        return JSONResponse({"user": "admin"})

    async def _sign_out(self, request: Request) -> Response:
        response = Response(status_code=204)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    async def _create(self, request: Request) -> Response:
        try:
            wanted = CreateStore.model_validate_json(await request.body())
        except ValidationError as error:
            return _problem(refusal(422, "invalid-request", str(error)))
        known = self.stores.get(wanted.store_id)
        if known is not None and known.engine != wanted.engine:
            detail = f"Store {wanted.store_id} exists with engine {known.engine}, asked for was {wanted.engine}."
            return _problem(refusal(409, "conflict", detail, hint="Choose another storeId."))
        if known is None:
            self._put(make_store(wanted.store_id, "Pending", engine=wanted.engine))
        return JSONResponse(dump(self.stores[wanted.store_id]), 202 if known is None else 200)

    async def _delete(self, request: Request) -> Response:
        store_id = request.path_params["store_id"]
        known = self.stores.get(store_id)
        if known is None:
            return JSONResponse({"deleted": False, "storeId": store_id, "reason": "NotFound"})
        if request.query_params.get("uid") != known.uid:
            return _problem(refusal(409, "conflict", f"Store {store_id} is another store by now."))
        self._put(known.model_copy(update={"phase": Phase.DELETING}))
        return JSONResponse({"deleted": True, "storeId": store_id}, 202)

    async def _retry(self, request: Request) -> Response:
        known = self.stores[request.path_params["store_id"]]
        self._put(known.model_copy(update={"phase": Phase.PROVISIONING, "last_error": None}))
        return JSONResponse(dump(known), 202)

    async def _credentials(self, request: Request) -> Response:
        known = self.stores[request.path_params["store_id"]]
        if (await request.json()).get("uid") != known.uid:
            return _problem(refusal(409, "conflict", f"Store {known.store_id} is another store by now."))
        account = Credentials(store_id=known.store_id, username="boss", password="s3<b>cret", admin_url=known.admin_url)
        return JSONResponse(dump(account))

    async def _live(self, socket: WebSocket) -> None:
        if self.refuse_sockets or socket.cookies.get(COOKIE) != self._cookie or not self._is_own_origin(socket):
            await socket.send_denial_response(_problem(refusal(401, "unauthorized", "Sign in first.")))
            return
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in socket.scope["subprotocols"] else None)
        outbox: asyncio.Queue[str | None] = asyncio.Queue()
        try:
            subscribe = Subscribe.model_validate_json(await socket.receive_text())
            for frame in self._first_frames(subscribe):
                outbox.put_nowait(json.dumps(dump(frame)))
            self._outboxes.add(outbox)
            reader = asyncio.create_task(_read(socket, outbox))
            while (text := await outbox.get()) is not None:
                await socket.send_text(text)
            reader.cancel()
            await socket.close(self.close_code)
        except (WebSocketDisconnect, RuntimeError):
            return
        finally:
            self._outboxes.discard(outbox)

    def _first_frames(self, subscribe: Subscribe) -> list[Wire]:
        resume = subscribe.resume
        if resume and resume.epoch == self.epoch and resume.seq <= self._seq:
            missed = [delta for delta in self._log if delta.seq > resume.seq]
            return [*missed, Bookmark(epoch=self.epoch, seq=self._seq)]
        return [*([Resync(reason="that place is no longer known")] if resume else []), *self._picture(SNAPSHOT_PART)]

    def _picture(self, part_size: int) -> list[Wire]:
        stores = list(self.stores.values())
        parts = [stores[start : start + part_size] for start in range(0, len(stores), part_size)] or [[]]
        return [
            Snapshot(epoch=self.epoch, seq=self._seq, stores=tuple(part), last=number == len(parts))
            for number, part in enumerate(parts, start=1)
        ]

    def _put(self, store: Store) -> None:
        self.stores[store.store_id] = store
        self._publish(Delta(seq=self._seq + 1, op="upsert", store_id=store.store_id, uid=store.uid, store=store))

    def _remove(self, store_id: str) -> None:
        store = self.stores.pop(store_id)
        self._publish(Delta(seq=self._seq + 1, op="delete", store_id=store_id, uid=store.uid))

    def _publish(self, delta: Delta) -> None:
        self._seq = delta.seq
        self._log.append(delta)
        self._send(delta)

    def _resync(self) -> None:
        self._send(Resync(reason="scripted"), *self._picture(1))

    def _send(self, *frames: Wire) -> None:
        for frame in frames:
            self._send_text(json.dumps(dump(frame)))

    def _send_text(self, text: str | None) -> None:
        for outbox in self._outboxes:
            outbox.put_nowait(text)


class _Cached:
    """Lets the browser keep the static files between tests; the real server's answers are its own tests' matter."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with a lifetime on the answer."""

        async def send_cached(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Cache-Control"] = "max-age=3600"
            await send(message)

        await self._app(scope, receive, send_cached)


async def _run(change: Callable[[], None]) -> None:
    change()


async def _read(socket: WebSocket, outbox: asyncio.Queue[str | None]) -> None:
    """Notice that the page is gone."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    outbox.put_nowait(None)


def _problem(refused: Refusal) -> Response:
    status, body, headers = refused
    return Response(json.dumps(body), status, headers, media_type="application/problem+json")
