"""The bearer token for the Kubernetes API, reloaded before it expires.

Tokens are rotated while the process runs: kubelet rewrites the file of a service account every hour, and the token of a
plugin expires. Therefore the source is read every minute, and at once when the API server refuses a token. If the
source cannot be read, the last token stays in use. kubernetes-asyncio reads the source; it runs a plugin only if its
token expires soon or has no expiry. Not covered: client certificates, which are read once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from reconciler.kube.library import Configuration, kube_config

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from typing import Any

RELOAD_SECONDS = 60.0
MIN_RELOAD_SECONDS = 2.0

log = logging.getLogger(__name__)


class Token:
    """The value of the Authorization header, empty if there is none.

    Args:
        value: the current token.
        read: returns the token from its source; with True, it must not use a cached one.
    """

    def __init__(self, value: str, read: Callable[[bool], Awaitable[str]]) -> None:
        self._value = value
        self._read = read
        self._read_at = time.monotonic()
        self._lock = asyncio.Lock()

    async def current(self) -> str:
        """Return the token; read its source first if the last read was a minute ago."""
        async with self._lock:
            if time.monotonic() - self._read_at > RELOAD_SECONDS:
                await self._reload(force=False)
            return self._value

    async def renew(self, refused: str) -> bool:
        """Read the source after a token was refused; return whether there is another token now."""
        async with self._lock:
            # Many calls are refused at once; one read is enough for all of them.
            if self._value == refused and time.monotonic() - self._read_at > MIN_RELOAD_SECONDS:
                await self._reload(force=True)
            return self._value != refused

    async def _reload(self, *, force: bool) -> None:
        self._read_at = time.monotonic()
        try:
            self._value = await self._read(force) or self._value
        except Exception as error:
            # Plugins and half-written files may raise anything; the old token may still be valid.
            log.warning(
                "credentials could not be read, using the last token",
                extra={"error": str(error) or type(error).__name__},
            )


async def kubeconfig_token(path: Path, configuration: Any) -> Token:
    """Fill the configuration from a kubeconfig and return its token."""

    async def load(into: Any) -> Any:
        return await kube_config.load_kube_config(str(path), client_configuration=into)

    loader = await load(configuration)

    async def read(force: bool) -> str:
        nonlocal loader
        fresh = Configuration()
        if force:
            loader = await load(fresh)
        else:
            await loader.load_and_set(fresh)
        return _header(fresh)

    return Token(_header(configuration), read)


async def in_cluster_token(configuration: Any) -> Token:
    """Fill the configuration from the service account of this pod and return its token."""

    async def read(force: bool) -> str:
        return _in_cluster_header(Configuration())

    return Token(_in_cluster_header(configuration), read)


def _in_cluster_header(configuration: Any) -> str:
    kube_config.load_incluster_config(client_configuration=configuration)
    return _header(configuration)


def _header(configuration: Any) -> str:
    # A token file ends with a newline, which aiohttp refuses in a header.
    return " ".join(str(configuration.api_key.get("BearerToken", "")).split())
