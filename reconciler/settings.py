"""The knobs of the reconciler, from the environment; every name here is documented in docs/configuration.md."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.package_data import charts_dir
from urumi.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")

CHARTS_DIR = charts_dir()


@dataclass(frozen=True, slots=True)
class Settings:
    """What the platform gives to every store, and how hard it works."""

    platform_namespace: str = "store-platform"
    kubeconfig: Path | None = None
    helm: str = "helm"
    charts_dir: Path = CHARTS_DIR
    base_domain: str = "127.0.0.1.nip.io"
    scheme: str = "http"
    storefront_check: str = "walk"
    storefront_address: str = "http://{service}.{namespace}.svc:{port}"
    ingress_class: str = "traefik"
    ingress_namespaces: tuple[str, ...] = ("traefik", "kube-system")
    store_egress_ports: tuple[int, ...] = (443, 465, 587)
    storage_class: str = ""
    tls_secret: str = ""
    max_concurrent_provisions: int = 4
    max_provision_seconds: float = 600.0
    max_status_events: int = 20
    helm_timeout_seconds: float = 120.0
    helm_lock_seconds: float = 30.0
    resync_seconds: float = 600.0
    lease_seconds: float = 15.0
    deletion_patience_seconds: float = 60.0
    quota: Mapping[str, str] = field(
        default_factory=lambda: {
            "requests.cpu": "2",
            "requests.memory": "2Gi",
            "limits.cpu": "8",
            "limits.memory": "4Gi",
            "persistentvolumeclaims": "5",
            "requests.storage": "20Gi",
            "pods": "20",
        }
    )


def settings_from(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings that an environment describes.

    Raises:
        ConfigError: naming the variable, what was expected and what was found.
    """
    defaults = Settings()
    kubeconfig = environ.get("KUBECONFIG", "")
    return Settings(
        platform_namespace=environ.get("PLATFORM_NAMESPACE", defaults.platform_namespace),
        kubeconfig=Path(kubeconfig) if kubeconfig else None,
        helm=environ.get("URUMI_HELM", defaults.helm),
        charts_dir=Path(environ.get("URUMI_CHARTS_DIR", str(defaults.charts_dir))),
        base_domain=environ.get("BASE_DOMAIN", defaults.base_domain),
        scheme=_choice(environ, "STORE_SCHEME", ("http", "https"), defaults.scheme),
        storefront_check=_choice(environ, "STOREFRONT_CHECK", ("walk", "order", "off"), defaults.storefront_check),
        storefront_address=_address(environ, "STOREFRONT_ADDRESS", defaults.storefront_address),
        ingress_class=environ.get("INGRESS_CLASS", defaults.ingress_class),
        ingress_namespaces=tuple(environ.get("INGRESS_NAMESPACES", "").split()) or defaults.ingress_namespaces,
        store_egress_ports=_ports(environ, "STORE_EGRESS_PORTS", defaults.store_egress_ports),
        storage_class=environ.get("STORAGE_CLASS", defaults.storage_class),
        tls_secret=environ.get("STORE_TLS_SECRET", defaults.tls_secret),
        max_concurrent_provisions=int(
            _number(environ, "MAX_CONCURRENT_PROVISIONS", defaults.max_concurrent_provisions)
        ),
        max_provision_seconds=_number(environ, "MAX_PROVISION_SECONDS", defaults.max_provision_seconds),
        max_status_events=int(_number(environ, "MAX_STATUS_EVENTS", defaults.max_status_events)),
        helm_timeout_seconds=_number(environ, "HELM_TIMEOUT_SECONDS", defaults.helm_timeout_seconds),
        helm_lock_seconds=_number(environ, "HELM_LOCK_SECONDS", defaults.helm_lock_seconds),
        resync_seconds=_number(environ, "RESYNC_SECONDS", defaults.resync_seconds),
        lease_seconds=_number(environ, "LEASE_SECONDS", defaults.lease_seconds),
        quota=_quota(environ, defaults.quota),
        deletion_patience_seconds=_number(environ, "DELETION_PATIENCE_SECONDS", defaults.deletion_patience_seconds),
    )


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name)
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ConfigError(f"{name} must be a number above 0, got {text!r}.")
    return number


def _ports(environ: Mapping[str, str], name: str, default: tuple[int, ...]) -> tuple[int, ...]:
    """Return the ports that a variable lists; set to nothing, there are none."""
    text = environ.get(name)
    if text is None:
        return default
    words = text.split()
    wrong = [word for word in words if not (word.isascii() and word.isdigit() and 0 < int(word) < 65536)]
    if wrong:
        raise ConfigError(f"{name} must be ports from 1 to 65535 with a space between them, got {wrong[0]!r} in it.")
    return tuple(sorted({int(word) for word in words}))


def _quota(environ: Mapping[str, str], default: Mapping[str, str]) -> Mapping[str, str]:
    """Return the quota with what STORE_QUOTA says of it, as in `pods=30,requests.memory=3Gi`."""
    quota = dict(default)
    for part in filter(None, environ.get("STORE_QUOTA", "").split(",")):
        name, _, amount = part.strip().partition("=")
        if not name or not _QUANTITY.fullmatch(amount):
            raise ConfigError(f"STORE_QUOTA must be like pods=30,requests.memory=3Gi, got {part.strip()!r} in it.")
        quota[name] = amount
    return quota


def _address(environ: Mapping[str, str], name: str, default: str) -> str:
    text = environ.get(name, default)
    try:
        filled = text.format(service="service", namespace="namespace", port=80, storeId="shop-1")
    except (LookupError, ValueError):
        filled = ""
    if not filled.startswith(("http://", "https://")):
        expected = "a URL with no other placeholders than {service}, {namespace}, {port} and {storeId}"
        raise ConfigError(f"{name} must be {expected}, got {text!r}.")
    return text


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    text = environ.get(name, default)
    if text not in choices:
        raise ConfigError(f"{name} must be one of {', '.join(choices)}, got {text!r}.")
    return text
