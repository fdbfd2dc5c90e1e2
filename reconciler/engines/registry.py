"""The engines: what each is made of, and what a store of it needs before its chart is installed."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.kube.resources import DEPLOYMENTS, STATEFUL_SETS, Resource
from urumi.store import Engine

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """An engine's workloads in the order people want to read them, its admin page and login, its generated secrets."""

    engine: Engine
    chart: str
    admin_path: str
    signs_in_by_email: bool
    workloads: tuple[tuple[Resource, str], ...]
    secret_makers: dict[str, Callable[[], str]]


def new_password() -> str:
    """Return a new random password."""
    return secrets.token_urlsafe(24)


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(48)).decode()


def _publishable_key() -> str:
    return f"pk_{secrets.token_hex(32)}"


_WORDPRESS_KEYS = [
    f"wordpress-{name}-{part}" for part in ("key", "salt") for name in ("auth", "secure-auth", "logged-in", "nonce")
]

ENGINES = {
    Engine.WOOCOMMERCE: EngineSpec(
        engine=Engine.WOOCOMMERCE,
        chart="woocommerce",
        admin_path="/wp-admin/",
        signs_in_by_email=False,
        workloads=((STATEFUL_SETS, "mariadb"), (DEPLOYMENTS, "wordpress")),
        secret_makers={
            "database-password": new_password,
            "database-root-password": new_password,
            **dict.fromkeys(_WORDPRESS_KEYS, _key),
        },
    ),
    Engine.MEDUSA: EngineSpec(
        engine=Engine.MEDUSA,
        chart="medusa",
        admin_path="/app",
        signs_in_by_email=True,
        workloads=(
            (STATEFUL_SETS, "postgres"),
            (DEPLOYMENTS, "redis"),
            (DEPLOYMENTS, "backend"),
            (DEPLOYMENTS, "storefront"),
        ),
        secret_makers={
            "database-password": new_password,
            "jwt-secret": _key,
            "cookie-secret": _key,
            "publishable-key": _publishable_key,
        },
    ),
}
