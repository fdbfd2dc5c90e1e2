"""The Kubernetes API over one pooled session: get, list, apply, patch, delete, and the raw lines of a watch.

kubernetes-asyncio finds the cluster (kubeconfig, in-cluster, exec plugins) and holds the TLS session. Its generated
clients, its dynamic client and its watch are not used: they return error bodies as results and cannot limit a silent
stream. Here the status of every response is checked before its body is read, every call has a timeout, and a call with
a refused token is repeated once if reloading the credentials returns another token.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from reconciler.kube.library import ApiClient, Configuration, kube_config
from reconciler.kube.list_stream import PageReader
from reconciler.kube.reachability import Outage
from reconciler.kube.token import in_cluster_token, kubeconfig_token
from urumi.errors import ClusterConflict, ClusterError, ClusterNotFound, ClusterUnreachable, ConfigError
from urumi.proxies import is_direct

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
    from pathlib import Path

    from reconciler.kube.resources import Object, Resource
    from reconciler.kube.token import Token

FIELD_MANAGER = "urumi"
CALL_SECONDS = 15.0
CONNECT_SECONDS = 10.0
# Too short for a value of a Secret to be quoted in an error.
QUOTED_BYTES = 80
ERROR_BYTES = 65536
CHUNK_BYTES = 1 << 18
# What kubernetes-asyncio sets: the line of a watch holds a whole object, which may be 1.5 MiB large.
READ_BYTES = 1 << 21
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
METADATA_ONLY = "application/json;as=PartialObjectMetadata{list};g=meta.k8s.io;v=v1"


class Kube:
    """Calls the Kubernetes API.

    Raises from every call:
        ClusterNotFound: 404; `get` and `delete` return None and False instead.
        ClusterConflict: 409: the object exists, was changed since it was read, or has another uid.
        ClusterError: any other error of the API server, or a malformed response; `status` is the HTTP status.
        ClusterUnreachable: no connection, or no response in time.
    """

    def __init__(self, api: Any, token: Token) -> None:
        self._api = api
        self._token = token
        self._session: aiohttp.ClientSession = api.rest_client.pool_manager
        self.host = str(api.configuration.host)
        self.outage = Outage(self.host)

    @classmethod
    async def connect(cls, kubeconfig: Path | None = None) -> Self:
        """Return a client for the cluster of the kubeconfig; without one, for the cluster that this process runs in.

        Raises:
            ConfigError: the kubeconfig or the service account cannot be used.
        """
        configuration = Configuration()
        try:
            if kubeconfig is None:
                token = await in_cluster_token(configuration)
            else:
                token = await kubeconfig_token(kubeconfig, configuration)
        except (kube_config.ConfigException, OSError) as error:
            what = f"kubeconfig {kubeconfig}" if kubeconfig else "in-cluster configuration"
            raise ConfigError(f"Cannot use {what}: {error}.", hint="Set KUBECONFIG or pass --kubeconfig.") from error
        api = ApiClient(configuration)
        if is_direct(urlsplit(configuration.host).hostname or ""):
            api.rest_client.pool_manager = _without_proxy(api.rest_client.pool_manager)
        return cls(api, token)

    async def close(self) -> None:
        """Close the session."""
        await self._api.close()

    async def get(self, resource: Resource, name: str, namespace: str = "") -> Object | None:
        """Return one object, None if there is none."""
        try:
            return await self._json("GET", resource.path(namespace, name))
        except ClusterNotFound:
            return None

    async def list_page(
        self,
        resource: Resource,
        namespace: str,
        query: Mapping[str, str],
        *,
        metadata_only: bool,
        keep: Callable[[Object], Any] = lambda item: item,
    ) -> Object:
        """Return one page of a list; each object is replaced with what `keep` returns of it."""
        accept = METADATA_ONLY.format(list="List") if metadata_only else JSON
        call = Call("GET", resource.path(namespace), query, accept=accept)
        reader = PageReader(keep)
        async with self._response(call, _timeout(CALL_SECONDS), CALL_SECONDS) as response:
            try:
                async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                    reader.feed(chunk)
            except UnicodeDecodeError as error:
                message = f"{call.method} {call.path} returned a body that is not UTF-8: {error}."
                raise ClusterError(message, status=200) from error
        page = _parsed(reader.rest().encode(), f"{call.method} {call.path}")
        return {**page, "items": reader.kept}

    async def create(self, resource: Resource, item: Object, namespace: str = "") -> Object:
        """Create an object."""
        return await self._json("POST", resource.path(namespace), body=item)

    async def apply(self, resource: Resource, item: Object, *, namespace: str = "") -> Object:
        """Apply an object server-side with force: the fields that it sets are owned by this client afterwards."""
        whole = {"apiVersion": resource.api_version, "kind": resource.kind, **item}
        return await self._json(
            "PATCH",
            resource.path(namespace, item["metadata"]["name"]),
            body=whole,
            query={"fieldManager": FIELD_MANAGER, "force": "true"},
            content_type=APPLY_PATCH,
        )

    async def replace(self, resource: Resource, item: Object) -> Object:
        """Replace an object if it still has the resourceVersion that it was read with."""
        meta = item["metadata"]
        return await self._json("PUT", resource.path(meta.get("namespace", ""), meta["name"]), body=item)

    async def merge(self, resource: Resource, name: str, patch: Object, namespace: str = "") -> Object:
        """Merge-patch an object."""
        return await self._json("PATCH", resource.path(namespace, name), body=patch, content_type=MERGE_PATCH)

    async def replace_status(self, resource: Resource, item: Object, status: Object) -> Object:
        """Replace the status of an object if it still has the uid and the resourceVersion that it was read with.

        A status describes one version of the object. The precondition prevents it from overwriting the status of a
        newer leader or from hiding an edit: the call fails with ClusterConflict instead.
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
        """Request the deletion of an object, with `uid` only of that one; return False if there is none."""
        options: Object = {"propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            await self._json("DELETE", resource.path(namespace, name), body=options)
        except ClusterNotFound:
            return False
        return True

    async def delete_all(self, resource: Resource, namespace: str) -> None:
        """Request the deletion of all objects of a kind in a namespace."""
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
        """Open a watch and yield its lines.

        Args:
            answer_seconds: the time until the response has to begin.
            silence_seconds: the longest time without a line after that.
            total_seconds: the longest duration of the watch.
        """
        accept = METADATA_ONLY.format(list="") if metadata_only else JSON
        call = Call("GET", resource.path(namespace), query, accept=accept)
        async with self._response(call, _timeout(total_seconds, silence_seconds), answer_seconds) as response:
            try:
                yield response.content
            finally:
                # A stream that is left before its end needs no TLS shutdown, which would outlive the session.
                if response.connection is not None and response.connection.transport is not None:
                    response.connection.transport.abort()

    async def _json(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        content_type: str = JSON,
    ) -> Object:
        data = None if body is None else json.dumps(body).encode()
        call = Call(method, path, query or {}, data, content_type)
        async with self._response(call, _timeout(CALL_SECONDS), CALL_SECONDS) as response:
            return _parsed(await response.read(), f"{method} {path}")

    @contextlib.asynccontextmanager
    async def _response(
        self, call: Call, timeout: aiohttp.ClientTimeout, answer_seconds: float
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Make a call and yield its response if it succeeded; repeat it once if there is a newer token."""
        try:
            token = await self._token.current()
            response = await self._send(call, token, timeout, answer_seconds)
            if response.status == 401 and await self._token.renew(token):
                response.close()
                response = await self._send(call, await self._token.current(), timeout, answer_seconds)
            async with response:
                if not 200 <= response.status < 300:
                    raise _refusal(response, await response.content.read(ERROR_BYTES))
                yield response
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            cause = str(error) or type(error).__name__
            unreachable = ClusterUnreachable(f"The Kubernetes API at {self.host} does not answer: {cause}.")
            self.outage.call_failed(unreachable.message)
            raise unreachable from error
        except HttpProcessingError as error:
            raise ClusterError(f"{call.method} {call.path} returned a line that is too long.", status=200) from error

    async def _send(
        self, call: Call, token: str, timeout: aiohttp.ClientTimeout, answer_seconds: float
    ) -> aiohttp.ClientResponse:
        # Compressing a list costs the API server more time than sending it, and the network is local.
        headers = {"Accept": call.accept, "Accept-Encoding": "identity", "User-Agent": FIELD_MANAGER}
        if token:
            headers["Authorization"] = token
        if call.data is not None:
            headers["Content-Type"] = call.content_type
        self.outage.call_started()
        async with asyncio.timeout(answer_seconds):
            response = await self._session.request(
                call.method, self.host + call.path, params=call.query, data=call.data, headers=headers, timeout=timeout
            )
        self.outage.call_succeeded()
        return response


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API, without its token."""

    method: str
    path: str
    query: Mapping[str, str]
    data: bytes | None = None
    content_type: str = JSON
    accept: str = JSON


def _without_proxy(session: aiohttp.ClientSession) -> aiohttp.ClientSession:
    """Return a session on the same connector; kubernetes-asyncio's uses the environment's proxy for every host."""
    connector = session.connector
    session.detach()
    return aiohttp.ClientSession(connector=connector, read_bufsize=READ_BYTES)


def _timeout(total_seconds: float, silence_seconds: float | None = None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total_seconds, sock_connect=CONNECT_SECONDS, sock_read=silence_seconds)


def _parsed(data: bytes, call: str) -> Object:
    try:
        parsed = json.loads(data)
    except ValueError as error:
        raise ClusterError(f"{call} returned a body that is not JSON: {data[:QUOTED_BYTES]!r}.", status=200) from error
    if not isinstance(parsed, dict):
        raise ClusterError(f"{call} returned {type(parsed).__name__}, expected an object.", status=200)
    return parsed


def _refusal(response: aiohttp.ClientResponse, body: bytes) -> ClusterError:
    try:
        status = json.loads(body)
        message, reason = str(status["message"]), str(status.get("reason", ""))
    except (ValueError, KeyError, TypeError):
        message, reason = f"HTTP {response.status} from the Kubernetes API", ""
    seconds = _retry_after_seconds(response.headers.get("Retry-After", ""))
    error_class = {404: ClusterNotFound, 409: ClusterConflict}.get(response.status, ClusterError)
    return error_class(message, status=response.status, reason=reason, retry_after_seconds=seconds)


def _retry_after_seconds(retry_after: str) -> float | None:
    # Kubernetes sends seconds; a load balancer in front of it may send a date.
    if retry_after.isdigit():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
