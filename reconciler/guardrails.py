"""The walls around a store: its namespace with Pod Security, quota, default limits and network policies."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from reconciler.chart import DIGEST_LENGTH
from reconciler.resources import LIMIT_RANGES, NETWORK_POLICIES, QUOTAS, Object, Resource
from urumi.store import namespace_name, store_labels

if TYPE_CHECKING:
    from reconciler.settings import Settings

STORE_UID_ANNOTATION = "urumi.ai/store-uid"

POD_SECURITY = {
    f"pod-security.kubernetes.io/{mode}": level
    for mode, level in (("enforce", "restricted"), ("warn", "restricted"), ("audit", "restricted"))
}


def namespace_object(store_id: str, store_uid: str) -> Object:
    """Return the namespace of a store; the annotation ties it to this very Store object."""
    return {
        "metadata": {
            "name": namespace_name(store_id),
            "labels": {**store_labels(store_id), **POD_SECURITY, "app.kubernetes.io/part-of": "urumi"},
            "annotations": {STORE_UID_ANNOTATION: store_uid},
        }
    }


def guardrail_objects(settings: Settings, store_id: str) -> list[tuple[Resource, Object]]:
    """Return everything that limits a store, in the order in which it is applied."""
    return [
        (QUOTAS, _object(store_id, "store-quota", {"hard": dict(settings.quota)})),
        (LIMIT_RANGES, _object(store_id, "store-limits", _limits())),
        (NETWORK_POLICIES, _object(store_id, "default-deny", _default_deny())),
        (NETWORK_POLICIES, _object(store_id, "allow-required", _allow_required(settings))),
    ]


def guardrails_digest(settings: Settings, store_id: str) -> str:
    """Return a digest of all that limits a store, to tell when the platform's settings changed."""
    objects = [item for _, item in guardrail_objects(settings, store_id)]
    return hashlib.sha256(json.dumps(objects, sort_keys=True).encode()).hexdigest()[:DIGEST_LENGTH]


def _object(store_id: str, name: str, spec: Object) -> Object:
    return {
        "metadata": {"name": name, "labels": {**store_labels(store_id), "app.kubernetes.io/part-of": "urumi"}},
        "spec": spec,
    }


def _limits() -> Object:
    return {
        "limits": [
            {
                "type": "Container",
                "default": {"cpu": "500m", "memory": "512Mi"},
                "defaultRequest": {"cpu": "50m", "memory": "64Mi"},
            }
        ]
    }


def _default_deny() -> Object:
    return {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def _allow_required(settings: Settings) -> Object:
    dns = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    neighbours: Object = {"podSelector": {}}
    callers = [*settings.ingress_namespaces, settings.platform_namespace]
    return {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [neighbours, _namespaces(callers)]}],
        "egress": [{"to": [neighbours]}, {"to": [_namespaces(["kube-system"])], "ports": dns}],
    }


def _namespaces(names: list[str]) -> Object:
    wanted = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": sorted(set(names))}
    return {"namespaceSelector": {"matchExpressions": [wanted]}}
