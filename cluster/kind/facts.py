"""Everything that decides whether a kind cluster can work here: the engine, this machine, the node, the settings."""

import os
import platform
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cluster.kind.docker import Docker
from cluster.kind.engine import Engine
from cluster.kind.node import Files, Node
from cluster.kind.settings import Ports, Settings

CONTAINER_MARKERS = (Path("/.dockerenv"), Path("/run/.containerenv"))
SYSCTLS = Path("/proc/sys")


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine, container or virtual machine in which this program runs."""

    hostname: str
    system: str
    kernel: str
    in_container: bool
    environ: Mapping[str, str] = field(default_factory=dict)
    sysctls: Path = SYSCTLS

    @classmethod
    def read(cls) -> "Machine":
        """Ask the system."""
        return cls(
            hostname=socket.gethostname(),
            system=platform.system(),
            kernel=platform.release(),
            in_container=any(marker.exists() for marker in CONTAINER_MARKERS),
            environ=os.environ,
        )

    def sysctl(self, name: str) -> int | None:
        """Return a setting of the kernel; None if the system does not have it."""
        try:
            return int((self.sysctls / name.replace(".", "/")).read_text())
        except (OSError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the checks of a kind cluster look at."""

    engine: Engine
    machine: Machine
    node: Node
    files: Files
    settings: Settings
    docker: Docker
    root: Path

    @property
    def shares_kernel(self) -> bool:
        """Whether the engine runs on this machine's kernel, not in a virtual machine or elsewhere."""
        return self.machine.system == "Linux" and self.machine.kernel == self.engine.kernel

    @property
    def ports(self) -> Ports:
        """The ports of the existing cluster, otherwise those of a new one."""
        return self.node.ports if self.node.exists else self.settings.ports
