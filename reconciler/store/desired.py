"""The chart of a store: which folder, which values, and one digest over both.

The digest names exactly what should be released: every file of the chart and every value. It is put on the release
(as a label of Helm's Secret) and on the workloads (as an annotation), so that "in sync" and "healthy" are statements
about this very content and need no process to find out.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.engines.registry import ENGINES
from urumi.errors import ConfigurationError
from urumi.store import Engine

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.kube.resources import Object
    from reconciler.settings import Settings

DIGEST_LENGTH = 40
ADMIN_SECRET = "store-admin"  # noqa: S105 - the name of a Secret
STORE_SECRETS = "store-secrets"


@dataclass(frozen=True, slots=True)
class DesiredRelease:
    """What should be released for a store."""

    chart_dir: Path
    chart_version: str
    values: Object
    digest: str


def store_host(settings: Settings, spec: Object) -> str:
    """Return the host name of a store."""
    return str(spec.get("host") or f"{spec['storeId']}.{settings.base_domain}")


def admin_email(settings: Settings, spec: Object) -> str:
    """Return the e-mail address of a store's administrator, as its chart gives it to the shop."""
    values = (spec.get("values") or {}).get("store") or {}
    return str(values.get("adminEmail") or f"admin@{store_host(settings, spec)}")


def desired_release(settings: Settings, spec: Object) -> DesiredRelease:
    """Return what should be released for a store's spec.

    Raises:
        ConfigurationError: where there is no such chart.
    """
    chart_dir = settings.charts_dir / ENGINES[Engine(spec["engine"])].chart
    content, version = _chart_content(chart_dir)
    values = _laid_over(_platform_values(settings, spec), spec.get("values") or {})
    encoded = json.dumps(values, sort_keys=True).encode()
    digest = hashlib.sha256(content.encode() + encoded).hexdigest()[:DIGEST_LENGTH]
    return DesiredRelease(chart_dir, version, _laid_over(values, {"store": {"digest": digest}}), digest)


def _platform_values(settings: Settings, spec: Object) -> Object:
    return {
        "store": {
            "id": spec["storeId"],
            "host": store_host(settings, spec),
            "scheme": settings.scheme,
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


def _laid_over(base: Object, over: Object) -> Object:
    merged = dict(base)
    for name, value in over.items():
        known = merged.get(name)
        merged[name] = _laid_over(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


@lru_cache(maxsize=16)
def _chart_content(chart_dir: Path) -> tuple[str, str]:
    # Charts come with the program and do not change while it runs, so reading them once is enough.
    if not (chart_dir / "Chart.yaml").is_file():
        raise ConfigurationError(
            f"there is no chart at {chart_dir}", step="release", reason="ChartMissing", hint="Check URUMI_CHARTS_DIR."
        )
    digest = hashlib.sha256()
    for path in sorted(path for path in chart_dir.rglob("*") if path.is_file() and _is_packaged(path, chart_dir)):
        digest.update(str(path.relative_to(chart_dir)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest(), _version_in((chart_dir / "Chart.yaml").read_text())


def _is_packaged(path: Path, chart_dir: Path) -> bool:
    # The sources of an engine's image lie beside its chart; Helm leaves them out, and so does the digest.
    return path.relative_to(chart_dir).parts[0] != "image"


def _version_in(chart_yaml: str) -> str:
    for line in chart_yaml.splitlines():
        if line.startswith("version:"):
            return line.removeprefix("version:").strip().strip("\"'")
    return ""
