"""The knobs of the server itself, from the environment; see docs/configuration.md."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from urumi.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_AUTH_CACHE_SECONDS = 300.0


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
    auth_mode: str = "token"
    auth_cache_seconds: float = 30.0
    anonymous_reads: frozenset[str] = frozenset({"health", "metrics"})


def server_settings_from(host: str, port: int, token: str, environ: Mapping[str, str] = os.environ) -> ServerSettings:
    """Return the settings for an address and a token, the rest from the environment."""
    defaults = ServerSettings()
    return ServerSettings(
        host=host,
        port=port,
        token=token,
        max_active_stores=_count(environ, "MAX_ACTIVE_STORES", defaults.max_active_stores),
        max_sockets=_count(environ, "MAX_SOCKETS", defaults.max_sockets),
        auth_mode=_one_of(environ, "AUTH_MODE", defaults.auth_mode, ("token", "kubernetes")),
        auth_cache_seconds=_seconds(environ, "AUTH_CACHE_SECONDS", defaults.auth_cache_seconds),
        anonymous_reads=_some_of(environ, "ANONYMOUS_READS", defaults.anonymous_reads),
    )


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        raise ConfigError(f"{name} must be a whole number from 1 on, got {text!r}.")
    return int(text)


def _one_of(environ: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    text = environ.get(name, default)
    if text not in allowed:
        raise ConfigError(f"{name} must be {' or '.join(allowed)}, got {text!r}.")
    return text


def _some_of(environ: Mapping[str, str], name: str, allowed: frozenset[str]) -> frozenset[str]:
    text = environ.get(name, " ".join(allowed))
    if not allowed.issuperset(text.split()):
        raise ConfigError(f"{name} may have {' and '.join(sorted(allowed))} in it, got {text!r}.")
    return frozenset(text.split())


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name, str(default))
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds <= MAX_AUTH_CACHE_SECONDS:
        raise ConfigError(f"{name} must be seconds above 0 and up to {MAX_AUTH_CACHE_SECONDS:g}, got {text!r}.")
    return seconds
