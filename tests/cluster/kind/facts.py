"""The facts of a machine on which nothing prevents a kind cluster; a test changes the one it is about."""

import dataclasses
from pathlib import Path
from typing import Any

from cluster.kind.docker import Docker
from cluster.kind.engine import Engine
from cluster.kind.facts import Facts, Machine
from cluster.kind.node import Files, Node
from cluster.kind.settings import Settings

GIB = 1024**3
# What `docker info --format '{{json .}}'` prints, without the parts that nothing reads.
INFO: dict[str, Any] = {
    "Name": "shop-machine",
    "ServerVersion": "28.2.2",
    "OperatingSystem": "Debian GNU/Linux 13 (trixie)",
    "OSType": "linux",
    "Architecture": "x86_64",
    "KernelVersion": "6.12.0-test",
    "CgroupDriver": "systemd",
    "CgroupVersion": "2",
    "MemoryLimit": True,
    "PidsLimit": True,
    "CPUShares": True,
    "MemTotal": 16 * GIB,
    "DockerRootDir": "/var/lib/docker",
    "HttpProxy": "",
    "HttpsProxy": "",
    "SecurityOptions": ["name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"],
    "ClientInfo": {"Context": "default", "Plugins": [{"Name": "buildx", "Version": "v0.24.0"}]},
}
VERSION: dict[str, Any] = {
    "Client": {"Version": "28.2.2"},
    "Server": {"Version": "28.2.2", "Components": [{"Name": "Engine", "Version": "28.2.2"}]},
}
ENDPOINT = "unix:///var/run/docker.sock"
ENGINE = Engine(
    endpoint=ENDPOINT,
    name="shop-machine",
    version="28.2.2",
    client_version="28.2.2",
    components=("Engine",),
    operating_system="Debian GNU/Linux 13 (trixie)",
    os_type="linux",
    architecture="x86_64",
    kernel="6.12.0-test",
    cgroup_version="2",
    memory_bytes=16 * GIB,
    root_dir="/nowhere",
    limits_resources=True,
    has_buildx=True,
    proxy="",
    rootless=False,
)
SYSCTLS = {
    "fs.inotify.max_user_instances": 512,
    "fs.inotify.max_user_watches": 524288,
    "net.ipv4.ip_unprivileged_port_start": 1024,
}


class FactsOf:
    """Builds facts from the usual ones with some fields replaced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._docker = Docker()
        self.set_sysctls()

    def set_sysctls(self, **values: int) -> None:
        """Write the settings of the kernel; `__` in a name stands for a dot."""
        for name, value in {**SYSCTLS, **{key.replace("__", "."): value for key, value in values.items()}}.items():
            path = self.folder / "sys" / name.replace(".", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{value}\n")

    def __call__(
        self,
        *,
        node: Node | None = None,
        settings: Settings | None = None,
        machine: dict[str, Any] | None = None,
        **engine: Any,
    ) -> Facts:
        """Return the facts; keywords replace fields of the engine."""
        usual = Machine("shop-machine", "Linux", ENGINE.kernel, False, {"HOME": str(self.folder)}, self.folder / "sys")
        return Facts(
            engine=dataclasses.replace(ENGINE, **engine),
            machine=dataclasses.replace(usual, **(machine or {})),
            node=node or Node(),
            files=Files(self.folder / "state"),
            settings=settings or Settings(18080, 18443),
            docker=self._docker,
            root=self.folder / "checkout",
        )
