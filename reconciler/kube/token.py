"""The token that proves who we are to the Kubernetes API, read again before it is too old.

Tokens are rotated under a running process: kubelet writes a service account's file anew every hour, a plugin's token
expires. So the source is looked at every minute, and at once when the API refuses a token; a source that cannot be read
leaves the last token in use. kubernetes-asyncio does the reading and runs a plugin only when its token has an expiry
that is near, or no expiry at all. Not covered: client certificates, which are read once.
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

LOOK_SECONDS = 60.0
RENEW_SECONDS = 2.0

log = logging.getLogger(__name__)


class Token:
    """The value of the Authorization header, empty where there is none.

    Args:
        value: the token as it is now.
        read: returns it from its source; with True, nothing that was read before may be used again.
    """

    def __init__(self, value: str, read: Callable[[bool], Awaitable[str]]) -> None:
        self._value = value
        self._read = read
        self._read_at = time.monotonic()
        self._lock = asyncio.Lock()

    async def current(self) -> str:
        """Return the token, looked at again where the last look was a minute ago."""
        async with self._lock:
            if time.monotonic() - self._read_at > LOOK_SECONDS:
                await self._look(anew=False)
            return self._value

    async def renew(self, refused: str) -> bool:
        """Look for another token than one that was refused; return whether there is one."""
        async with self._lock:
            # Many calls are refused at once; one look serves them all.
            if self._value == refused and time.monotonic() - self._read_at > RENEW_SECONDS:
                await self._look(anew=True)
            return self._value != refused

    async def _look(self, *, anew: bool) -> None:
        self._read_at = time.monotonic()
        try:
            self._value = await self._read(anew) or self._value
        except Exception as error:
            # Whatever a plugin or a half-written file raises, the old token is the best there is.
            log.warning("the credentials cannot be read", extra={"error": str(error) or type(error).__name__})


async def kubeconfig_token(path: Path, configuration: Any) -> Token:
    """Fill the configuration from a kubeconfig and return its token."""

    async def load(into: Any) -> Any:
        return await kube_config.load_kube_config(str(path), client_configuration=into)

    loader = await load(configuration)

    async def read(anew: bool) -> str:
        nonlocal loader
        fresh = Configuration()
        if anew:
            loader = await load(fresh)
        else:
            await loader.load_and_set(fresh)
        return _header(fresh)

    return Token(_header(configuration), read)


async def in_cluster_token(configuration: Any) -> Token:
    """Fill the configuration from the service account of this pod and return its token."""

    async def read(anew: bool) -> str:
        return _in_cluster_header(Configuration())

    return Token(_in_cluster_header(configuration), read)


def _in_cluster_header(configuration: Any) -> str:
    kube_config.load_incluster_config(client_configuration=configuration)
    return _header(configuration)


def _header(configuration: Any) -> str:
    # A file ends with a newline, and a header that holds one is refused by aiohttp.
    return " ".join(str(configuration.api_key.get("BearerToken", "")).split())
