"""Whole servers over one double of the API server, in a thread: for tests with browsers and proxies in front of them.

Everything but the cluster is the product's. The lease is held by another, so nothing is reconciled and no Helm runs.
"""

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from reconciler.kube.resources import STORES, Object, Resource
from reconciler.leaderelection.lease import LEASE_NAME, LEASES
from reconciler.settings import Settings
from server.app import Service
from server.auth.token_review import ACCESS_REVIEWS, TOKEN_REVIEWS
from server.http.listener import listeners
from server.main import uvicorn_config
from server.settings import ServerSettings
from testing.apiserver.server import ApiServer
from testing.replica import QuietServer, until
from testing.serve import free_port

NAMESPACE = "store-platform"
TOKEN = "s3cret"
PATIENCE_SECONDS = 60.0


class ReviewingApiServer(ApiServer):
    """A double that reviews tokens too: it knows the user of each, and allows everything."""

    def __init__(self, users: Mapping[str, str]) -> None:
        super().__init__(NAMESPACE)
        self.users = dict(users)

    async def create(self, resource: Resource, item: Object, namespace: str = "") -> Object:
        """Answer a review, or create an object."""
        if resource == ACCESS_REVIEWS:
            return {**item, "status": {"allowed": True}}
        if resource == TOKEN_REVIEWS:
            user = self.users.get(item["spec"]["token"])
            return {**item, "status": {"authenticated": user is not None, "user": {"username": user or ""}}}
        return await super().create(resource, item, namespace)


class Replicas:
    """Servers of one platform; a context manager.

    Args:
        hosts: the address on which each replica listens.
        users: the users by their tokens, for `auth_mode="kubernetes"`.
        settings: changed settings of every replica.
    """

    def __init__(self, *hosts: str, users: Mapping[str, str] | None = None, **settings: Any) -> None:
        self.ports = [free_port() for _ in hosts or ("127.0.0.1",)]
        self._hosts = hosts or ("127.0.0.1",)
        self._users = users or {}
        self._settings = replace(ServerSettings(), token=TOKEN, create_rate_limit=0, **settings)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._running: list[tuple[QuietServer, asyncio.Task[None]]] = []

    @property
    def urls(self) -> list[str]:
        """The address of each replica."""
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()

    def create_store(self, store_id: str) -> None:
        """Create a Store that nothing reconciles."""
        store = {
            "apiVersion": STORES.api_version,
            "kind": STORES.kind,
            "metadata": {"name": store_id, "namespace": NAMESPACE},
            "spec": {"storeId": store_id, "engine": "woocommerce"},
        }
        self._call(self.kube.create(STORES, store, NAMESPACE))

    def restart(self) -> None:
        """Stop every replica, and start it again."""
        self._call(self._stop())
        self._call(self._serve())

    def _call(self, work: Coroutine[Any, Any, object]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_SECONDS)

    async def _start(self) -> None:
        self.kube = ReviewingApiServer(self._users)
        lease = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": LEASE_NAME, "namespace": NAMESPACE},
            "spec": {"holderIdentity": "nobody", "leaseDurationSeconds": 86400, "leaseTransitions": 1},
        }
        await self.kube.create(LEASES, lease, NAMESPACE)
        await self._serve()

    async def _serve(self) -> None:
        for host, port in zip(self._hosts, self.ports, strict=True):
            settings = replace(self._settings, host=host, port=port)
            service = Service(self.kube, Settings(platform_namespace=NAMESPACE), settings)
            server = QuietServer(uvicorn_config(service.app))
            serving = server.serve(sockets=listeners(settings))
            self._running.append((server, asyncio.create_task(serving)))
            await until(lambda server=server: server.started)
            async with asyncio.timeout(PATIENCE_SECONDS):
                for informer in service.controller.view.informers:
                    await informer.synced.wait()

    async def _stop(self) -> None:
        for server, task in self._running:
            server.should_exit = True
            await task
        self._running.clear()
