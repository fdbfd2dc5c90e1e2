"""A server on loopback that returns fixed responses, for the decisions of an engine: a shop, and Secrets of a cluster.

Each response belongs to a method and a path without its query. A path without a response returns 404.
"""

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientSession, web

from reconciler.engines.session import ShopEndpoint, ShopSession, session
from reconciler.kube.client import Kube

Route = tuple[str, str]

ADMIN_SECRET: Route = ("GET", "/api/v1/namespaces/store-shop-1/secrets/store-admin")
OWN_LABEL = {"urumi.ai/storeId": "shop-1"}


def admin_secret(labels: dict[str, str] | None, **data: str) -> dict[str, Any]:
    """Return the Secret of the administrator account as the API server does."""
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"kind": "Secret", "metadata": {"name": "store-admin", "labels": labels}, "data": encoded}


@asynccontextmanager
async def kube_at(address: str, folder: Path) -> AsyncIterator[Kube]:
    """Connect to a server as to a Kubernetes API, with a kubeconfig in the folder."""
    config = {
        "clusters": [{"name": "test", "cluster": {"server": address}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "users": [{"name": "test", "user": {"token": "token"}}],
        "current-context": "test",
    }
    (folder / "kubeconfig").write_text(json.dumps(config))
    kube = await Kube.connect(folder / "kubeconfig")
    try:
        yield kube
    finally:
        await kube.close()


@dataclass(frozen=True, slots=True)
class Call:
    """One request that the shop received."""

    route: Route
    headers: Mapping[str, str]
    body: Any


@dataclass
class ShopDouble:
    """The shop; use as an async context manager, which returns a session of a visitor."""

    responses: dict[Route, Any]
    statuses: dict[Route, int] = field(default_factory=dict)
    headers: dict[Route, dict[str, str]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    async def __aenter__(self) -> ShopSession:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._respond)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self._http: ClientSession = session()
        return ShopSession(
            self._http, ShopEndpoint(f"http://127.0.0.1:{port}", "shop-1", "store-shop-1", "shop-1.test", "https")
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()
        await self._runner.cleanup()

    def with_responses(self, changes: Mapping[Route, Any]) -> Self:
        """Return the shop with some responses replaced."""
        self.responses |= changes
        return self

    def routes(self) -> list[Route]:
        """Return method and path of all requests, in order."""
        return [call.route for call in self.calls]

    def call(self, method: str, path: str) -> Call:
        """Return the one request of a method and path."""
        [found] = [call for call in self.calls if call.route == (method, path)]
        return found

    async def _respond(self, request: web.Request) -> web.Response:
        route = (request.method, request.path)
        text = await request.text()
        is_json = request.content_type == "application/json"
        self.calls.append(Call(route, request.headers, json.loads(text) if is_json and text else text))
        if route not in self.responses:
            return web.json_response({"message": f"no response for {route}"}, status=404)
        return web.json_response(
            self.responses[route], status=self.statuses.get(route, 200), headers=self.headers.get(route)
        )
