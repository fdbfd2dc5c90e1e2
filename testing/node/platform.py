"""The platform with real containers, as a process beside the node or as pods on it."""

import json
import sys
from pathlib import Path
from types import TracebackType

from cluster.node.folders import ROOT
from cluster.node.host import run
from cluster.node.node import Node
from testing.accounts import Account
from testing.caller import PatientCaller
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess, free_port
from urumi.store import namespace_name

CHARTS = ROOT / "charts"
LABEL = "app.kubernetes.io/name=urumi"
POD_PORT = 8780
REPLICAS = 2
ROLLOUT_SECONDS = 300.0


class NodePlatform(ServerProcess):
    """`urumi serve` in the node's network, where the names of Services lead to shops.

    Its end does not wait for stores: their namespaces are deleted while the next tests run, or with the node.
    """

    def __init__(self, node: Node, kubectl: Kubectl, folder: Path, **environ: str) -> None:
        super().__init__(node.cluster, kubectl, folder, **environ)
        self._node = node
        node.forward_port(self.port, "127.0.0.1", self.port)

    def start(self) -> None:
        """Start the server in the network that the node has now, and wait until it is ready."""
        # The process is killed when the test run ends, as the node is.
        self.python = ("setpriv", "--pdeathsig", "KILL", *self._node.in_network(sys.executable))
        super().start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        stores = self.kubectl.names("stores", self.namespace)
        if stores:
            self.kubectl.run("delete", "namespace", "--wait=false", "--ignore-not-found", *map(namespace_name, stores))


class InstalledPlatform(PatientCaller):
    """charts/platform on the node: two pods of the server's own image, with the chart's account and permissions.

    Calls go through its Service, with the token of an account that has the operator role.
    """

    def __init__(self, node: Node, kubectl: Kubectl, folder: Path) -> None:
        self.port = free_port()
        super().__init__(f"http://127.0.0.1:{self.port}", "", "store-platform")
        self.kubectl = kubectl
        self.config: dict[str, str] = {}
        self._node = node
        self._folder = folder

    def install(self) -> None:
        """Install the chart, create an operator account, and forward a port to the Service."""
        self.upgrade()
        self.token = Account(self.kubectl, self.namespace, "operator", "urumi-operator").token
        service = self.kubectl.get("service", "urumi", self.namespace)
        self._node.forward_port(self.port, service["spec"]["clusterIP"], service["spec"]["ports"][0]["port"])

    def upgrade(self, **config: str) -> None:
        """Upgrade the release to these settings, with the chart's defaults for all others, and wait for the pods."""
        values = self._folder / "values.json"
        values.write_text(json.dumps({"config": config}))
        # As documented in docs/production.md.
        options = ("--install", "--create-namespace", "--take-ownership", "--force-conflicts", "--reset-values")
        self.config = config
        self.helm("upgrade", *options, "--values", str(values), "urumi", str(CHARTS / "platform"))
        self.wait_until_ready()

    def helm(self, verb: str, *words: str) -> str:
        """Run Helm in the platform's namespace as the cluster's admin."""
        cluster = self._node.cluster
        target = ("--namespace", self.namespace, "--kubeconfig", cluster.kubeconfig)
        return run(cluster.helm, verb, *words, *target, timeout_seconds=ROLLOUT_SECONDS)

    def wait_until_ready(self) -> None:
        """Wait until all pods of the release's newest revision are ready and older pods are gone."""
        target = ("-n", self.namespace, f"--timeout={ROLLOUT_SECONDS:.0f}s")
        done = self.kubectl.attempt("rollout", "status", "deployment/urumi", *target)
        assert done.returncode == 0, f"{done.stderr}\nThe end of the pods' logs:\n{self.logs(tail=5)}"
        wait_for(lambda: len(self.pods()) == REPLICAS, f"{REPLICAS} pods of the platform and no more", ROLLOUT_SECONDS)

    def pods(self) -> list[str]:
        """Return the names of the server's pods."""
        names = ("-o", "jsonpath={.items[*].metadata.name}")
        return self.kubectl.run("get", "pods", "-n", self.namespace, "-l", LABEL, *names).split()

    def leader(self) -> str:
        """Wait until an existing pod leads, and return its name."""

        def leading_pod() -> str:
            status, health = self.call("GET", "/healthz")
            name = str(health["leader"]["holder"]).partition("_")[0] if status == 200 else ""
            return name if name in self.pods() else ""

        return wait_for(leading_pod, "one of the platform's pods to lead")

    def kill(self, pod: str) -> None:
        """Kill the server of a pod as a crash does; the kubelet restarts it."""
        container = self.kubectl.get("pod", pod, self.namespace)["status"]["containerStatuses"][0]["containerID"]
        self._node.containers.kill(container.removeprefix("containerd://"))

    def logs(self, tail: int = -1) -> str:
        """Return the logs of the server's pods, complete or the last lines of each."""
        return self.kubectl.run("logs", "-n", self.namespace, "-l", LABEL, "--prefix", f"--tail={tail}")

    def at(self, pod: str) -> PatientCaller:
        """Return a caller of one of the pods, without the Service."""
        port = free_port()
        self._node.forward_port(port, self.kubectl.get("pod", pod, self.namespace)["status"]["podIP"], POD_PORT)
        return PatientCaller(f"http://127.0.0.1:{port}", self.token, self.namespace)
