"""The application: the routes and their middleware, and the lifespan in which the reconciler runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from reconciler.controller import Controller
from server.auth.authority import SharedToken
from server.auth.ended_sessions import EndedSessions
from server.auth.identity import Gate
from server.auth.session_calls import SessionCalls
from server.auth.sessions import Sessions
from server.auth.token_review import ClusterAuthority
from server.http.forwarded import ForwardedHeaders
from server.http.middleware import Envelope
from server.http.page import STATIC, page
from server.http.problems import LIVE_PATH, ProblemError, handle_error, problem_response
from server.live.hub import Hub
from server.live.socket import LiveSocket
from server.openapi.operation import routes
from server.openapi.operations import operations
from server.openapi.pages import ApiReference
from server.ops.metrics import Metrics, RequestCounter
from server.ops.probes import Probes
from server.stores.calls import StoreCalls
from server.stores.credentials import CredentialsCall
from server.stores.verification import VerificationCall
from urumi.errors import UrumiError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from starlette.types import Lifespan
    from starlette.websockets import WebSocket

    from reconciler.kube.client import Kube
    from reconciler.settings import Settings
    from server.auth.authority import Authority
    from server.openapi.operation import Operation
    from server.settings import ServerSettings

TROUBLE_POLL_SECONDS = 0.5

log = logging.getLogger(__name__)


class Service:
    """One server: the controller, the hub with its stores, and the application in front of both."""

    def __init__(self, kube: Kube, settings: Settings, server_settings: ServerSettings) -> None:
        self.controller = Controller(kube, settings)
        view = self.controller.view
        self.hub = Hub(view.store, view.all_stores)
        view.stores.on_change(self.hub.publish)
        self.is_stopping = False
        self.on_failure: Callable[[], None] = lambda: None
        self._kube = kube
        authority: Authority
        if server_settings.auth_mode == "kubernetes":
            authority = ClusterAuthority(kube, settings.platform_namespace, server_settings.auth_cache_seconds)
        else:
            authority = SharedToken(server_settings.token)
        self._ended_sessions = EndedSessions(kube, settings.platform_namespace)
        gate = Gate(authority, Sessions(authority, self._ended_sessions, server_settings.session_seconds))
        self._stores = StoreCalls(kube, view, gate, server_settings, settings.platform_namespace)
        self._verification = VerificationCall(kube, view, settings, self._stores.find)
        self._credentials = CredentialsCall(kube, settings)
        self._session = SessionCalls(gate)
        shows_reasons = "health" in server_settings.anonymous_reads
        self._probes = Probes(view, self.controller.elector, lambda: self.is_stopping, shows_reasons=shows_reasons)
        self._metrics = Metrics(self.controller, self.hub)
        self._live = LiveSocket(
            self.hub,
            gate,
            view.stores.seconds_since_last_response,
            view.trouble,
            max_sockets=server_settings.max_sockets,
            review_seconds=server_settings.auth_cache_seconds,
        )
        reference = ApiReference()
        table = operations(
            self._stores,
            self._verification,
            self._credentials,
            self._session,
            self._probes,
            self._metrics,
            reference,
            server_settings.anonymous_reads,
        )
        reference.operations = table
        self.app = application(table, gate, self._live, server_settings, self._lifespan)

    def stop(self) -> None:
        """Send a goodbye frame to the live subscribers, and stop being ready."""
        self.is_stopping = True
        self.hub.say_goodbye()

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(self.controller.run(), name="controller")
        task.add_done_callback(self._controller_ended)
        background = (
            asyncio.create_task(self._watch_trouble(), name="watch trouble"),
            asyncio.create_task(self._ended_sessions.run(), name="ended sessions"),
        )
        try:
            yield
        finally:
            for each in (task, *background):
                each.cancel()
            await asyncio.gather(task, *background, return_exceptions=True)
            await self._kube.close()

    async def _watch_trouble(self) -> None:
        """Notify the subscribers when the cluster becomes unreachable, and when it is reachable again."""
        was_in_trouble = False
        while True:
            await asyncio.sleep(TROUBLE_POLL_SECONDS)
            is_in_trouble = bool(self.controller.view.trouble())
            if is_in_trouble != was_in_trouble:
                self.hub.notify_all()
            was_in_trouble = is_in_trouble

    def _controller_ended(self, task: asyncio.Task[None]) -> None:
        # A server without its reconciler would keep showing stores that no longer change.
        if not task.cancelled():
            log.critical("reconciler ended", exc_info=task.exception())
            self.on_failure()


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
        Route("/", page),
        Mount("/static", StaticFiles(directory=STATIC)),
        WebSocketRoute(LIVE_PATH, live.__call__),
        WebSocketRoute("/{path:path}", _no_socket),
    ]
    middleware = [
        Middleware(ForwardedHeaders, trusted=settings.trusted_proxies, root_path=settings.root_path),
        Middleware(RequestCounter),
        Middleware(Envelope),
    ]
    app = Starlette(
        routes=all_routes,
        middleware=middleware,
        exception_handlers={404: handle_error, 405: handle_error, UrumiError: handle_error},
        lifespan=lifespan,
    )
    # Starlette would redirect /stores/ to an absolute URL with the scheme of the last proxy's connection, and a client
    # that follows it from https to http sends its token in clear text.
    app.router.redirect_slashes = False
    return app


async def _no_socket(socket: WebSocket) -> None:
    problem = ProblemError("not-found", f"No WebSocket at {socket.url.path}.", hint="Connect to /ws.")
    await socket.send_denial_response(problem_response(socket, problem))
