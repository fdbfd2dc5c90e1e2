"""The HTTP client of the platform: one method a call of the API, errors as the tree in `urumi.errors`.

Every answer is validated into the wire models, so a face never handles raw JSON. The client may be used from several
tasks of one event loop at once; it is not safe across threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx2
from pydantic import ValidationError

from urumi import __version__
from urumi.errors import ApiError, ProtocolError, ServerUnreachable
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

TIMEOUT_SECONDS = 10.0
VERIFY_SECONDS = 150.0

WireT = TypeVar("WireT", bound=Wire)


class Client:
    """Calls the server's REST API with a bearer token.

    Raises from every call:
        ServerUnreachable: no connection, or no answer within `timeout_seconds`.
        ApiError: the server answered with a problem; see its subclasses.
        ProtocolError: the answer is not of the API.
    """

    def __init__(self, target: Target, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.target = target
        headers = {"User-Agent": f"urumi/{__version__}"}
        if target.token:
            headers["Authorization"] = f"Bearer {target.token}"
        self._http = httpx2.AsyncClient(base_url=target.url, headers=headers, timeout=timeout_seconds)

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
        """Return the stores, newest first or as `sort` says, narrowed by phase, engine and a text in their id."""
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
        """Ask for a store; asking again for the same one returns it as it is."""
        body = dump(CreateStore(store_id=store_id, engine=engine))
        return await self._call(Store, "POST", "/stores", json=body)

    async def delete_store(self, store_id: str, *, uid: str = "") -> Deleted:
        """Ask for a store to be deleted; with `uid`, only if it is still that very store."""
        params = {"uid": uid} if uid else {}
        return await self._call(Deleted, "DELETE", f"/stores/{store_id}", params=params)

    async def retry_store(self, store_id: str, *, uid: str = "") -> Store:
        """Ask for the next attempt to be made now; with `uid`, only if it is still that very store."""
        params = {"uid": uid} if uid else {}
        return await self._call(Store, "POST", f"/stores/{store_id}/retry", params=params)

    async def verify_store(self, store_id: str) -> Verification:
        """Have an order placed in a store's shop and taken back; whether it worked is in the answer."""
        path = f"/stores/{store_id}/verify"
        return await self._call(Verification, "POST", path, timeout=VERIFY_SECONDS)

    async def read_credentials(self, store_id: str, *, uid: str = "") -> Credentials:
        """Return the admin account of a store; with `uid`, only if it is still that very store."""
        body = {"uid": uid} if uid else {}
        return await self._call(Credentials, "POST", f"/stores/{store_id}/credentials", json=body)

    async def _call(self, answer: type[WireT], method: str, path: str, **request: Any) -> WireT:
        try:
            response = await self._http.request(method, path, **request)
        except httpx2.RequestError as error:
            raise unreachable(self.target.url, error) from error
        if response.is_error:
            raise ApiError.of(response.status_code, _problem(response))
        try:
            return answer.model_validate_json(response.content)
        except ValidationError as error:
            raise ProtocolError(
                f"{method} {path} answered HTTP {response.status_code} with something that is not of the API.",
                hint=f"Is {self.target.url} an Urumi server of this version?",
            ) from error


def unreachable(url: str, error: Exception) -> ServerUnreachable:
    """Return the error for a server that does not answer, with the reason in words."""
    reason = "it took too long" if isinstance(error, httpx2.TimeoutException) else str(error) or type(error).__name__
    return ServerUnreachable(f"No answer from {url}: {reason}.", hint="Is it running? Try: urumi serve")


def _problem(response: httpx2.Response) -> dict[str, object]:
    try:
        problem = response.json()
    except ValueError:
        problem = None
    if isinstance(problem, dict):
        return problem
    return {"title": f"HTTP {response.status_code} from {response.request.url.host}, not of the API"}
