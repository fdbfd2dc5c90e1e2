"""The knobs of the server itself, from the environment; see docs/configuration.md."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from urumi.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the server listens and what it allows."""

    host: str = "127.0.0.1"
    port: int = 8780
    token: str = ""
    max_active_stores: int = 100
    max_body_bytes: int = 64 * 1024
    session_seconds: int = 12 * 3600
    max_sockets: int = 2000


def server_settings_from(host: str, port: int, token: str, environ: Mapping[str, str] = os.environ) -> ServerSettings:
    """Return the settings for an address and a token, the rest from the environment."""
    defaults = ServerSettings()
    return ServerSettings(
        host=host,
        port=port,
        token=token,
        max_active_stores=_count(environ, "MAX_ACTIVE_STORES", defaults.max_active_stores),
        max_sockets=_count(environ, "MAX_SOCKETS", defaults.max_sockets),
    )


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        raise ConfigError(f"{name} must be a whole number from 1 on, got {text!r}.")
    return int(text)
