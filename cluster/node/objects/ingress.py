"""The ingress controller: Traefik in a pod of kube-system behind a LoadBalancer Service, as k3s ships it.

The Service has the node's address, so ports 80 and 443 of the node lead to Traefik. The container uses the busybox
image with the program from the node's cache mounted, so it needs no separate image.
"""

from pathlib import Path
from typing import Any

import yaml

from cluster.api import Api
from cluster.node import layout

NAMESPACE = "kube-system"
NAME = "traefik"
LABELS = {"app.kubernetes.io/name": NAME}
HOME = f"/api/v1/namespaces/{NAMESPACE}"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}"
PORTS = {"web": (80, 8000), "websecure": (443, 8443)}
PING_PORT = 8080
ARGUMENTS = (
    f"--entryPoints.traefik.address=:{PING_PORT}",
    *(f"--entryPoints.{name}.address=:{inside}" for name, (_, inside) in PORTS.items()),
    "--entryPoints.websecure.http.tls=true",
    "--providers.kubernetesingress=true",
    f"--providers.kubernetesingress.ingressendpoint.publishedservice={NAMESPACE}/{NAME}",
    "--providers.kubernetescrd=true",
    "--ping=true",
    "--global.checknewversion=false",
    "--global.sendanonymoususage=false",
)
PATHS = {
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}


def apply_ingress(api: Api, program: Path, source: Path) -> None:
    """Apply Traefik's definitions, its account and permissions, the class, the Service and the Deployment."""
    if not _is_applied(api, source):
        for item in _documents(source / "definitions.yaml"):
            _apply_unnamespaced(api, item)
    for item in _documents(source / "rights.yaml"):
        for subject in item.get("subjects", ()):
            subject |= {"name": NAME, "namespace": NAMESPACE}
        _apply_unnamespaced(api, item)
    api.apply(f"{HOME}/serviceaccounts/{NAME}", _object("v1", "ServiceAccount"))
    ingress_class = _object(
        "networking.k8s.io/v1", "IngressClass", spec={"controller": "traefik.io/ingress-controller"}
    )
    ingress_class["metadata"] |= {"annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}}
    api.apply(f"/apis/networking.k8s.io/v1/ingressclasses/{NAME}", ingress_class)
    ports = [{"name": name, "port": port, "targetPort": name} for name, (port, _) in PORTS.items()]
    service = {"type": "LoadBalancer", "selector": LABELS, "ports": ports}
    api.apply(f"{HOME}/services/{NAME}", _object("v1", "Service", spec=service))
    # What a load balancer's controller does.
    balancer = {"loadBalancer": {"ingress": [{"ip": layout.NODE_ADDRESS}]}}
    api.apply(f"{HOME}/services/{NAME}/status", _object("v1", "Service", status=balancer))
    template = {"metadata": {"labels": LABELS}, "spec": _pod(program)}
    deployment = _object("apps/v1", "Deployment", spec={"selector": {"matchLabels": LABELS}, "template": template})
    deployment["metadata"] |= {"annotations": {"urumi.ai/source": source.name}}
    api.apply(DEPLOYMENT, deployment)


def is_ingress_ready(api: Api) -> bool:
    """Return whether Traefik's newest pod is ready."""
    deployment = api.get(DEPLOYMENT) or {}
    status = deployment.get("status") or {}
    is_observed = status.get("observedGeneration") == deployment.get("metadata", {}).get("generation")
    return is_observed and bool(status.get("readyReplicas")) and status.get("replicas") == status.get("updatedReplicas")


def _is_applied(api: Api, source: Path) -> bool:
    deployment = api.get(DEPLOYMENT) or {}
    return bool(deployment.get("metadata", {}).get("annotations", {}).get("urumi.ai/source") == source.name)


def _documents(path: Path) -> list[dict[str, Any]]:
    with path.open() as file:
        return [item for item in yaml.load_all(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if item]


def _apply_unnamespaced(api: Api, item: dict[str, Any]) -> None:
    api.apply(f"{PATHS[item['kind']]}/{item['metadata']['name']}", item)


def _object(version: str, kind: str, **parts: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": NAME}, **parts}


def _pod(program: Path) -> dict[str, Any]:
    ports = [{"name": name, "containerPort": inside} for name, (_, inside) in PORTS.items()]
    container = {
        "name": NAME,
        "image": layout.BUSYBOX_IMAGE,
        "imagePullPolicy": "Never",
        "command": ["/traefik", *ARGUMENTS],
        "ports": ports,
        "readinessProbe": {"httpGet": {"path": "/ping", "port": PING_PORT}, "periodSeconds": 1},
        "securityContext": {
            "runAsUser": 65532,
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "program", "mountPath": "/traefik", "readOnly": True}],
    }
    volume = {"name": "program", "hostPath": {"path": str(program), "type": "File"}}
    # A stopped node ends at once; connections of visitors get a moment.
    return {
        "serviceAccountName": NAME,
        "terminationGracePeriodSeconds": 5,
        "containers": [container],
        "volumes": [volume],
    }
