"""kubectl against the test cluster, and waiting for conditions."""

import json
import subprocess
import time
from collections.abc import Callable
from typing import Any, TypeVar

from cluster.local.cluster import ClusterInfo

PATIENCE_SECONDS = 90.0

T = TypeVar("T")


class Kubectl:
    """Runs kubectl with the cluster's kubeconfig."""

    def __init__(self, cluster: ClusterInfo) -> None:
        self._command = [str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig)]

    def run(self, *arguments: str, given: Any = None) -> str:
        """Return the output; raise with kubectl's message if it fails."""
        done = self.attempt(*arguments, given=given)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def attempt(self, *arguments: str, given: Any = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl with the given object as JSON on its standard input."""
        text = None if given is None else json.dumps(given)
        return subprocess.run([*self._command, *arguments], input=text, capture_output=True, text=True, check=False)

    def apply(self, item: Any) -> None:
        """Apply an object."""
        self.run("apply", "-f", "-", given=item)

    def get(self, kind: str, name: str, namespace: str = "") -> Any:
        """Return an object, None if it does not exist."""
        where = ["-n", namespace] if namespace else []
        text = self.run("get", kind, name, *where, "--ignore-not-found", "-o", "json")
        return json.loads(text) if text.strip() else None

    def names(self, kind: str, namespace: str) -> set[str]:
        """Return the names of all objects of a kind in a namespace."""
        listed = json.loads(self.run("get", kind, "-n", namespace, "-o", "json"))
        return {item["metadata"]["name"] for item in listed["items"]}


def wait_for(condition: Callable[[], T], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Poll until the condition returns something true, and return it."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}, last saw {found!r}"
        time.sleep(0.1)
