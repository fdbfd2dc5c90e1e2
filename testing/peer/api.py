"""The REST half of the peer: stores by id, calls that are recorded, the page's files and session."""

import asyncio
import json
import secrets
import threading
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic import ValidationError
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.http.page import STATIC, page
from testing.stores import make_store
from urumi.store import Phase
from urumi.wire import CreateStore, Credentials, Store, dump

COOKIE = "urumi_session"


def refusal(status: int, name: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """Return a problem (RFC 9457), as the real server sends it."""
    body = {"type": f"urn:urumi:problem:{name}", "title": name, "status": status, "detail": detail, **more}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


class Call(NamedTuple):
    """A REST call that arrived: method, path with query, headers, body."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class PeerApi(ABC):
    """The routes and their state.

    Attributes:
        stores: the stores by id.
        requests: every REST call, in order.
        answer: the response to the next authenticated REST call, in place of the usual one.
        answers: an event that REST calls wait for; set unless a test clears it.
        on_delete: what an accepted deletion does; by default the store is removed immediately.
        password: the admin password of every store; by default it contains the store's id.
    """

    def __init__(self) -> None:
        self.answers = threading.Event()
        self._be_new()

    def _be_new(self) -> None:
        self.token = secrets.token_urlsafe(12)
        self.stores: dict[str, Store] = {}
        self.requests: list[Call] = []
        self.answer: Response | None = None
        self.on_delete: Callable[[str], None] = self.remove
        self.password = ""
        self.answers.set()
        self.end_sessions()

    @property
    @abstractmethod
    def url(self) -> str:
        """The server's URL."""

    @abstractmethod
    def put(self, *stores: Store) -> None:
        """Add or change stores."""

    @abstractmethod
    def remove(self, store_id: str) -> None:
        """Remove a store."""

    @property
    def calls(self) -> list[str]:
        """Method and path of every REST call, in order."""
        return [f"{call.method} {call.path}" for call in self.requests]

    def begin_deletion(self, store_id: str) -> None:
        """Show a store as being deleted; an alternative for `on_delete`."""
        self.put(self.stores[store_id].model_copy(update={"phase": Phase.DELETING}))

    def end_sessions(self) -> None:
        """Invalidate every session cookie."""
        self._cookie = secrets.token_urlsafe(12)

    def routes(self) -> list[BaseRoute]:
        """Return the routes of REST and of the page."""
        return [
            Route("/", page),
            Mount("/static", _Cached(StaticFiles(directory=STATIC))),
            Route("/session", self._sign_in, methods=["POST"]),
            Route("/session", self._guarded(self._who)),
            Route("/session", self._guarded(self._sign_out), methods=["DELETE"]),
            Route("/stores", self._guarded(self._list)),
            Route("/stores", self._guarded(self._create), methods=["POST"]),
            Route("/stores/{store_id}", self._guarded(self._get)),
            Route("/stores/{store_id}", self._guarded(self._delete), methods=["DELETE"]),
            Route("/stores/{store_id}/events", self._guarded(self._events)),
            Route("/stores/{store_id}/retry", self._guarded(self._retry), methods=["POST"]),
            Route("/stores/{store_id}/credentials", self._guarded(self._credentials), methods=["POST"]),
        ]

    def _guarded(self, handle: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            await self._record(request)
            if not self._has_token(request):
                if request.cookies.get(COOKIE) != self._cookie:
                    return refusal(401, "unauthorized", "The token is not the server's.")
                if request.method != "GET" and not self._is_own_origin(request):
                    return refusal(403, "forbidden", "The request came from another origin.")
            answer, self.answer = self.answer, None
            if answer is None:
                await asyncio.to_thread(self.answers.wait)
            return answer or await handle(request)

        return guarded

    async def _record(self, request: Request) -> None:
        path = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        self.requests.append(Call(request.method, path, dict(request.headers), await request.body()))

    def _has_token(self, connection: HTTPConnection) -> bool:
        return connection.headers.get("authorization") == f"Bearer {self.token}"

    def _is_own_origin(self, connection: HTTPConnection) -> bool:
        return connection.headers.get("origin") == self.url

    async def _sign_in(self, request: Request) -> Response:
        await self._record(request)
        if (await request.json()).get("token") != self.token:
            return refusal(401, "unauthorized", "The token is not the server's.")
        response = Response(status_code=204)
        response.set_cookie(COOKIE, self._cookie, httponly=True, samesite="strict")
        return response

    async def _who(self, request: Request) -> Response:
        return JSONResponse({"user": "admin"})

    async def _sign_out(self, request: Request) -> Response:
        response = Response(status_code=204)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    async def _list(self, request: Request) -> Response:
        wanted = request.query_params
        items = [
            dump(store)
            for store in self.stores.values()
            if wanted.get("phase", store.phase) == store.phase
            and wanted.get("engine", store.engine) == store.engine
            and wanted.get("q", "") in store.store_id
        ]
        return JSONResponse({"items": items, "ageSeconds": 0.2})

    async def _create(self, request: Request) -> Response:
        try:
            wanted = CreateStore.model_validate_json(await request.body())
        except ValidationError as error:
            return refusal(422, "invalid-request", str(error))
        store = self.stores.get(wanted.store_id)
        if store is not None and store.engine != wanted.engine:
            detail = f"Store {wanted.store_id} exists with engine {store.engine}."
            return refusal(409, "conflict", detail, hint="Choose another storeId.")
        if store is not None:
            return JSONResponse(dump(store))
        store = make_store(wanted.store_id, "Pending", engine=wanted.engine, url="", created_at=datetime.now(UTC))
        self.put(store)
        return JSONResponse(dump(store), 202)

    async def _get(self, request: Request) -> Response:
        store = self._find(request)
        return store if isinstance(store, Response) else JSONResponse(dump(store))

    async def _events(self, request: Request) -> Response:
        store = self._find(request)
        if isinstance(store, Response):
            return store
        return JSONResponse({"storeId": store.store_id, "items": dump(store).get("events", [])})

    async def _retry(self, request: Request) -> Response:
        store = self._find(request)
        if isinstance(store, Response):
            return store
        self.put(store.model_copy(update={"phase": Phase.PROVISIONING, "last_error": None}))
        return JSONResponse(dump(store), 202)

    async def _credentials(self, request: Request) -> Response:
        store = self._find(request, uid=json.loads(await request.body() or "{}").get("uid"))
        if isinstance(store, Response):
            return store
        account = Credentials(
            store_id=store.store_id,
            username="admin",
            password=self.password or f"password-of-{store.store_id}",
            admin_url=store.admin_url or f"{store.url}/admin",
        )
        return JSONResponse(dump(account))

    async def _delete(self, request: Request) -> Response:
        store_id = request.path_params["store_id"]
        if store_id not in self.stores:
            return JSONResponse({"deleted": False, "storeId": store_id, "reason": "NotFound"})
        store = self._find(request, uid=request.query_params.get("uid"))
        if isinstance(store, Response):
            return store
        self.on_delete(store_id)
        return JSONResponse({"deleted": True, "storeId": store_id}, 202)

    def _find(self, request: Request, *, uid: str | None = None) -> Store | Response:
        """Return the store of a request, or the refusal if it is absent or has another uid than the request."""
        store_id = request.path_params["store_id"]
        store = self.stores.get(store_id)
        if store is None:
            return refusal(404, "not-found", f"There is no store {store_id!r}.")
        if uid not in (None, store.uid):
            return refusal(409, "conflict", f"Store {store_id} is another store by now.")
        return store


class _Cached:
    """Lets the browser keep the static files between tests; other tests cover the real server's caching."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add a lifetime to the response."""

        async def send_cached(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Cache-Control"] = "max-age=3600"
            await send(message)

        await self._app(scope, receive, send_cached)
