"""The Kubernetes API over one pooled session: get, list, apply, patch, delete, and the raw lines of a watch.

kubernetes-asyncio finds the cluster (kubeconfig, in-cluster, exec plugins, token refresh) and holds the TLS session.
Its generated clients, its dynamic client and its watch are not used: they hand error bodies on as results and cannot
bound a silent stream. Here every answer's status is checked before its body is looked at, and every call has a
deadline.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, Self

import aiohttp
from kubernetes_asyncio import config as kube_config
from kubernetes_asyncio.client import ApiClient, Configuration

from reconciler.resources import Object, Resource
from urumi.errors import ClusterError, ClusterUnreachable, ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Mapping
    from pathlib import Path

FIELD_MANAGER = "urumi"
CALL_SECONDS = 15.0
CONNECT_SECONDS = 10.0
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
METADATA_ONLY = "application/json;as=PartialObjectMetadata{list};g=meta.k8s.io;v=v1"


class Kube:
    """Calls the Kubernetes API.

    Raises from every call:
        ClusterError: the API refused; `status` is its HTTP status.
        ClusterUnreachable: no connection or no answer in time.
    """

    def __init__(self, api: Any) -> None:
        self._api = api
        self._session: aiohttp.ClientSession = api.rest_client.pool_manager
        self.host = str(api.configuration.host)

    @classmethod
    async def connect(cls, kubeconfig: Path | None = None) -> Self:
        """Return a client for the cluster that the kubeconfig names, or that this process runs in.

        Raises:
            ConfigError: where neither can be used.
        """
        configuration = Configuration()
        try:
            if kubeconfig is None:
                kube_config.load_incluster_config(  # type: ignore[no-untyped-call]
                    client_configuration=configuration
                )
            else:
                await kube_config.load_kube_config(str(kubeconfig), client_configuration=configuration)
        except (kube_config.ConfigException, OSError) as error:
            where = f"the kubeconfig {kubeconfig}" if kubeconfig else "the cluster around this process"
            raise ConfigError(f"Cannot use {where}: {error}.", hint="Set KUBECONFIG or pass --kubeconfig.") from error
        return cls(ApiClient(configuration))

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
        self, resource: Resource, namespace: str, query: Mapping[str, str], *, metadata_only: bool
    ) -> Object:
        """Return one page of a list, as the API sends it."""
        return await self._json("GET", resource.path(namespace), query=query, accept=_accept(metadata_only, "List"))

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
        """Replace the whole status of that very object (by uid), leaving everything else alone."""
        meta = item["metadata"]
        patch = [
            {"op": "test", "path": "/metadata/uid", "value": meta["uid"]},
            {"op": "add", "path": "/status", "value": status},
        ]
        path = resource.path(meta.get("namespace", ""), meta["name"], "status")
        return await self._json("PATCH", path, body=patch, content_type=JSON_PATCH)

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
        silence_seconds: float,
        total_seconds: float,
    ) -> AsyncIterator[AsyncIterable[bytes]]:
        """Open a watch and hand out its lines; a line not heard for `silence_seconds` ends it with an error."""
        timeout = aiohttp.ClientTimeout(total=total_seconds, sock_connect=CONNECT_SECONDS, sock_read=silence_seconds)
        headers = await self._headers(_accept(metadata_only, ""))
        try:
            async with self._session.get(
                self.host + resource.path(namespace), params=query, headers=headers, timeout=timeout
            ) as answer:
                if answer.status != 200:
                    raise _refusal(answer, await _bounded(answer))
                yield answer.content
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _unreachable(self.host, error) from error

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
        headers = await self._headers(accept)
        if body is not None:
            headers["Content-Type"] = content_type
        data = None if body is None else json.dumps(body).encode()
        timeout = aiohttp.ClientTimeout(total=CALL_SECONDS, sock_connect=CONNECT_SECONDS)
        try:
            async with self._session.request(
                method, self.host + path, params=query, data=data, headers=headers, timeout=timeout
            ) as answer:
                if not 200 <= answer.status < 300:
                    raise _refusal(answer, await _bounded(answer))
                return _parsed(await answer.read(), f"{method} {path}")
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise _unreachable(self.host, error) from error

    async def _headers(self, accept: str) -> dict[str, str]:
        headers = {"Accept": accept, "User-Agent": FIELD_MANAGER}
        token = await self._api.configuration.get_api_key_with_prefix("BearerToken")
        if token:
            headers["Authorization"] = token
        return headers


def _accept(metadata_only: bool, suffix: str) -> str:
    return METADATA_ONLY.format(list=suffix) if metadata_only else "application/json"


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    return await answer.content.read(65536)


def _parsed(data: bytes, call: str) -> Object:
    try:
        parsed = json.loads(data)
    except ValueError as error:
        raise ClusterError(f"{call} answered with something that is not JSON.", status=200) from error
    if not isinstance(parsed, dict):
        raise ClusterError(f"{call} answered with {type(parsed).__name__}, expected an object.", status=200)
    return parsed


def _refusal(answer: aiohttp.ClientResponse, body: bytes) -> ClusterError:
    try:
        status = json.loads(body)
        message, reason = str(status["message"]), str(status.get("reason", ""))
    except (ValueError, KeyError, TypeError):
        message, reason = f"HTTP {answer.status} from the Kubernetes API", ""
    wait = answer.headers.get("Retry-After", "")
    seconds = float(wait) if wait.isdigit() else None
    return ClusterError(message, status=answer.status, reason=reason, retry_after_seconds=seconds)


def _unreachable(host: str, error: Exception) -> ClusterUnreachable:
    return ClusterUnreachable(f"The Kubernetes API at {host} does not answer: {str(error) or type(error).__name__}.")
