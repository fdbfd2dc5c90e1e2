"""Users of a cluster: ServiceAccounts with tokens, bound to the roles of charts/platform."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from cluster.local.cluster import ClusterInfo
from testing.kubectl import Kubectl

CHART = Path(__file__).resolve().parents[1] / "charts" / "platform"


def roles_of_the_chart(cluster: ClusterInfo) -> dict[str, Any]:
    """Return the ClusterRoles for users in the chart, as Helm renders them."""
    command = [str(cluster.helm), "template", "urumi", str(CHART), "--show-only=templates/people.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {"apiVersion": "v1", "kind": "List", "items": [each for each in yaml.safe_load_all(done.stdout) if each]}


class Account:
    """A ServiceAccount, bound to one of the roles or to none."""

    def __init__(self, kubectl: Kubectl, namespace: str, name: str, role: str = "") -> None:
        self.name = name
        self.user = f"system:serviceaccount:{namespace}:{name}"
        self._kubectl = kubectl
        self._namespace = namespace
        kubectl.run("create", "serviceaccount", name, "-n", namespace)
        if role:
            self.bind(role)
        self.token = kubectl.run("create", "token", name, "-n", namespace, "--duration=8h").strip()

    def bind(self, role: str) -> None:
        """Bind the role."""
        account = f"--serviceaccount={self._namespace}:{self.name}"
        self._kubectl.run("create", "rolebinding", self.name, f"--clusterrole={role}", account, "-n", self._namespace)

    def unbind(self) -> None:
        """Remove the binding."""
        self._kubectl.run("delete", "rolebinding", self.name, "-n", self._namespace)

    def delete(self) -> None:
        """Delete the account, which revokes its tokens."""
        self._kubectl.run("delete", "serviceaccount", self.name, "-n", self._namespace)

    @property
    def bearer(self) -> dict[str, str]:
        """The header that identifies the caller."""
        return {"Authorization": f"Bearer {self.token}"}
