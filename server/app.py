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
from server.credentials import CredentialsCall
from server.envelope import Envelope
from server.hub import Hub
from server.identity import Gate
from server.metrics import Counted, Metrics
from server.probes import Probes
from server.problems import handle_error
from server.session import Session
from server.socket import LiveSocket
from server.stores import StoreCalls
from urumi.errors import UrumiError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request

    from reconciler.kube import Kube
    from reconciler.settings import Settings
    from server.settings import ServerSettings

STATIC = Path(__file__).resolve().parent / "static"

log = logging.getLogger(__name__)


class Service:
    """One server: the controller, the hub that shows its stores, and the application in front of both."""

    def __init__(self, kube: Kube, settings: Settings, server_settings: ServerSettings) -> None:
        self.controller = Controller(kube, settings)
        view = self.controller.view
        self.hub = Hub(view.store, lambda: list(view.stores.items.values()))
        view.stores.on_change(self.hub.publish)
        self.is_stopping = False
        self.on_failure: Callable[[], None] = lambda: None
        self._kube = kube
        gate = Gate(server_settings.token, server_settings.session_seconds)
        self._stores = StoreCalls(kube, view, gate, server_settings, settings.platform_namespace)
        self._credentials = CredentialsCall(kube, gate, settings.platform_namespace)
        self._session = Session(gate, server_settings.session_seconds)
        self._probes = Probes(view, self.controller.leadership, lambda: self.is_stopping)
        self._metrics = Metrics(self.controller, self.hub)
        self._live = LiveSocket(self.hub, gate, server_settings.max_sockets, view.stores.silence_seconds)
        self.app = self._application(server_settings)

    def stop(self) -> None:
        """Say goodbye to everybody who listens, and be ready for nothing more."""
        self.is_stopping = True
        self.hub.say_goodbye()

    def _application(self, server_settings: ServerSettings) -> Starlette:
        routes = [
            Route("/", _page),
            Mount("/static", StaticFiles(directory=STATIC)),
            Route("/session", self._session.who, methods=["GET"]),
            Route("/session", self._session.sign_in, methods=["POST"]),
            Route("/session", self._session.sign_out, methods=["DELETE"]),
            Route("/stores", self._stores.list, methods=["GET"]),
            Route("/stores", self._stores.create, methods=["POST"]),
            Route("/stores/{store_id}", self._stores.get, methods=["GET"]),
            Route("/stores/{store_id}", self._stores.delete, methods=["DELETE"]),
            Route("/stores/{store_id}/events", self._stores.events, methods=["GET"]),
            Route("/stores/{store_id}/retry", self._stores.retry, methods=["POST"]),
            Route("/stores/{store_id}/credentials", self._credentials.read, methods=["POST"]),
            Route("/livez", self._probes.livez),
            Route("/readyz", self._probes.readyz),
            Route("/healthz", self._probes.healthz),
            Route("/metrics", self._metrics.show),
            WebSocketRoute("/ws", self._live.__call__),
        ]
        return Starlette(
            routes=routes,
            middleware=[Middleware(Counted), Middleware(Envelope)],
            exception_handlers={404: handle_error, 405: handle_error, 413: handle_error, UrumiError: handle_error},
            lifespan=self._lifespan,
            max_body_size=server_settings.max_body_bytes,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(self.controller.run(), name="controller")
        task.add_done_callback(self._controller_ended)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._kube.close()

    def _controller_ended(self, task: asyncio.Task[None]) -> None:
        # A server whose reconciler is dead would go on showing a picture that nobody works on.
        if not task.cancelled():
            log.critical("the reconciler ended", exc_info=task.exception())
            self.on_failure()


async def _page(request: Request) -> Response:
    return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})
