"""The REST calls without a cluster: the application, its gate and a Store informer, over the double of the API server.

Everything between the HTTP request and the client of the API server is the product's. Verification, credentials, probes
and metrics are left out.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx2

from reconciler.kube.resources import STORES, Object
from reconciler.view import ClusterView
from server.app import application
from server.auth.authority import SharedToken
from server.auth.ended_sessions import EndedSessions
from server.auth.identity import Gate
from server.auth.session_calls import SessionCalls
from server.auth.sessions import Sessions
from server.openapi.operations import operations
from server.settings import ServerSettings
from server.stores.calls import StoreCalls
from testing.apiserver.server import ApiServer

NAMESPACE = "store-platform"
TOKEN = "s3cret"
URL = "http://urumi.test"
PATIENCE_SECONDS = 30.0


class Absent:
    """Endpoints that a test does not call; each fails with a defect."""

    def __getattr__(self, name: str) -> Any:
        async def endpoint(request: Any) -> Any:
            raise ZeroDivisionError("a secret is in this sentence")

        return endpoint


@dataclass
class InProcess:
    """A server in the test's own loop."""

    kube: ApiServer
    view: ClusterView
    http: httpx2.AsyncClient

    async def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        """Return the response; `headers` replace the token."""
        given = {"Authorization": f"Bearer {TOKEN}"} if headers is None else headers
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            given = {"Content-Type": "application/json", **given}
        return await self.http.request(method, path, headers=given, content=content)

    async def create(self, store_id: str, engine: str = "medusa", **headers: str) -> httpx2.Response:
        """Request a store and wait until the informer has it."""
        given = {"Authorization": f"Bearer {TOKEN}", **{name.replace("_", "-"): text for name, text in headers.items()}}
        response = await self.request("POST", "/stores", {"storeId": store_id, "engine": engine}, given)
        if response.status_code in (200, 202):
            await self.until_shown(store_id)
        return response

    async def remove(self, store_id: str) -> None:
        """Delete a store as its finalizer would, and wait until the informer has removed it."""
        await self.kube.merge(STORES, store_id, {"metadata": {"finalizers": None}}, NAMESPACE)
        await self.kube.delete(STORES, store_id, NAMESPACE)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.view.stores.until(lambda: self.view.store(store_id) is None)

    async def until_shown(self, store_id: str) -> None:
        """Wait until the informer has a store."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.view.stores.until(lambda: self.view.store(store_id) is not None)


@contextlib.asynccontextmanager
async def served(*stores: Object, **changes: Any) -> AsyncIterator[InProcess]:
    """Serve the stores with these settings."""
    settings = replace(ServerSettings(), token=TOKEN, create_rate_limit=0, **changes)
    kube = ApiServer(NAMESPACE)
    for store in stores:
        await kube.create(STORES, store, NAMESPACE)
    view = ClusterView(kube, NAMESPACE)
    authority = SharedToken(TOKEN)
    ended = EndedSessions(kube, NAMESPACE)
    gate = Gate(authority, Sessions(authority, ended, settings.session_seconds))
    absent: Any = Absent()
    calls = StoreCalls(kube, view, gate, settings, NAMESPACE)
    session = SessionCalls(gate)
    table = operations(calls, absent, absent, session, absent, absent, absent, settings.anonymous_reads)
    app = application(table, gate, absent, settings, None)  # type: ignore[arg-type]
    informers = [asyncio.create_task(each) for each in (view.stores.run(), ended.run())]
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 4711))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await view.stores.synced.wait()
            await ended.until_known()
        async with httpx2.AsyncClient(transport=transport, base_url=URL) as http:
            yield InProcess(kube, view, http)
    finally:
        for each in informers:
            each.cancel()
        await asyncio.gather(*informers, return_exceptions=True)


def store(store_id: str, engine: str = "medusa", **status: Any) -> Object:
    """Return a Store object."""
    return {
        "apiVersion": STORES.api_version,
        "kind": STORES.kind,
        "metadata": {"name": store_id, "namespace": NAMESPACE},
        "spec": {"storeId": store_id, "engine": engine},
        **({"status": status} if status else {}),
    }
