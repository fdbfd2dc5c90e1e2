"""The settings of the server itself; docs/configuration.md describes each variable."""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field

from urumi.environment import Expected, Variable, prefixed, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

# The largest body of a request and the largest frame of a WebSocket.
MAX_BODY_BYTES = 64 * 1024
# The number of grants that the admission ledger can hold; see server/stores/admission.py.
MAX_RATE = 1000
MAX_AUTH_CACHE_SECONDS = 300.0
# A path prefix at which a proxy publishes the server.
PREFIX_PATTERN = r"(?:/[A-Za-z0-9._~-]+)+"

Count = Annotated[int, Field(ge=1), Expected("a whole number from 1")]
Limit = Annotated[int, Field(ge=0), Expected("a whole number from 0")]
Rate = Annotated[int, Field(ge=0, le=MAX_RATE), Expected(f"a whole number from 0 to {MAX_RATE}")]
Port = Annotated[int, Field(ge=1, le=65535), Expected("a port from 1 to 65535")]
CacheSeconds = Annotated[
    float,
    Field(gt=0, le=MAX_AUTH_CACHE_SECONDS, allow_inf_nan=False),
    Expected(f"a number of seconds above 0 and up to {MAX_AUTH_CACHE_SECONDS:g}"),
]
Network = IPv4Network | IPv6Network
Networks = Annotated[
    tuple[Network, ...],
    BeforeValidator(str.split),
    Expected("networks such as 10.42.0.0/16, separated by spaces"),
]
RootPath = Annotated[
    str,
    BeforeValidator(lambda text: text.rstrip("/")),
    Field(pattern=f"^({PREFIX_PATTERN})?$"),
    Expected("a path such as /urumi, or empty"),
]
AuthMode = Annotated[Literal["token", "kubernetes"], Expected("token or kubernetes")]
Reads = Annotated[
    frozenset[Literal["health", "metrics"]],
    BeforeValidator(str.split),
    Expected("health, metrics, both separated by a space, or empty"),
]


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the server listens and what it allows; a limit of 0 is no limit."""

    host: Annotated[str, Variable("URUMI_HOST")] = "127.0.0.1"
    port: Annotated[Port, Variable("URUMI_PORT")] = 8780
    token: str = ""
    max_active_stores: Annotated[Count, prefixed("MAX_ACTIVE_STORES")] = 100
    max_stores_per_user: Annotated[Limit, prefixed("MAX_STORES_PER_USER")] = 0
    max_stores_per_ip: Annotated[Limit, prefixed("MAX_STORES_PER_IP")] = 0
    create_rate_limit: Annotated[Rate, prefixed("CREATE_RATE_LIMIT")] = 30
    rate_window_seconds: Annotated[Count, prefixed("RATE_WINDOW_SECONDS")] = 60
    trusted_proxies: Annotated[Networks, prefixed("TRUSTED_PROXIES")] = ()
    root_path: Annotated[RootPath, Variable("URUMI_ROOT_PATH")] = ""
    session_seconds: int = 12 * 3600
    max_sockets: Annotated[Count, prefixed("MAX_SOCKETS")] = 2000
    auth_mode: Annotated[AuthMode, prefixed("AUTH_MODE")] = "token"
    auth_cache_seconds: Annotated[CacheSeconds, prefixed("AUTH_CACHE_SECONDS")] = 30.0
    anonymous_reads: Annotated[Reads, prefixed("ANONYMOUS_READS")] = frozenset({"health", "metrics"})


def server_settings_from(environ: Mapping[str, str] = os.environ) -> ServerSettings:
    """Return the settings that an environment describes.

    Raises:
        ConfigError: naming the variable, what was expected and what was found.
    """
    return read_settings(ServerSettings, environ)
