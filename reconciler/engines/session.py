"""HTTP calls to the Services of one store, with the public host name of the store in the `Host` header.

    step or operation -> engine.find_offer, engine.buy -> ShopSession -> Service of the store

Calls go to the Service and not to the public host name, which may not resolve inside the cluster or may lead back to
the calling pod. Cookies are kept by name only, because the shop sets them for its public host name.

Not guaranteed: retries, redirects, or more than one cookie of the same name.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

from urumi.errors import ShopError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CALL_SECONDS = 15.0
MAX_EXCERPT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Service:
    """A Service in the namespace of a store, by name and port."""

    name: str
    port: int


@dataclass(frozen=True, slots=True)
class ShopEndpoint:
    """The address of one store's shop, a template of `{service}`, `{namespace}`, `{port}` and `{storeId}`.

    `host` is the public one, with a port if its address has one.
    """

    address: str
    store_id: str
    namespace: str
    host: str
    scheme: str

    def url_of(self, service: Service) -> str:
        """Return the base URL of a service."""
        return self.address.format(
            service=service.name, namespace=self.namespace, port=service.port, storeId=self.store_id
        )


@dataclass(frozen=True, slots=True)
class Stage:
    """One part of a session and its result; `message` is the finding, or the error if `ok` is false."""

    name: str
    ok: bool
    seconds: float
    message: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A response of a shop; `content` is parsed JSON or text."""

    status: int
    headers: Mapping[str, str]
    content: Any


@dataclass(slots=True)
class ShopSession:
    """One visitor of one shop; `stages` lists what was done, in order."""

    http: aiohttp.ClientSession
    endpoint: ShopEndpoint
    stages: list[Stage] = field(default_factory=list)
    _cookies: dict[str, str] = field(default_factory=dict)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[list[str]]:
        """Run one part of the session and append it to `stages`; the text put into the list becomes its message.

        Raises:
            ShopError: the part failed, or a response did not have the expected form.
        """
        started, found = time.monotonic(), list[str]()
        try:
            yield found
        except (ShopError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            failure = (
                error
                if isinstance(error, ShopError)
                else ShopError(f"{name}: unexpected response from the shop ({type(error).__name__}: {error})")
            )
            self.stages.append(Stage(name, ok=False, seconds=time.monotonic() - started, message=failure.message))
            raise failure from error
        self.stages.append(Stage(name, ok=True, seconds=time.monotonic() - started, message=", ".join(found)))

    async def page(self, service: Service, path: str) -> None:
        """Request a page and require the status 200.

        Raises:
            ShopError: no response, or another status.
        """
        _check(await self._send(service, "GET", path, {}), "GET", path, (200,))

    async def json(
        self,
        service: Service,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        expected: tuple[int, ...] = (200,),
    ) -> Reply:
        """Call the shop's API and return its JSON.

        Raises:
            ShopError: no response, a status that is not expected, or content that is not JSON.
        """
        reply = await self._send(service, method, path, dict(headers or {}), json=body)
        _check(reply, method, path, expected)
        try:
            return Reply(reply.status, reply.headers, json.loads(reply.content))
        except ValueError as error:
            raise ShopError(f"{method} {path} returned content that is not JSON: {_excerpt(reply)}") from error

    async def form(self, service: Service, path: str, fields: Mapping[str, str]) -> Reply:
        """Send a form and keep the cookies of the response; redirects are not followed."""
        return await self._send(service, "POST", path, {}, data=dict(fields))

    async def _send(
        self, service: Service, method: str, path: str, headers: dict[str, str], **content: object
    ) -> Reply:
        base = self.endpoint.url_of(service)
        headers |= {"Host": self.endpoint.host, "X-Forwarded-Proto": self.endpoint.scheme}
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        given: dict[str, Any] = {name: value for name, value in content.items() if value is not None}
        try:
            async with self.http.request(
                method, base + path, headers=headers, allow_redirects=False, **given
            ) as answer:
                self._cookies |= {name: morsel.value for name, morsel in answer.cookies.items()}
                return Reply(answer.status, answer.headers, await answer.text(errors="replace"))
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            cause = f"timed out after {CALL_SECONDS:.0f} s" if isinstance(error, TimeoutError) else str(error)
            raise ShopError(f"no response from {base}: {cause or type(error).__name__}") from error


def session() -> aiohttp.ClientSession:
    """Return an HTTP session for any number of shop sessions; it keeps neither connections nor cookies."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
    )


def _check(reply: Reply, method: str, path: str, expected: tuple[int, ...]) -> None:
    if reply.status not in expected:
        location = reply.headers.get("Location")
        content = f"a redirect to {location}" if location else _excerpt(reply)
        raise ShopError(f"{method} {path} returned {reply.status}: {content}")


def _excerpt(reply: Reply) -> str:
    """Return the error message in a JSON response, else the beginning of its text."""
    with contextlib.suppress(ValueError):
        content = json.loads(reply.content)
        if isinstance(content, dict) and isinstance(content.get("message"), str):
            return str(content["message"])[:MAX_EXCERPT_CHARACTERS]
    return " ".join(str(reply.content).split())[:MAX_EXCERPT_CHARACTERS] or "no content"
