"""The desired release of a store: the folder of its chart, its values, and one digest over both.

    spec + settings + chart files -> DesiredRelease -> helm upgrade --install

The digest covers every file of the chart and every value. It is a label of the release and an annotation of each
workload, so comparing digests shows whether a store is in sync and healthy without a Helm process.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import yaml

from reconciler.engines.administrator import ADMIN_SECRET
from reconciler.engines.registry import ENGINES
from urumi.errors import ConfigurationError
from urumi.store import Engine

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.kube.resources import Object
    from reconciler.settings import Settings

DIGEST_LENGTH = 40
STORE_SECRETS = "store-secrets"
# Folders beside a chart that Helm does not package: the sources of the images, and values for the chart tools.
UNPACKAGED_FOLDERS = frozenset({"image", "ci"})


@dataclass(frozen=True, slots=True)
class DesiredRelease:
    """The chart, the values and the digest that should be released for a store."""

    chart_dir: Path
    chart_version: str
    values: Object
    digest: str


def store_host(settings: Settings, spec: Object) -> str:
    """Return the host name of a store."""
    return str(spec.get("host") or f"{spec['storeId']}.{settings.base_domain}")


def store_authority(store: Object) -> str:
    """Return the host of the values of a store, with the port if it is not the scheme's own."""
    return f"{store['host']}:{store['port']}" if store.get("port") else str(store["host"])


def store_url(settings: Settings, spec: Object) -> str:
    """Return the address of a store's shop."""
    return f"{settings.scheme}://{store_authority({'host': store_host(settings, spec), 'port': settings.store_port})}"


def admin_email(settings: Settings, spec: Object) -> str:
    """Return the e-mail address of a store's administrator, which the chart passes to the shop."""
    values = (spec.get("values") or {}).get("store") or {}
    return str(values.get("adminEmail") or f"admin@{store_host(settings, spec)}")


def desired_release(settings: Settings, spec: Object) -> DesiredRelease:
    """Return what should be released for the spec of a store.

    Raises:
        ConfigurationError: the chart of the engine does not exist.
    """
    chart_dir = settings.charts_dir / ENGINES[Engine(spec["engine"])].chart
    content, version = _chart_content(chart_dir)
    values = deep_merge(_platform_values(settings, spec), spec.get("values") or {})
    encoded = json.dumps(values, sort_keys=True).encode()
    digest = hashlib.sha256(content.encode() + encoded).hexdigest()[:DIGEST_LENGTH]
    return DesiredRelease(chart_dir, version, deep_merge(values, {"store": {"digest": digest}}), digest)


def _platform_values(settings: Settings, spec: Object) -> Object:
    return {
        "store": {
            "id": spec["storeId"],
            "host": store_host(settings, spec),
            "scheme": settings.scheme,
            "port": settings.store_port,
            "adminSecret": ADMIN_SECRET,
            "secretsName": STORE_SECRETS,
        },
        "ingress": {
            "enabled": True,
            "className": settings.ingress_class,
            "tls": {"enabled": settings.scheme == "https", "secretName": settings.tls_secret},
        },
        "storage": {"className": settings.storage_class},
    }


def deep_merge(base: Object, override: Object) -> Object:
    """Return the base with the override's values; where both hold a mapping, the mappings are merged."""
    merged = dict(base)
    for name, value in override.items():
        current = merged.get(name)
        merged[name] = deep_merge(current, value) if isinstance(current, dict) and isinstance(value, dict) else value
    return merged


@lru_cache(maxsize=16)
def _chart_content(chart_dir: Path) -> tuple[str, str]:
    """Return the digest and the version of a chart; the files do not change while the process runs."""
    manifest = chart_dir / "Chart.yaml"
    if not manifest.is_file():
        raise ConfigurationError(
            f"chart not found: {chart_dir}", step="release", reason="ChartMissing", hint="Check URUMI_CHARTS_DIR."
        )
    digest = hashlib.sha256()
    for path in sorted(path for path in chart_dir.rglob("*") if path.is_file()):
        name = path.relative_to(chart_dir)
        if name.parts[0] not in UNPACKAGED_FOLDERS:
            digest.update(str(name).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest(), str(yaml.safe_load(manifest.read_bytes()).get("version", ""))
