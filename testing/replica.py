"""The live side of a replica: uvicorn, the endpoint and the hub of the product, in the test's event loop.

Only the Store informer is replaced: a test calls `Replica.put` and `Replica.remove` as the informer would.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from reconciler.store.object import StoreObject
from server.auth.authority import SharedToken
from server.auth.ended_sessions import EndedSessions
from server.auth.identity import Gate
from server.auth.sessions import Sessions
from server.http.middleware import Envelope
from server.live.connection import Connection
from server.live.hub import Hub
from server.live.socket import LiveSocket
from server.ops.metrics import RequestCounter
from testing.apiserver.server import ApiServer
from urumi.wire import SUBPROTOCOL

TOKEN = "s3cret"
PATIENCE_SECONDS = 60.0

Object = dict[str, Any]


def store_object(store_id: str, version: int, uid: str = "", text: str = "") -> Object:
    """Return a Store as the informer keeps it; the version shows as its generation."""
    event = {"type": "Ready", "message": text, "timestamp": "2026-11-24T10:00:00Z"}
    return {
        "metadata": {
            "name": store_id,
            "uid": uid or f"uid-of-{store_id}",
            "creationTimestamp": "2026-11-24T10:00:00Z",
            "generation": version,
        },
        "spec": {"storeId": store_id, "engine": "woocommerce"},
        "status": {"phase": "Ready", "events": [event]},
    }


class Replica:
    """A server of live sockets; an async context manager, and restartable on the same port."""

    def __init__(self, *, max_sockets: int = 10_000, port: int = 0) -> None:
        self.stores: dict[str, Object] = {}
        self.trouble = ""
        self._max_sockets = max_sockets
        self._port = port
        self._begin()

    @property
    def url(self) -> str:
        """The address of the endpoint."""
        return f"ws://127.0.0.1:{self._port}/ws"

    @property
    def connections(self) -> int:
        """The number of connections of the server, in any state."""
        return len(self._server.server_state.connections)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Serve."""
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        await until(lambda: self._server.started)

    async def stop(self) -> None:
        """Stop as on SIGTERM."""
        self.hub.say_goodbye()
        self._server.should_exit = True
        await self._task

    async def restart(self) -> None:
        """Stop, and start with another epoch."""
        await self.stop()
        self._begin()
        await self.start()

    def put(self, store: Object) -> None:
        """Add or change a store."""
        store_id = store["metadata"]["name"]
        before = self.stores.get(store_id)
        self.stores[store_id] = store
        self.hub.publish(before, store)

    def remove(self, store_id: str) -> None:
        """Remove a store, if it exists."""
        before = self.stores.pop(store_id, None)
        self.hub.publish(before, None)

    def connect(self, **options: Any) -> connect:
        """Return a connection that is to be opened, with the token."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return connect(self.url, additional_headers=headers, subprotocols=[Subprotocol(SUBPROTOCOL)], **options)

    def _store(self, store_id: str) -> StoreObject | None:
        raw = self.stores.get(store_id)
        return None if raw is None else StoreObject(raw)

    def _begin(self) -> None:
        self.hub = Hub(self._store, lambda: [StoreObject(raw) for raw in self.stores.values()])
        authority = SharedToken(TOKEN)
        gate = Gate(authority, Sessions(authority, EndedSessions(ApiServer(), ""), seconds=600))
        live = LiveSocket(
            self.hub, gate, lambda: 0.0, lambda: self.trouble, max_sockets=self._max_sockets, review_seconds=30.0
        )
        app = Starlette(
            routes=[WebSocketRoute("/ws", live.__call__)], middleware=[Middleware(RequestCounter), Middleware(Envelope)]
        )
        config = uvicorn.Config(
            app,
            ws=Connection,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=10,
        )
        self._server = QuietServer(config)


class QuietServer(uvicorn.Server):
    """uvicorn without its handlers of signals, which belong to the test run."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def until(condition: Any, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
