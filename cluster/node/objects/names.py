"""The cluster's DNS: CoreDNS in a pod of kube-system, where network policies expect it, behind the Service kube-dns.

The container uses the busybox image with the program from the node's cache mounted, so it needs no separate image.
"""

from pathlib import Path
from typing import Any

from cluster.api import Api
from cluster.node import layout

NAMESPACE = "kube-system"
NAME = "coredns"
SERVICE = "kube-dns"
LABELS = {"k8s-app": SERVICE}
WATCHED = {"": ["endpoints", "services", "pods", "namespaces"], "discovery.k8s.io": ["endpointslices"]}


def serve_names(api: Api, program: Path, corefile: Path) -> None:
    """Apply CoreDNS with its account and its Service."""
    rules = [{"apiGroups": [group], "resources": kinds, "verbs": ["list", "watch"]} for group, kinds in WATCHED.items()]
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME}
    home, rights = f"/api/v1/namespaces/{NAMESPACE}", "/apis/rbac.authorization.k8s.io/v1"
    pod = {"metadata": {"labels": LABELS}, "spec": _pod(program, corefile)}
    deployment = {"selector": {"matchLabels": LABELS}, "template": pod}
    ports = [{"name": protocol.lower(), "port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
    service = {"selector": LABELS, "clusterIP": layout.DNS_ADDRESS, "ports": ports}
    api.apply(f"{home}/serviceaccounts/{NAME}", _object("v1", "ServiceAccount", NAME))
    api.apply(
        f"{rights}/clusterroles/{NAME}", _object("rbac.authorization.k8s.io/v1", "ClusterRole", NAME, rules=rules)
    )
    binding = _object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", NAME, subjects=[subject], roleRef=role)
    api.apply(f"{rights}/clusterrolebindings/{NAME}", binding)
    api.apply(
        f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}",
        _object("apps/v1", "Deployment", NAME, spec=deployment),
    )
    api.apply(f"{home}/services/{SERVICE}", _object("v1", "Service", SERVICE, spec=service))


def _object(version: str, kind: str, name: str, **parts: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **parts}


def _pod(program: Path, corefile: Path) -> dict[str, Any]:
    files = {"/coredns": program, "/Corefile": corefile}
    volumes = [
        {"name": source.name.lower(), "hostPath": {"path": str(source), "type": "File"}} for source in files.values()
    ]
    container = {
        "name": NAME,
        "image": layout.BUSYBOX_IMAGE,
        "imagePullPolicy": "Never",
        "command": ["/coredns", "-conf", "/Corefile"],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
        "volumeMounts": [
            {"name": source.name.lower(), "mountPath": place, "readOnly": True} for place, source in files.items()
        ],
    }
    return {"serviceAccountName": NAME, "dnsPolicy": "Default", "containers": [container], "volumes": volumes}
