"""GET /metrics: the counters of the process, and gauges that are read when the endpoint is called.

The metrics have counts of stores and never their names; URUMI_ANONYMOUS_READS decides whether anonymous callers may
read them. Requests are labelled with the path of their route, not of the request, so that no caller can create new
series.
"""

from __future__ import annotations

from collections import Counter as Tally
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.responses import Response

from reconciler.cache.collector import InformerCollector
from reconciler.metrics import REGISTRY, gauges
from urumi.store import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.metrics_core import Metric
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reconciler.controller import Controller
    from server.live.hub import Hub

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE, OTHER_METHOD, SWITCHING_PROTOCOLS = "none", "other", 101

HTTP_REQUESTS = Counter(
    "urumi_http_requests",
    "Answered requests; an accepted WebSocket has code 101.",
    ["route", "method", "code"],
    registry=REGISTRY,
)


class ServiceCollector(Collector):
    """Reads the gauges of the controller and the hub of one server."""

    def __init__(self, controller: Controller, hub: Hub) -> None:
        self._controller = controller
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges."""
        counts = Tally(store.phase for store in self._controller.view.all_stores())
        leader_loop = self._controller.leader_loop
        queue_depth = len(leader_loop.queue) if leader_loop else 0
        is_leading = self._controller.elector.is_leading
        yield gauges("urumi_stores", "Stores by phase.", "phase", {phase.value: counts[phase.value] for phase in Phase})
        yield GaugeMetricFamily("urumi_leader", "1 if this process reconciles, 0 otherwise.", value=is_leading)
        yield GaugeMetricFamily("urumi_queue_depth", "Stores that wait for a reconcile.", value=queue_depth)
        yield GaugeMetricFamily("urumi_ws_clients", "Live subscribers.", value=len(self._hub.outboxes))


class ProcessCollector(Collector):
    """Reads the counters of the process, which all servers of the process share."""

    def collect(self) -> Iterable[Metric]:
        """Return the counters."""
        return REGISTRY.collect()


class Metrics:
    """The endpoint /metrics of one server."""

    def __init__(self, controller: Controller, hub: Hub) -> None:
        self._registry = CollectorRegistry()
        informers = InformerCollector(controller.view.informers)
        for collector in (ProcessCollector(), informers, ServiceCollector(controller, hub)):
            self._registry.register(collector)

    async def show(self, request: Request) -> Response:
        """GET /metrics."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._registry), headers={"Content-Type": content_type})


class RequestCounter:
    """Pure ASGI middleware that counts responses, outside of the middleware that may change them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on and count its response."""

        async def send_counted(message: Message) -> None:
            match message["type"]:
                case "http.response.start" | "websocket.http.response.start":
                    _count(scope, message["status"])
                case "websocket.accept":
                    _count(scope, SWITCHING_PROTOCOLS)
            await send(message)

        await self._app(scope, receive, send if scope["type"] == "lifespan" else send_counted)


def _count(scope: Scope, code: int) -> None:
    method = scope.get("method", "GET")
    route = getattr(scope.get("route"), "path", NO_ROUTE)
    HTTP_REQUESTS.labels(route, method if method in METHODS else OTHER_METHOD, code).inc()
