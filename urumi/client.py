"""The HTTP client of the platform: one method per API call, errors from the tree in `urumi.errors`.

Every response is validated into the wire models, so callers never handle raw JSON. Several tasks of one event loop may
use a client at the same time; it is not thread-safe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx2
from pydantic import ValidationError

from urumi import __version__
from urumi.errors import ApiError, ProtocolError, ServerUnreachable
from urumi.proxies import proxy_for, without_password
from urumi.text import cause_text
from urumi.wire import (
    CreateStore,
    Credentials,
    Deleted,
    EventList,
    Store,
    StoreEvent,
    StoreList,
    Verification,
    Wire,
    dump,
)

if TYPE_CHECKING:
    from types import TracebackType

    from urumi.config import Target
    from urumi.store import Engine

# Longer than the server waits for the Kubernetes API (15 s), so that its own answer arrives: it knows what was changed.
TIMEOUT_SECONDS = 20.0
VERIFY_SECONDS = 150.0

WireT = TypeVar("WireT", bound=Wire)


class Client:
    """Calls the server's REST API with a bearer token.

    Every call raises:
        ServerUnreachable: no connection, or no response within `timeout_seconds`.
        ApiError: the server returned a problem; see its subclasses.
        ProtocolError: the response is not an Urumi API response.
    """

    def __init__(self, target: Target, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.target = target
        headers = {"User-Agent": f"urumi/{__version__}"}
        if target.token:
            headers["Authorization"] = f"Bearer {target.token}"
        self._proxy = proxy_for(target.url)
        # The environment's certificates count, its proxies are read above.
        self._http = httpx2.AsyncClient(
            base_url=target.url,
            headers=headers,
            timeout=timeout_seconds,
            trust_env=False,
            proxy=self._proxy,
            verify=httpx2.create_ssl_context() if target.url.startswith("https:") else True,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def list_stores(
        self, *, phase: str = "", engine: str = "", text: str = "", sort: str = ""
    ) -> tuple[Store, ...]:
        """Return the stores, newest first or ordered by `sort`, filtered by phase, engine and a text in their id."""
        wanted = {"phase": phase, "engine": engine, "q": text, "sort": sort}
        params = {name: value for name, value in wanted.items() if value}
        return (await self._call(StoreList, "GET", "/stores", params=params)).items

    async def get_store(self, store_id: str) -> Store:
        """Return one store."""
        return await self._call(Store, "GET", f"/stores/{store_id}")

    async def list_events(self, store_id: str) -> tuple[StoreEvent, ...]:
        """Return the timeline of a store, oldest event first."""
        return (await self._call(EventList, "GET", f"/stores/{store_id}/events")).items

    async def create_store(self, store_id: str, engine: Engine) -> Store:
        """Request a store; a repeated request returns the existing store unchanged."""
        body = dump(CreateStore(store_id=store_id, engine=engine))
        return await self._call(Store, "POST", "/stores", json=body)

    async def delete_store(self, store_id: str, *, uid: str = "") -> Deleted:
        """Request the deletion of a store; with `uid`, only if the store has this uid."""
        params = {"uid": uid} if uid else {}
        return await self._call(Deleted, "DELETE", f"/stores/{store_id}", params=params)

    async def retry_store(self, store_id: str, *, uid: str = "") -> Store:
        """Request an immediate retry; with `uid`, only if the store has this uid."""
        params = {"uid": uid} if uid else {}
        return await self._call(Store, "POST", f"/stores/{store_id}/retry", params=params)

    async def verify_store(self, store_id: str) -> Verification:
        """Place a test order in a store's shop and cancel it; the result says whether it succeeded."""
        path = f"/stores/{store_id}/verify"
        return await self._call(Verification, "POST", path, timeout=VERIFY_SECONDS)

    async def read_credentials(self, store_id: str, *, uid: str = "") -> Credentials:
        """Return the admin account of a store; with `uid`, only if the store has this uid."""
        body = {"uid": uid} if uid else {}
        return await self._call(Credentials, "POST", f"/stores/{store_id}/credentials", json=body)

    async def _call(self, model: type[WireT], method: str, path: str, **request: Any) -> WireT:
        try:
            response = await self._http.request(method, path, **request)
        except httpx2.RequestError as error:
            if isinstance(error, httpx2.ReadTimeout) and method != "GET":
                raise ServerUnreachable(
                    f"Server {self.target.url} did not respond in time: {method} {path} may have taken effect.",
                    hint="Check the stores with `urumi list` before you try again.",
                ) from error
            cause = "the request timed out" if isinstance(error, httpx2.TimeoutException) else cause_text(error)
            raise self._unreachable(cause) from error
        if response.has_redirect_location:
            # A redirect is not followed: the token would go to another address, possibly in clear text.
            address = str(response.url.join(response.headers["Location"])).partition("?")[0]
            raise ProtocolError(
                f"Server {self.target.url} redirects {method} {path} to {address}.",
                hint=f"Use the address that it redirects to: --url {address.removesuffix(path)}",
            )
        if response.is_error:
            try:
                problem = response.json()
            except ValueError:
                problem = None
            if not isinstance(problem, dict):
                host = response.request.url.host
                problem = {"title": f"Unexpected response from {host}: HTTP {response.status_code}"}
            raise ApiError.of(response.status_code, problem)
        try:
            return model.model_validate_json(response.content)
        except ValidationError as error:
            raise ProtocolError(
                f"{method} {path} failed: HTTP {response.status_code} with a body that is not an Urumi API response.",
                hint=f"Check that {self.target.url} is an Urumi server of this version.",
            ) from error

    def _unreachable(self, cause: str) -> ServerUnreachable:
        if self._proxy is None:
            return ServerUnreachable(f"Server {self.target.url} unreachable: {cause}.")
        return ServerUnreachable(
            f"Server {self.target.url} unreachable through the proxy {without_password(self._proxy)}: {cause}.",
            hint="Check the proxy in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY, or add the server's host to NO_PROXY.",
        )
