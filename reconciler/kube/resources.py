"""The kinds of Kubernetes objects that the platform reads or writes, and their paths in the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from urumi.store import GROUP, KIND, PLURAL, VERSION

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind and its path in the API; `group` is empty for the core group."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """Return the apiVersion of objects of this kind."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Return the URL path of the collection, of one object or of its subresource."""
        parts = ["", "apis", self.group, self.version] if self.group else ["", "api", self.version]
        if namespace and self.namespaced:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        return "/".join([*parts, *filter(None, (name, subresource))])


STORES = Resource(GROUP, VERSION, PLURAL, KIND)
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
SECRETS = Resource("", "v1", "secrets", "Secret")
PODS = Resource("", "v1", "pods", "Pod")
CLAIMS = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
LIMIT_RANGES = Resource("", "v1", "limitranges", "LimitRange")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
STATEFUL_SETS = Resource("apps", "v1", "statefulsets", "StatefulSet")
SERVICES = Resource("", "v1", "services", "Service")
INGRESSES = Resource("networking.k8s.io", "v1", "ingresses", "Ingress")
NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")


def name_of(item: Object) -> str:
    """Return the object's name."""
    return str(item["metadata"]["name"])


def namespace_of(item: Object) -> str:
    """Return the object's namespace, empty for cluster-scoped ones."""
    return str(item["metadata"].get("namespace", ""))


def uid_of(item: Object) -> str:
    """Return the object's uid."""
    return str(item["metadata"]["uid"])


def labels_of(item: Object) -> dict[str, str]:
    """Return the object's labels."""
    return item["metadata"].get("labels") or {}


def annotations_of(item: Object) -> dict[str, str]:
    """Return the object's annotations."""
    return item["metadata"].get("annotations") or {}


def is_deleting(item: Object) -> bool:
    """Return whether the deletion of the object was requested."""
    return "deletionTimestamp" in item["metadata"]
