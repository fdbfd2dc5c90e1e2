"""GET /metrics: what the process counted, and what can be read off it at the moment of asking.

It says how many stores there are, never which; whether strangers may know, ANONYMOUS_READS says. The labels of requests
are the paths of routes, not of requests, so that nobody can make new series by asking for odd things.
"""

from __future__ import annotations

from collections import Counter as Tally
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.responses import Response

from reconciler.metrics import REGISTRY, InformerCollector, gauges
from server.stores.representation import phase_of
from urumi.store import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.metrics_core import Metric
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reconciler.controller import Controller
    from server.live.hub import Hub

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE, NO_METHOD, SWITCHED = "none", "other", 101

HTTP_REQUESTS = Counter(
    "urumi_http_requests",
    "Answered requests; a WebSocket that was let in has code 101.",
    ["route", "method", "code"],
    registry=REGISTRY,
)
WS_DROPPED = Counter("urumi_ws_dropped", "Live subscribers that were dropped, and why.", ["reason"], registry=REGISTRY)
WS_SEND_SECONDS = Histogram(
    "urumi_ws_send_seconds",
    "How long a live subscriber took to take what it was sent, but for changes that it took at once.",
    buckets=(0.0005, 0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5),
    registry=REGISTRY,
)
for _reason in ("slow", "forgotten"):
    WS_DROPPED.labels(_reason)


class ServiceCollector(Collector):
    """Reads the controller and the hub of one server when somebody asks."""

    def __init__(self, controller: Controller, hub: Hub) -> None:
        self._controller = controller
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges."""
        counts = Tally(phase_of(store) for store in self._controller.view.stores.items.values())
        leader_loop = self._controller.leader_loop
        yield gauges("urumi_stores", "Stores by phase.", "phase", {phase.value: counts[phase.value] for phase in Phase})
        yield _gauge("urumi_leader", "1 where this process reconciles.", self._controller.elector.is_leading)
        yield _gauge(
            "urumi_queue_depth", "Stores in line for a reconcile.", len(leader_loop.queue) if leader_loop else 0
        )
        yield _gauge("urumi_ws_clients", "Live subscribers.", len(self._hub.outboxes))


class Metrics:
    """The endpoint of one server."""

    def __init__(self, controller: Controller, hub: Hub) -> None:
        self._registry = CollectorRegistry()
        for collector in (_Process(), InformerCollector(controller.view.informers), ServiceCollector(controller, hub)):
            self._registry.register(collector)

    async def show(self, request: Request) -> Response:
        """GET /metrics."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._registry), headers={"Content-Type": content_type})


class Counted:
    """Pure ASGI middleware that counts answers; the outermost one, so that it sees what left."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on and count its answer."""

        async def send_counted(message: Message) -> None:
            match message["type"]:
                case "http.response.start" | "websocket.http.response.start":
                    _count(scope, message["status"])
                case "websocket.accept":
                    _count(scope, SWITCHED)
            await send(message)

        await self._app(scope, receive, send if scope["type"] == "lifespan" else send_counted)


class _Process(Collector):
    """What the process counts, whichever server of it is asked."""

    def collect(self) -> Iterable[Metric]:
        return REGISTRY.collect()


def _count(scope: Scope, code: int) -> None:
    method = scope.get("method", "GET")
    route = getattr(scope.get("route"), "path", NO_ROUTE)
    HTTP_REQUESTS.labels(route, method if method in METHODS else NO_METHOD, code).inc()


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=value)
