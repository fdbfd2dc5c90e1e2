"""Fixtures for the charts: rendered by the real Helm, with the values that the reconciler passes.

A `Chart` runs Helm and kubectl against the local cluster, with Helm's own files in a temporary folder. Rendering needs
no API server; only the tests that use `store_namespace` do. That fixture takes the place of the reconciler: it creates
the namespace, quota, limits and Secrets that a store's chart expects, and deletes them afterwards.

Not guaranteed: that images exist or start. On the local cluster the pods are simulated.
"""

import json
import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml

from reconciler.engines.registry import ENGINES as DEFINITIONS

Manifest = dict[str, Any]

CHARTS = Path(__file__).resolve().parents[2] / "charts"
ENGINES = ("woocommerce", "medusa")
WORKLOAD_KINDS = ("Deployment", "StatefulSet")

# The keys of the two Secrets that the reconciler creates; a chart may refer to no other.
SECRET_KEYS: Mapping[str, Mapping[str, frozenset[str]]] = {
    engine.value: {
        "store-admin": frozenset({"username", "password", "storeId"}),
        "store-secrets": frozenset(definition.generated_secrets),
    }
    for engine, definition in DEFINITIONS.items()
}

# Quota and limits of a store's namespace.
QUOTA = {
    "requests.cpu": "2",
    "requests.memory": "2Gi",
    "limits.cpu": "8",
    "limits.memory": "4Gi",
    "persistentvolumeclaims": "5",
    "requests.storage": "20Gi",
    "pods": "20",
}
CONTAINER_LIMITS = {
    "type": "Container",
    "default": {"cpu": "500m", "memory": "512Mi"},
    "defaultRequest": {"cpu": "50m", "memory": "64Mi"},
}


class LocalCluster(Protocol):
    """Where the cluster and its tools are."""

    @property
    def kubeconfig(self) -> Path:
        """The file that names the cluster and the credentials."""

    @property
    def helm(self) -> Path:
        """Helm."""

    @property
    def kubectl(self) -> Path:
        """kubectl."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The output and the exit code of a command."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Tools:
    """Helm and kubectl, bound to the local cluster."""

    cluster: LocalCluster
    helm_home: Path

    def run(self, program: Path, *arguments: str, stdin: str | None = None) -> Finished:
        """Run a program to its end and return the result."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.helm_home),
            "KUBECONFIG": str(self.cluster.kubeconfig),
        }
        done = subprocess.run(
            [str(program), *arguments],
            input=stdin,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def helm(self, *arguments: str, values: Mapping[str, Any] | None = None) -> Finished:
        """Run Helm, with values on its standard input if there are any."""
        if values is None:
            return self.run(self.cluster.helm, *arguments)
        return self.run(self.cluster.helm, *arguments, "--values=-", stdin=json.dumps(values))

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl and return what it printed; the test fails when kubectl does."""
        done = self.run(self.cluster.kubectl, *arguments, stdin=stdin)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    def objects(self, kinds: str, namespace: str, labels: str = "") -> list[Manifest]:
        """Read objects from the API server, all of them or those with some labels."""
        text = self.kubectl("get", kinds, "-n", namespace, "-l", labels, "-o", "json")
        found: list[Manifest] = json.loads(text)["items"]
        return found

    def warnings(self, namespace: str) -> list[str]:
        """The warnings in the Events of a namespace, without those that resolve themselves."""
        return [
            f"{event['involvedObject']['name']}: {event['reason']}: {event['message']}"
            for event in self.objects("events", namespace)
            if event["type"] == "Warning" and event["reason"] not in ("FailedScheduling", "ClusterIPNotAllocated")
        ]


@dataclass(frozen=True, slots=True)
class Rendered:
    """The objects that a chart renders."""

    objects: tuple[Manifest, ...]

    def of_kind(self, *kinds: str) -> list[Manifest]:
        """The objects of some kinds."""
        return [manifest for manifest in self.objects if manifest["kind"] in kinds]

    def named(self, kind: str, name: str) -> Manifest:
        """The one object of a kind and name."""
        [manifest] = [found for found in self.of_kind(kind) if found["metadata"]["name"] == name]
        return manifest

    def pods(self) -> dict[str, Manifest]:
        """The pod template of each workload, by the workload's name."""
        return {found["metadata"]["name"]: found["spec"]["template"] for found in self.of_kind(*WORKLOAD_KINDS)}

    def init_containers(self) -> dict[str, Manifest]:
        """Every init container, by workload and name."""
        return self._containers("initContainers")

    def main_containers(self) -> dict[str, Manifest]:
        """Every main container, by workload and name."""
        return self._containers("containers")

    def containers(self) -> dict[str, Manifest]:
        """Every container of both kinds."""
        return self.init_containers() | self.main_containers()

    def _containers(self, field: str) -> dict[str, Manifest]:
        return {
            f"{workload}/{container['name']}": container
            for workload, pod in self.pods().items()
            for container in pod["spec"].get(field, [])
        }


@dataclass(frozen=True, slots=True)
class Chart:
    """One store chart."""

    engine: str
    path: Path
    tools: Tools

    def lint(self, values: Mapping[str, Any]) -> Finished:
        """Lint with every warning an error."""
        return self.tools.helm("lint", "--strict", str(self.path), values=values)

    def template(self, values: Mapping[str, Any], store_id: str = "shop-a") -> Finished:
        """Render as the reconciler would install."""
        where = (f"{self.engine}-{store_id}", str(self.path), "--namespace", f"store-{store_id}")
        return self.tools.helm("template", *where, values=values)

    def render(self, values: Mapping[str, Any]) -> Rendered:
        """Render and parse; the test fails when Helm refuses."""
        done = self.template(values)
        assert done.exit_code == 0, done.stderr
        # The C parser takes a sixth of the time.
        manifests = yaml.load_all(done.stdout, Loader=yaml.CSafeLoader)
        return Rendered(tuple(manifest for manifest in manifests if manifest is not None))

    def install(self, namespace: str, store_id: str, values: Mapping[str, Any]) -> Finished:
        """Install or upgrade, without waiting for pods, as the reconciler does."""
        where = (f"{self.engine}-{store_id}", str(self.path), "--namespace", namespace)
        return self.tools.helm("upgrade", "--install", *where, values=values)


@dataclass(frozen=True, slots=True)
class StoreNamespace:
    """A namespace on the local cluster, prepared for one store."""

    name: str
    store_id: str

    @property
    def values(self) -> dict[str, Any]:
        """The values that the reconciler would pass."""
        return values_of(self.store_id)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    return str(request.param)


@pytest.fixture
def tools(local_cluster: LocalCluster, tmp_path: Path) -> Tools:
    """Helm and kubectl, with their own home folder."""
    return Tools(local_cluster, tmp_path)


@pytest.fixture
def chart(engine: str, tools: Tools) -> Chart:
    """The chart of the engine."""
    return Chart(engine, CHARTS / engine, tools)


@pytest.fixture
def store_values() -> dict[str, Any]:
    """The values that the reconciler passes."""
    return values_of("shop-a")


@pytest.fixture
def rendered(chart: Chart, store_values: dict[str, Any]) -> Rendered:
    """What the chart renders from them."""
    return chart.render(store_values)


@pytest.fixture
def secret_keys(engine: str) -> Mapping[str, frozenset[str]]:
    """The keys that exist, by Secret."""
    return SECRET_KEYS[engine]


@pytest.fixture
def quota() -> Mapping[str, str]:
    """The quota of a store's namespace."""
    return QUOTA


@pytest.fixture
def store_namespace(engine: str, tools: Tools) -> Iterator[StoreNamespace]:
    """A namespace with everything that the reconciler creates before Helm runs."""
    store_id = f"charts-{engine[:3]}-{secrets.token_hex(3)}"
    namespace = f"test-{store_id}"
    for manifest in prepared_namespace(engine, namespace, store_id):
        tools.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(manifest))
    yield StoreNamespace(namespace, store_id)
    tools.kubectl("delete", "namespace", namespace, "--wait=false")


def values_of(store_id: str) -> dict[str, Any]:
    """The reconciler's values for a store."""
    return {
        "store": {
            "id": store_id,
            "host": f"{store_id}.127.0.0.1.nip.io",
            "scheme": "http",
            "port": 0,
            "adminSecret": "store-admin",
            "secretsName": "store-secrets",
        },
        "ingress": {
            "enabled": True,
            "className": "traefik",
            "tls": {"enabled": False, "secretName": ""},
            "annotations": {},
        },
        "storage": {"className": ""},
        "podAnnotations": {},
        "nodeSelector": {},
    }


def prepared_namespace(engine: str, namespace: str, store_id: str) -> Iterator[Manifest]:
    """Yield the reconciler's objects; Pod Security also warns, because it enforces on pods and not on workloads."""
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": security}}
    yield {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "store-quota", "namespace": namespace},
        "spec": {"hard": QUOTA},
    }
    yield {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "store-limits", "namespace": namespace},
        "spec": {"limits": [CONTAINER_LIMITS]},
    }
    for name, keys in SECRET_KEYS[engine].items():
        content = {key: store_id if key == "storeId" else secrets.token_urlsafe(24) for key in sorted(keys)}
        yield {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace},
            "stringData": content,
        }
