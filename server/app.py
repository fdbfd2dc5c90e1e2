"""The application: routes, and a lifespan in which the reconciler runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from reconciler.controller import Controller
from server.auth.authority import OneToken
from server.auth.identity import Gate
from server.auth.session import Session
from server.auth.token_review import ClusterAuthority
from server.http.client_address import Forwarded
from server.http.middleware import Envelope
from server.http.problems import ProblemError, handle_error, problem_response
from server.live.hub import Hub
from server.live.socket import LiveSocket
from server.openapi.operation import routes
from server.openapi.operations import operations
from server.openapi.pages import Manual
from server.ops.metrics import Counted, Metrics
from server.ops.probes import Probes
from server.stores.calls import StoreCalls
from server.stores.credentials import CredentialsCall
from server.stores.verification import VerificationCall
from urumi.errors import UrumiError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from starlette.requests import Request
    from starlette.types import Lifespan
    from starlette.websockets import WebSocket

    from reconciler.kube.client import Kube
    from reconciler.settings import Settings
    from server.auth.authority import Authority
    from server.openapi.operation import Operation
    from server.settings import ServerSettings

STATIC = Path(__file__).resolve().parent / "static"
TROUBLE_LOOK_SECONDS = 0.5

log = logging.getLogger(__name__)


class Service:
    """One server: the controller, the hub that shows its stores, and the application in front of both."""

    def __init__(self, kube: Kube, settings: Settings, server_settings: ServerSettings) -> None:
        self.controller = Controller(kube, settings)
        view = self.controller.view
        self.hub = Hub(
            lambda store_id: view.stores.get(store_id, settings.platform_namespace),
            lambda: list(view.stores.items.values()),
        )
        view.stores.on_change(self.hub.publish)
        self.is_stopping = False
        self.on_failure: Callable[[], None] = lambda: None
        self._kube = kube
        gate = Gate(_authority(kube, settings, server_settings))
        self._stores = StoreCalls(kube, view, gate, server_settings, settings.platform_namespace)
        self._verification = VerificationCall(kube, view, settings, self._stores.find)
        self._credentials = CredentialsCall(kube, settings)
        self._session = Session(gate, server_settings.session_seconds)
        says_why = "health" in server_settings.anonymous_reads
        self._probes = Probes(view, self.controller.elector, lambda: self.is_stopping, says_why=says_why)
        self._metrics = Metrics(self.controller, self.hub)
        self._live = LiveSocket(
            self.hub,
            gate,
            view.stores.seconds_since_last_response,
            view.trouble,
            max_sockets=server_settings.max_sockets,
            review_seconds=server_settings.auth_cache_seconds,
        )
        manual = Manual()
        table = operations(
            self._stores,
            self._verification,
            self._credentials,
            self._session,
            self._probes,
            self._metrics,
            manual,
            server_settings.anonymous_reads,
        )
        manual.operations = table
        self.app = application(table, gate, self._live, server_settings, self._lifespan)

    def stop(self) -> None:
        """Say goodbye to everybody who listens, and be ready for nothing more."""
        self.is_stopping = True
        self.hub.say_goodbye()

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(self.controller.run(), name="controller")
        task.add_done_callback(self._controller_ended)
        telling = asyncio.create_task(self._tell_trouble(), name="tell trouble")
        try:
            yield
        finally:
            telling.cancel()
            task.cancel()
            await asyncio.gather(task, telling, return_exceptions=True)
            await self._kube.close()

    async def _tell_trouble(self) -> None:
        """Have subscribers told when the cluster gets out of sight, and when it is back."""
        was_in_trouble = False
        while True:
            await asyncio.sleep(TROUBLE_LOOK_SECONDS)
            is_in_trouble = bool(self.controller.view.trouble())
            if is_in_trouble != was_in_trouble:
                self.hub.remind()
            was_in_trouble = is_in_trouble

    def _controller_ended(self, task: asyncio.Task[None]) -> None:
        # A server whose reconciler is dead would go on showing a picture that nobody works on.
        if not task.cancelled():
            log.critical("the reconciler ended", exc_info=task.exception())
            self.on_failure()


def _authority(kube: Kube, settings: Settings, server_settings: ServerSettings) -> Authority:
    if server_settings.auth_mode == "kubernetes":
        return ClusterAuthority(kube, settings.platform_namespace, server_settings.auth_cache_seconds)
    return OneToken(server_settings.token, server_settings.session_seconds)


def application(
    table: Sequence[Operation],
    gate: Gate,
    live: LiveSocket,
    settings: ServerSettings,
    lifespan: Lifespan[Starlette],
) -> Starlette:
    """Return the application that serves a table of operations, the page and the live socket."""
    all_routes = [
        *routes(table, gate),
        Route("/", _page),
        Mount("/static", StaticFiles(directory=STATIC)),
        WebSocketRoute("/ws", live.__call__),
        WebSocketRoute("/{path:path}", _no_socket),
    ]
    around = [Middleware(Forwarded, trusted=settings.trusted_proxies), Middleware(Counted), Middleware(Envelope)]
    return Starlette(
        routes=all_routes,
        middleware=around,
        exception_handlers={404: handle_error, 405: handle_error, UrumiError: handle_error},
        lifespan=lifespan,
    )


async def _no_socket(socket: WebSocket) -> None:
    problem = ProblemError("not-found", f"There is no WebSocket at {socket.url.path}.", hint="Live changes are at /ws.")
    await socket.send_denial_response(problem_response(socket, problem))


async def _page(request: Request) -> Response:
    return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})
