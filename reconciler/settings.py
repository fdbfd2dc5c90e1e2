"""The settings of the reconciler; docs/configuration.md describes each variable."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003 - the settings model reads the annotations
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticUseDefault

from reconciler.package_data import charts_dir
from urumi.environment import Expected, Unexpected, Variable, prefixed, read_settings

CHARTS_DIR = charts_dir()
QUOTA = {
    "requests.cpu": "2",
    "requests.memory": "2Gi",
    "limits.cpu": "8",
    "limits.memory": "4Gi",
    "persistentvolumeclaims": "5",
    "requests.storage": "20Gi",
    "pods": "20",
}

_QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")


def _path_or_none(text: str) -> str | None:
    return text or None


def _namespaces(text: str) -> list[str]:
    names = text.split()
    if not names:
        raise PydanticUseDefault
    return names


def _quota(text: str) -> Mapping[str, str]:
    quota = dict(QUOTA)
    for part in filter(None, text.split(",")):
        name, _, amount = part.strip().partition("=")
        if not name or not _QUANTITY.fullmatch(amount):
            raise Unexpected(part.strip())
        quota[name] = amount
    return quota


def _address(text: str) -> str:
    try:
        filled = text.format(service="service", namespace="namespace", port=80, storeId="shop-1")
    except (LookupError, ValueError):
        filled = ""
    if not filled.startswith(("http://", "https://")):
        raise Unexpected(text)
    return text


Count = Annotated[int, Field(ge=1), Expected("a whole number from 1")]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False), Expected("a number of seconds above 0")]
Port = Annotated[int, Field(ge=1, le=65535)]
StorePort = Annotated[int, Field(ge=0, le=65535), Expected("a port from 1 to 65535, or 0 for the scheme's own")]
Ports = Annotated[
    tuple[Port, ...],
    BeforeValidator(str.split),
    AfterValidator(lambda ports: tuple(sorted(set(ports)))),
    Expected("ports from 1 to 65535, separated by spaces"),
]
Quota = Annotated[Mapping[str, str], BeforeValidator(_quota), Expected("like pods=30,requests.memory=3Gi")]
Address = Annotated[
    str,
    AfterValidator(_address),
    Expected("a URL with no other placeholders than {service}, {namespace}, {port} and {storeId}"),
]
Scheme = Annotated[Literal["http", "https"], Expected("http or https")]
StorefrontCheck = Annotated[Literal["walk", "order", "off"], Expected("walk, order or off")]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the platform gives every store, and the limits and timeouts of its work."""

    platform_namespace: Annotated[str, prefixed("PLATFORM_NAMESPACE")] = "store-platform"
    kubeconfig: Annotated[Path | None, BeforeValidator(_path_or_none), Variable("KUBECONFIG")] = None
    helm: Annotated[str, Variable("URUMI_HELM")] = "helm"
    charts_dir: Annotated[Path, Variable("URUMI_CHARTS_DIR")] = CHARTS_DIR
    base_domain: Annotated[str, prefixed("BASE_DOMAIN")] = "127.0.0.1.nip.io"
    scheme: Annotated[Scheme, prefixed("STORE_SCHEME")] = "http"
    # Only with its prefix: Kubernetes sets STORE_PORT in pods beside a Service `store`.
    store_port: Annotated[StorePort, Variable("URUMI_STORE_PORT")] = 0
    storefront_check: Annotated[StorefrontCheck, prefixed("STOREFRONT_CHECK")] = "walk"
    storefront_address: Annotated[Address, prefixed("STOREFRONT_ADDRESS")] = "http://{service}.{namespace}.svc:{port}"
    ingress_class: Annotated[str, prefixed("INGRESS_CLASS")] = "traefik"
    ingress_namespaces: Annotated[tuple[str, ...], BeforeValidator(_namespaces), prefixed("INGRESS_NAMESPACES")] = (
        "traefik",
        "kube-system",
    )
    store_egress_ports: Annotated[Ports, prefixed("STORE_EGRESS_PORTS")] = (443, 465, 587)
    storage_class: Annotated[str, prefixed("STORAGE_CLASS")] = ""
    tls_secret: Annotated[str, prefixed("STORE_TLS_SECRET")] = ""
    max_concurrent_provisions: Annotated[Count, prefixed("MAX_CONCURRENT_PROVISIONS")] = 4
    max_provision_seconds: Annotated[Seconds, prefixed("MAX_PROVISION_SECONDS")] = 600.0
    max_status_events: Annotated[Count, prefixed("MAX_STATUS_EVENTS")] = 20
    helm_timeout_seconds: Annotated[Seconds, prefixed("HELM_TIMEOUT_SECONDS")] = 120.0
    helm_lock_seconds: Annotated[Seconds, prefixed("HELM_LOCK_SECONDS")] = 30.0
    resync_seconds: Annotated[Seconds, prefixed("RESYNC_SECONDS")] = 600.0
    lease_seconds: Annotated[Seconds, prefixed("LEASE_SECONDS")] = 15.0
    deletion_patience_seconds: Annotated[Seconds, prefixed("DELETION_PATIENCE_SECONDS")] = 60.0
    quota: Annotated[Quota, prefixed("STORE_QUOTA")] = field(default_factory=lambda: dict(QUOTA))


def settings_from(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings that an environment describes.

    Raises:
        ConfigError: naming the variable, what was expected and what was found.
    """
    return read_settings(Settings, environ)
