"""The isolation of a store: its namespace with Pod Security, quota, default limits and network policies.

Network policies are additive. `default-deny` denies all traffic, and two more policies allow what a shop needs:

- `allow-databases`: pods of the same store connect to database pods, on database ports. Database pods open no
  connections.
- `allow-required`: all other pods accept connections from the pods of the shop, the ingress controllers and the
  platform. They connect to the pods of their store, to DNS, and to public addresses on a few ports
  (`URUMI_STORE_EGRESS_PORTS`), which payment providers and mail servers use.

Private and link-local addresses stay denied. These include other stores, the Kubernetes API and a cloud's metadata
service. The label `app.kubernetes.io/component` of a pod decides which policy applies; the database components of all
engines are treated as databases in every store, and every other component is treated as part of the shop.

Not guaranteed: enforcement. A cluster whose network plugin does not implement NetworkPolicy ignores the policies.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from reconciler.engines.registry import ENGINES
from reconciler.kube.resources import LIMIT_RANGES, NETWORK_POLICIES, QUOTAS, Object, Resource
from reconciler.store.desired import DIGEST_LENGTH
from reconciler.store.inventory import slim_owned
from urumi.store import namespace_name, store_labels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.settings import Settings

# One set of policies for the stores of all engines, so that the isolation of a store does not depend on its engine.
DATABASES = {component: port for engine in ENGINES.values() for component, port in engine.databases.items()}
WITHOUT_DATABASE = tuple(name for engine in ENGINES.values() for name in engine.components_without_database)
COMPONENT_LABEL = "app.kubernetes.io/component"
LINK_LOCAL = "169.254.0.0/16"
# All addresses except those that clusters, private networks and metadata services use.
PUBLIC = {
    "0.0.0.0/0": ["10.0.0.0/8", "100.64.0.0/10", LINK_LOCAL, "172.16.0.0/12", "192.168.0.0/16"],
    "::/0": ["fc00::/7", "fe80::/10"],
}
LIMITS: Object = {
    "limits": [
        {
            "type": "Container",
            "default": {"cpu": "500m", "memory": "512Mi"},
            "defaultRequest": {"cpu": "50m", "memory": "64Mi"},
        }
    ]
}
DENY_ALL: Object = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
STORE_UID_ANNOTATION = "urumi.ai/store-uid"
QUOTA_NAME = "store-quota"

POD_SECURITY = {
    f"pod-security.kubernetes.io/{mode}": level
    for mode, level in (("enforce", "restricted"), ("warn", "restricted"), ("audit", "restricted"))
}


def namespace_object(store_id: str, store_uid: str) -> Object:
    """Return the namespace of a store; the annotation holds the uid of the Store object it was created for."""
    return {
        "metadata": {
            "name": namespace_name(store_id),
            "labels": {**store_labels(store_id), **POD_SECURITY, "app.kubernetes.io/part-of": "urumi"},
            "annotations": {STORE_UID_ANNOTATION: store_uid},
        }
    }


def isolation_objects(settings: Settings, store_id: str) -> list[tuple[Resource, Object]]:
    """Return quota, limits and network policies of a store, in the order in which they are applied."""
    return [
        (QUOTAS, _object(store_id, QUOTA_NAME, {"hard": dict(settings.quota)})),
        (LIMIT_RANGES, _object(store_id, "store-limits", LIMITS)),
        (NETWORK_POLICIES, _object(store_id, "default-deny", DENY_ALL)),
        (NETWORK_POLICIES, _object(store_id, "allow-databases", _allow_databases())),
        (NETWORK_POLICIES, _object(store_id, "allow-required", _allow_required(settings))),
    ]


def slim_quota(item: Object) -> Object:
    """Return what the cache keeps of a quota, including whether the quota is in force.

    The API server enforces a quota only after the controller has counted the usage for it.
    """
    hard = (item.get("spec") or {}).get("hard")
    return slim_owned(item) | {"in_force": (item.get("status") or {}).get("hard") == hard}


def isolation_digest(settings: Settings, store_id: str) -> str:
    """Return a digest over the isolation of a store, which changes when the platform's settings do."""
    objects = [item for _, item in isolation_objects(settings, store_id)]
    return hashlib.sha256(json.dumps(objects, sort_keys=True).encode()).hexdigest()[:DIGEST_LENGTH]


def _object(store_id: str, name: str, spec: Object) -> Object:
    return {
        "metadata": {"name": name, "labels": {**store_labels(store_id), "app.kubernetes.io/part-of": "urumi"}},
        "spec": spec,
    }


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
    # A node-local DNS cache listens on a link-local address.
    resolvers = [_namespaces(["kube-system"]), {"ipBlock": {"cidr": LINK_LOCAL}}]
    public = [{"ipBlock": {"cidr": cidr, "except": private}} for cidr, private in PUBLIC.items()]
    egress: list[Object] = [{"to": [{"podSelector": {}}]}, {"to": resolvers, "ports": dns}]
    if settings.store_egress_ports:
        egress.append({"to": public, "ports": _tcp(settings.store_egress_ports)})
    return {
        **shop_pods,
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [shop_pods, _namespaces(callers)]}],
        "egress": egress,
    }


def _without(components: Iterable[str]) -> Object:
    """Return a selector of pods with any other component, so that pods of an unknown component are selected."""
    return {"matchExpressions": [{"key": COMPONENT_LABEL, "operator": "NotIn", "values": list(components)}]}


def _tcp(ports: Iterable[int]) -> list[Object]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def _namespaces(names: list[str]) -> Object:
    wanted = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": sorted(set(names))}
    return {"namespaceSelector": {"matchExpressions": [wanted]}}
