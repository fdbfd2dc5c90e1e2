"""The Kubernetes API over one pooled session: get, list, apply, patch, delete, and the raw lines of a watch.

kubernetes-asyncio finds the cluster (kubeconfig, in-cluster, exec plugins) and holds the TLS session. Its generated
clients, its dynamic client and its watch are not used: they hand error bodies on as results and cannot bound a silent
stream. Here every answer's status is checked before its body is looked at, every call has a deadline, and a call whose
token is refused is made once more where a look at the credentials brings another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Self

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from reconciler.kube.library import ApiClient, Configuration, kube_config
from reconciler.kube.list_stream import PageReader
from reconciler.kube.reachability import Outage
from reconciler.kube.token import in_cluster_token, kubeconfig_token
from urumi.errors import ClusterError, ClusterUnreachable, ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
    from pathlib import Path

    from reconciler.kube.resources import Object, Resource
    from reconciler.kube.token import Token

FIELD_MANAGER = "urumi"
CALL_SECONDS = 15.0
CONNECT_SECONDS = 10.0
# So little of an answer that no value of a Secret is in it.
QUOTED_BYTES = 80
PIECE_BYTES = 1 << 18
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
METADATA_ONLY = "application/json;as=PartialObjectMetadata{list};g=meta.k8s.io;v=v1"


class Kube:
    """Calls the Kubernetes API.

    Raises from every call:
        ClusterError: the API refused; `status` is its HTTP status.
        ClusterUnreachable: no connection or no answer in time.
    """

    def __init__(self, api: Any, token: Token) -> None:
        self._api = api
        self._token = token
        self._session: aiohttp.ClientSession = api.rest_client.pool_manager
        self.host = str(api.configuration.host)
        self.outage = Outage(self.host)

    @classmethod
    async def connect(cls, kubeconfig: Path | None = None) -> Self:
        """Return a client for the cluster that the kubeconfig names, or that this process runs in.

        Raises:
            ConfigError: where neither can be used.
        """
        configuration = Configuration()
        try:
            if kubeconfig is None:
                token = await in_cluster_token(configuration)
            else:
                token = await kubeconfig_token(kubeconfig, configuration)
        except (kube_config.ConfigException, OSError) as error:
            where = f"the kubeconfig {kubeconfig}" if kubeconfig else "the cluster around this process"
            raise ConfigError(f"Cannot use {where}: {error}.", hint="Set KUBECONFIG or pass --kubeconfig.") from error
        return cls(ApiClient(configuration), token)

    async def close(self) -> None:
        """Close the session."""
        await self._api.close()

    async def get(self, resource: Resource, name: str, namespace: str = "") -> Object | None:
        """Return one object, None where there is none."""
        try:
            return await self._json("GET", resource.path(namespace, name))
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

    async def list_page(
        self,
        resource: Resource,
        namespace: str,
        query: Mapping[str, str],
        *,
        metadata_only: bool,
        keep: Callable[[Object], Any] = lambda item: item,
    ) -> Object:
        """Return one page of a list as the API sends it, with what is kept of each object in the place of it."""
        call = Call("GET", resource.path(namespace), query, accept=_accept(metadata_only, "List"))
        reader = PageReader(keep)
        async with self._answer(call, _within(CALL_SECONDS), CALL_SECONDS) as answer:
            try:
                async for piece in answer.content.iter_chunked(PIECE_BYTES):
                    reader.feed(piece)
            except UnicodeDecodeError as error:
                raise ClusterError(f"{call.method} {call.path} answered with no text: {error}.", status=200) from error
        page = _parsed(reader.rest().encode(), f"{call.method} {call.path}")
        return {**page, "items": reader.kept}

    async def create(self, resource: Resource, item: Object, namespace: str = "") -> Object:
        """Create an object."""
        return await self._json("POST", resource.path(namespace), body=item)

    async def apply(self, resource: Resource, item: Object, *, namespace: str = "") -> Object:
        """Apply the whole intent for an object server-side, taking over the fields it names."""
        whole = {"apiVersion": resource.api_version, "kind": resource.kind, **item}
        return await self._json(
            "PATCH",
            resource.path(namespace, item["metadata"]["name"]),
            body=whole,
            query={"fieldManager": FIELD_MANAGER, "force": "true"},
            content_type=APPLY_PATCH,
        )

    async def replace(self, resource: Resource, item: Object) -> Object:
        """Replace an object if it still has the resourceVersion it was read with."""
        meta = item["metadata"]
        return await self._json("PUT", resource.path(meta.get("namespace", ""), meta["name"]), body=item)

    async def merge(self, resource: Resource, name: str, patch: Object, namespace: str = "") -> Object:
        """Merge-patch an object."""
        return await self._json("PATCH", resource.path(namespace, name), body=patch, content_type=MERGE_PATCH)

    async def replace_status(self, resource: Resource, item: Object, status: Object) -> Object:
        """Replace the whole status of that very object, as long as it is still what it was when it was read.

        A status is a judgement of a spec; the version says of which. So neither an edit that came meanwhile nor a newer
        leader's status is ever written over: the call fails with 409 instead.
        """
        meta = item["metadata"]
        kept = {name: meta[name] for name in ("name", "namespace", "uid", "resourceVersion") if name in meta}
        body = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": kept,
            "spec": item["spec"],
            "status": status,
        }
        path = resource.path(meta.get("namespace", ""), meta["name"], "status")
        return await self._json("PUT", path, body=body)

    async def delete(self, resource: Resource, name: str, namespace: str = "", *, uid: str = "") -> bool:
        """Ask for an object to be deleted, with `uid` only that very one; False where there is none."""
        options: Object = {"propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            await self._json("DELETE", resource.path(namespace, name), body=options)
        except ClusterError as error:
            if error.status == 404:
                return False
            raise
        return True

    async def delete_all(self, resource: Resource, namespace: str) -> None:
        """Ask for all objects of a kind in a namespace to be deleted."""
        await self._json("DELETE", resource.path(namespace), body={"propagationPolicy": "Background"})

    @contextlib.asynccontextmanager
    async def watch(
        self,
        resource: Resource,
        namespace: str,
        query: Mapping[str, str],
        *,
        metadata_only: bool,
        answer_seconds: float,
        silence_seconds: float,
        total_seconds: float,
    ) -> AsyncIterator[AsyncIterable[bytes]]:
        """Open a watch and hand out its lines.

        Args:
            answer_seconds: how long the API may take to begin its answer.
            silence_seconds: how long it may say nothing then.
            total_seconds: how long the watch may last.
        """
        timeout = _within(total_seconds, silence_seconds)
        call = Call("GET", resource.path(namespace), query, accept=_accept(metadata_only, ""))
        async with self._answer(call, timeout, answer_seconds) as answer:
            try:
                yield answer.content
            finally:
                _drop(answer)

    async def _json(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Object:
        data = None if body is None else json.dumps(body).encode()
        call = Call(method, path, query or {}, data, content_type, accept)
        async with self._answer(call, _within(CALL_SECONDS), CALL_SECONDS) as answer:
            return _parsed(await answer.read(), f"{method} {path}")

    @contextlib.asynccontextmanager
    async def _answer(
        self, call: Call, timeout: aiohttp.ClientTimeout, answer_seconds: float
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Make a call and hand out its answer, which is a success."""
        try:
            async with await self._admitted(call, timeout, answer_seconds) as answer:
                if not 200 <= answer.status < 300:
                    raise _refusal(answer, await _bounded(answer))
                yield answer
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            unreachable = _unreachable(self.host, error)
            self.outage.unanswered(unreachable.message)
            raise unreachable from error
        except HttpProcessingError as error:
            raise ClusterError(f"{call.method} {call.path} sent a line beyond every limit.", status=200) from error

    async def _admitted(
        self, call: Call, timeout: aiohttp.ClientTimeout, answer_seconds: float
    ) -> aiohttp.ClientResponse:
        """Return the answer to a call, made once more where there is a newer token than one that was refused."""
        token = await self._token.current()
        answer = await self._sent(call, token, timeout, answer_seconds)
        if answer.status == 401 and await self._token.renew(token):
            answer.close()
            answer = await self._sent(call, await self._token.current(), timeout, answer_seconds)
        return answer

    async def _sent(
        self, call: Call, token: str, timeout: aiohttp.ClientTimeout, answer_seconds: float
    ) -> aiohttp.ClientResponse:
        # Packing a list costs the API server more than sending it, and it is next door.
        headers = {"Accept": call.accept, "Accept-Encoding": "identity", "User-Agent": FIELD_MANAGER}
        if token:
            headers["Authorization"] = token
        if call.data is not None:
            headers["Content-Type"] = call.content_type
        self.outage.asked()
        async with asyncio.timeout(answer_seconds):
            answer = await self._session.request(
                call.method, self.host + call.path, params=call.query, data=call.data, headers=headers, timeout=timeout
            )
        self.outage.answered()
        return answer


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API, but for the token."""

    method: str
    path: str
    query: Mapping[str, str]
    data: bytes | None = None
    content_type: str = "application/json"
    accept: str = "application/json"


def _within(total_seconds: float, silence_seconds: float | None = None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total_seconds, sock_connect=CONNECT_SECONDS, sock_read=silence_seconds)


def _accept(metadata_only: bool, suffix: str) -> str:
    return METADATA_ONLY.format(list=suffix) if metadata_only else "application/json"


def _drop(answer: aiohttp.ClientResponse) -> None:
    # A stream that is left before its end has no use for TLS's goodbye, which would outlive the session.
    if answer.connection is not None and answer.connection.transport is not None:
        answer.connection.transport.abort()


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    return await answer.content.read(65536)


def _parsed(data: bytes, call: str) -> Object:
    try:
        parsed = json.loads(data)
    except ValueError as error:
        raise ClusterError(f"{call} answered with no JSON: {data[:QUOTED_BYTES]!r}.", status=200) from error
    if not isinstance(parsed, dict):
        raise ClusterError(f"{call} answered with {type(parsed).__name__}, expected an object.", status=200)
    return parsed


def _refusal(answer: aiohttp.ClientResponse, body: bytes) -> ClusterError:
    try:
        status = json.loads(body)
        message, reason = str(status["message"]), str(status.get("reason", ""))
    except (ValueError, KeyError, TypeError):
        message, reason = f"HTTP {answer.status} from the Kubernetes API", ""
    seconds = _seconds(answer.headers.get("Retry-After", ""))
    return ClusterError(message, status=answer.status, reason=reason, retry_after_seconds=seconds)


def _seconds(retry_after: str) -> float | None:
    # Seconds from Kubernetes itself; a load balancer in front of it may send a date.
    if retry_after.isdigit():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _unreachable(host: str, error: Exception) -> ClusterUnreachable:
    return ClusterUnreachable(f"The Kubernetes API at {host} does not answer: {str(error) or type(error).__name__}.")
