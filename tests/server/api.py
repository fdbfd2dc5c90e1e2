"""A client of the REST API with complete responses, and servers that show stores without reconciling them."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from cluster.local.cluster import ClusterInfo
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess

PROBLEM_JSON = "application/problem+json"
URN = "urn:urumi:problem:"


@dataclass(frozen=True)
class Answer:
    """One response."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.content)

    @property
    def problem(self) -> str:
        """The name of the problem, empty for other responses."""
        if self.headers.get("content-type") != PROBLEM_JSON:
            return ""
        return str(self.json["type"]).removeprefix(URN)


class Api:
    """Calls one server with its token, unless other headers are given."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self._http = httpx2.Client(base_url=server.url, timeout=60)
        self.token = {"Authorization": f"Bearer {server.token}"}

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Answer:
        """Send a request and return the response; `headers` replace the token."""
        given = dict(self.token if headers is None else headers)
        if body is not None:
            more = {"content": body if isinstance(body, bytes) else json.dumps(body).encode(), **more}
            given.setdefault("Content-Type", "application/json")
        answer = self._http.request(method, path, headers=given, **more)
        # Without this, later requests would send the session cookie of this response.
        self._http.cookies.clear()
        return Answer(answer.status_code, answer.headers, answer.content)

    def create(self, store_id: str, engine: str = "medusa", **headers: str) -> Answer:
        """Request a store."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("POST", "/stores", {"storeId": store_id, "engine": engine}, {**self.token, **named})

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def idle_server(cluster: ClusterInfo, kubectl: Kubectl, folder: Path, **environ: str) -> ServerProcess:
    """Return a server that shows its stores and never reconciles them: another holder has the lease."""
    folder.mkdir(exist_ok=True)
    server = ServerProcess(cluster, kubectl, folder, **environ)
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "urumi-reconciler", "namespace": server.namespace},
        "spec": {"holderIdentity": "nobody", "leaseDurationSeconds": 86400, "leaseTransitions": 1},
    }
    kubectl.apply(lease)
    return server


def delete_store(kubectl: Kubectl, server: ServerProcess, store_id: str) -> None:
    """Delete a store that is not reconciled, and wait until the server no longer returns it."""
    patch = json.dumps({"metadata": {"finalizers": None}})
    kubectl.run("patch", "store", store_id, "-n", server.namespace, "--type=merge", "-p", patch)
    kubectl.run("delete", "store", store_id, "-n", server.namespace, "--ignore-not-found")
    wait_for(lambda: server.store(store_id) is None, f"{store_id} to be gone")


def new_id() -> str:
    """Return an unused store id."""
    return f"t-{secrets.token_hex(4)}"
