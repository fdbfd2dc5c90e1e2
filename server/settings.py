"""The knobs of the server itself, from the environment; see docs/configuration.md."""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING

from urumi.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Network, IPv6Network

    Network = IPv4Network | IPv6Network

# What the ledger of admissions can hold; see server/stores/admission.py.
MAX_RATE = 1000
MAX_BODY_BYTES = 64 * 1024

MAX_AUTH_CACHE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the server listens and what it allows; a limit of 0 is none."""

    host: str = "127.0.0.1"
    port: int = 8780
    token: str = ""
    max_active_stores: int = 100
    max_stores_per_user: int = 0
    max_stores_per_ip: int = 0
    create_rate_limit: int = 30
    rate_window_seconds: int = 60
    trusted_proxies: tuple[Network, ...] = ()
    max_body_bytes: int = MAX_BODY_BYTES
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
        max_stores_per_user=_count(environ, "MAX_STORES_PER_USER", defaults.max_stores_per_user, least=0),
        max_stores_per_ip=_count(environ, "MAX_STORES_PER_IP", defaults.max_stores_per_ip, least=0),
        create_rate_limit=_count(environ, "CREATE_RATE_LIMIT", defaults.create_rate_limit, least=0, most=MAX_RATE),
        rate_window_seconds=_count(environ, "RATE_WINDOW_SECONDS", defaults.rate_window_seconds),
        trusted_proxies=_networks(environ, "TRUSTED_PROXIES"),
        max_sockets=_count(environ, "MAX_SOCKETS", defaults.max_sockets),
        auth_mode=_one_of(environ, "AUTH_MODE", defaults.auth_mode, ("token", "kubernetes")),
        auth_cache_seconds=_seconds(environ, "AUTH_CACHE_SECONDS", defaults.auth_cache_seconds),
        anonymous_reads=_some_of(environ, "ANONYMOUS_READS", defaults.anonymous_reads),
    )


def _count(environ: Mapping[str, str], name: str, default: int, *, least: int = 1, most: int | None = None) -> int:
    text = environ.get(name, str(default))
    if not text.isdigit() or int(text) < least or (most is not None and int(text) > most):
        allowed = f"from {least} on" if most is None else f"from {least} to {most}"
        raise ConfigError(f"{name} must be a whole number {allowed}, got {text!r}.")
    return int(text)


def _networks(environ: Mapping[str, str], name: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(text) for text in environ.get(name, "").split())
    except ValueError as error:
        raise ConfigError(
            f"{name} must be networks with a space between them, such as 10.42.0.0/16: {error}."
        ) from error


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
