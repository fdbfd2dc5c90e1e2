"""The walls around a store: its namespace with Pod Security, quota, default limits and network policies.

Policies add up, so `default-deny` closes everything and two others open what a shop needs, each for its own pods:

- `allow-databases`: a database is reached on a database's port by those pods of its store that use one, and reaches
  nothing.
- `allow-required`: every other pod is reached by the shop's own, the ingress controllers and the platform; it reaches
  its store, the cluster's DNS, and public addresses on a few ports (`STORE_EGRESS_PORTS`): payment providers, mail.

Private and link-local addresses stay closed, and with them other stores, the Kubernetes API and a cloud's metadata
service. A pod is known by its component, and one of an unknown component is a part of the shop; so a chart of one's own
works, fenced as far as it uses these names.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from reconciler.kube.resources import LIMIT_RANGES, NETWORK_POLICIES, QUOTAS, Object, Resource
from reconciler.store.desired import DIGEST_LENGTH
from reconciler.store.inventory import slim_owned
from urumi.store import namespace_name, store_labels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.settings import Settings

# The charts' components that keep a shop's data with their ports, and the one that never asks them.
DATABASES = {"mariadb": 3306, "postgres": 5432, "redis": 6379}
WITHOUT_DATABASE = ("storefront",)
COMPONENT_LABEL = "app.kubernetes.io/component"
LINK_LOCAL = "169.254.0.0/16"
# The public addresses: all but those that clusters, companies and metadata services use. DNS is asked for at link-local
# ones where a node has a cache of it.
PUBLIC = {
    "0.0.0.0/0": ["10.0.0.0/8", "100.64.0.0/10", LINK_LOCAL, "172.16.0.0/12", "192.168.0.0/16"],
    "::/0": ["fc00::/7", "fe80::/10"],
}
STORE_UID_ANNOTATION = "urumi.ai/store-uid"
QUOTA_NAME = "store-quota"

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


def isolation_objects(settings: Settings, store_id: str) -> list[tuple[Resource, Object]]:
    """Return everything that limits a store, in the order in which it is applied."""
    return [
        (QUOTAS, _object(store_id, QUOTA_NAME, {"hard": dict(settings.quota)})),
        (LIMIT_RANGES, _object(store_id, "store-limits", _limits())),
        (NETWORK_POLICIES, _object(store_id, "default-deny", _default_deny())),
        (NETWORK_POLICIES, _object(store_id, "allow-databases", _allow_databases())),
        (NETWORK_POLICIES, _object(store_id, "allow-required", _allow_required(settings))),
    ]


def slim_quota(item: Object) -> Object:
    """Return what is kept of a quota: also whether it is in force.

    The API server enforces what a controller has counted, and lets everything pass until then.
    """
    hard = (item.get("spec") or {}).get("hard")
    return slim_owned(item) | {"in_force": (item.get("status") or {}).get("hard") == hard}


def isolation_digest(settings: Settings, store_id: str) -> str:
    """Return a digest of all that limits a store, to tell when the platform's settings changed."""
    objects = [item for _, item in isolation_objects(settings, store_id)]
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


def _allow_databases() -> Object:
    clients = {"podSelector": _without((*DATABASES, *WITHOUT_DATABASE))}
    return {
        "podSelector": {"matchExpressions": [{"key": COMPONENT_LABEL, "operator": "In", "values": list(DATABASES)}]},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [clients], "ports": _tcp(DATABASES.values())}],
    }


def _allow_required(settings: Settings) -> Object:
    dns = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    shop_pods = {"podSelector": _without(DATABASES)}
    callers = [*settings.ingress_namespaces, settings.platform_namespace]
    names = [_namespaces(["kube-system"]), {"ipBlock": {"cidr": LINK_LOCAL}}]
    outside = [{"ipBlock": {"cidr": cidr, "except": inside}} for cidr, inside in PUBLIC.items()]
    egress: list[Object] = [{"to": [{"podSelector": {}}]}, {"to": names, "ports": dns}]
    if settings.store_egress_ports:
        egress.append({"to": outside, "ports": _tcp(settings.store_egress_ports)})
    return {
        **shop_pods,
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [shop_pods, _namespaces(callers)]}],
        "egress": egress,
    }


def _without(components: Iterable[str]) -> Object:
    """Select pods by what they are not: what an owner's own chart adds is a part of the shop."""
    return {"matchExpressions": [{"key": COMPONENT_LABEL, "operator": "NotIn", "values": list(components)}]}


def _tcp(ports: Iterable[int]) -> list[Object]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def _namespaces(names: list[str]) -> Object:
    wanted = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": sorted(set(names))}
    return {"namespaceSelector": {"matchExpressions": [wanted]}}
