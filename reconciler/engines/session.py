"""A visit to one store's shop over HTTP, by its services and under its own host name.

A shop is asked for where the platform can reach it, which inside a cluster is a Service's name and not the store's
public one: that may not resolve, or lead back to the pod that asks. The `Host` header says which shop is meant. Cookies
go by name only, because they are set for a host that is not the one called.
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
MAX_SAID_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Service:
    """A Service of a store's namespace that shoppers reach."""

    name: str
    port: int


@dataclass(frozen=True, slots=True)
class ShopEndpoint:
    """Where one store's shop is: `address` is a template of `{service}`, `{namespace}`, `{port}` and `{storeId}`."""

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
    """A part of a visit, and how it went; `message` is what was found, or what went wrong."""

    name: str
    ok: bool
    seconds: float
    message: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a shop answered."""

    status: int
    headers: Mapping[str, str]
    content: Any


@dataclass(slots=True)
class ShopSession:
    """One visitor at one shop; `stages` tells what was done."""

    http: aiohttp.ClientSession
    door: ShopEndpoint
    stages: list[Stage] = field(default_factory=list)
    _cookies: dict[str, str] = field(default_factory=dict)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[list[str]]:
        """Time a part of the visit; what is put into the list is told of it.

        Raises:
            ShopError: the part went wrong; an answer that is not as a shop's is one of the ways.
        """
        began, found = time.monotonic(), list[str]()
        try:
            yield found
        except (ShopError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            told = error if isinstance(error, ShopError) else _strange(name, error)
            self.stages.append(Stage(name, ok=False, seconds=time.monotonic() - began, message=told.message))
            raise told from error
        self.stages.append(Stage(name, ok=True, seconds=time.monotonic() - began, message=", ".join(found)))

    async def page(self, service: Service, path: str) -> None:
        """Get a page that people look at.

        Raises:
            ShopError: it is not there.
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
            ShopError: no answer, another status than expected, or something that is not JSON.
        """
        reply = await self._send(service, method, path, dict(headers or {}), json=body)
        _check(reply, method, path, expected)
        try:
            return Reply(reply.status, reply.headers, json.loads(reply.content))
        except ValueError as error:
            raise ShopError(f"{method} {path} answered with something that is not JSON: {_said(reply)}") from error

    async def form(self, service: Service, path: str, fields: Mapping[str, str]) -> Reply:
        """Send a form as a browser does and keep the cookies; redirects are not followed."""
        return await self._send(service, "POST", path, {}, data=dict(fields))

    async def _send(
        self, service: Service, method: str, path: str, headers: dict[str, str], **content: object
    ) -> Reply:
        base = self.door.url_of(service)
        headers |= {"Host": self.door.host, "X-Forwarded-Proto": self.door.scheme}
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
            raise ShopError(f"{base} does not answer: {_reason(error)}") from error


def session() -> aiohttp.ClientSession:
    """Return the HTTP session that visits share; it keeps no connection, and cookies are a visit's own affair."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
    )


def _check(reply: Reply, method: str, path: str, expected: tuple[int, ...]) -> None:
    if reply.status in expected:
        return
    where = reply.headers.get("Location")
    said = f"a redirect to {where}" if where else _said(reply)
    raise ShopError(f"{method} {path} answered {reply.status}: {said}")


def _said(reply: Reply) -> str:
    with contextlib.suppress(ValueError):
        content = json.loads(reply.content)
        if isinstance(content, dict) and isinstance(content.get("message"), str):
            return str(content["message"])[:MAX_SAID_CHARACTERS]
    return " ".join(str(reply.content).split())[:MAX_SAID_CHARACTERS] or "nothing"


def _strange(name: str, error: Exception) -> ShopError:
    return ShopError(f"{name}: an answer is not what a shop gives ({type(error).__name__}: {error})")


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"it took longer than {CALL_SECONDS:.0f} s"
    return str(error) or type(error).__name__
