"""The container of the cluster's only node, as Docker describes it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.kind.docker import Docker
from cluster.kind.settings import HTTP_PORT, HTTPS_PORT, Ports

CLUSTER = "urumi"
NODE = f"{CLUSTER}-control-plane"
ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Node:
    """Its state (`running`, `exited`, `paused`, ... or `absent`) and the ports of this machine that it publishes."""

    state: str = ABSENT
    published: tuple[tuple[str, int], ...] = ()
    created: str = ""

    @classmethod
    def read(cls, docker: Docker) -> "Node":
        """Ask Docker."""
        shown = docker.attempt("container", "inspect", "--format", "{{json .}}", NODE)
        if shown is None or shown.returncode != 0:
            return cls()
        found = json.loads(shown.stdout)
        bindings = (found.get("HostConfig") or {}).get("PortBindings") or {}
        return cls(
            state=str(found["State"]["Status"]),
            published=tuple((inside, _host_port(outside)) for inside, outside in bindings.items()),
            created=str(found.get("Created", "")).partition(".")[0],
        )

    @property
    def exists(self) -> bool:
        """Whether there is such a container."""
        return self.state != ABSENT

    @property
    def is_running(self) -> bool:
        """Whether its processes run."""
        return self.state == "running"

    @property
    def ports(self) -> Ports:
        """The ports of shops and page, fixed when the container was created."""
        published = dict(self.published)
        return Ports(published.get("80/tcp", HTTP_PORT), published.get("443/tcp", HTTPS_PORT))


@dataclass(frozen=True, slots=True)
class Files:
    """What this state folder keeps about its cluster; the configuration is written before the cluster is created."""

    state: Path

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig, which kind writes at the end of the creation."""
        return self.state / "kind.kubeconfig"

    @property
    def config(self) -> Path:
        """The configuration that kind read."""
        return self.state / "kind.json"

    @property
    def made_it(self) -> bool:
        """Whether the cluster was created from this state folder."""
        return self.kubeconfig.is_file() or self.config.is_file()

    @property
    def half_made(self) -> bool:
        """Whether the creation was interrupted."""
        return self.config.is_file() and not self.kubeconfig.is_file()

    def delete(self) -> None:
        """Delete them."""
        self.kubeconfig.unlink(missing_ok=True)
        self.config.unlink(missing_ok=True)


def _host_port(bindings: Any) -> int:
    return int((bindings or [{}])[0].get("HostPort") or 0)
