"""What the Docker engine reports about itself, and why it does not when it does not."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|::1")


@dataclass(frozen=True, slots=True)
class Silence:
    """Why no engine can be used: a sentence, and a hint that starts with a verb."""

    installed: bool
    sentence: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Engine:
    """The facts of `docker info` and `docker version` on which decisions depend; empty or 0 means not reported."""

    endpoint: str
    name: str
    version: str
    client_version: str
    components: tuple[str, ...]
    operating_system: str
    os_type: str
    architecture: str
    kernel: str
    cgroup_version: str
    memory_bytes: int
    root_dir: str
    limits_resources: bool
    has_buildx: bool
    proxy: str
    rootless: bool

    @classmethod
    def read(cls, endpoint: str, info_text: str, version_text: str) -> "Engine | None":
        """Read both outputs in JSON; None if they are not those of an engine that responds."""
        info, version = _mapping(info_text), _mapping(version_text)
        client, server = version.get("Client") or {}, version.get("Server") or {}
        # The `docker` of Podman has its own format, with the key `host`.
        components = [str(each.get("Name", "")) for each in server.get("Components") or ()]
        components += ["Podman Engine"] if "host" in info else []
        if not info.get("ServerVersion") and "host" not in info:
            return None
        plugins = (info.get("ClientInfo") or {}).get("Plugins") or ()
        limits = (info.get(key) for key in ("MemoryLimit", "PidsLimit", "CPUShares"))
        return cls(
            endpoint=endpoint,
            name=str(info.get("Name", "")),
            version=str(info.get("ServerVersion") or server.get("Version") or ""),
            client_version=str(client.get("Version", "")),
            components=tuple(components),
            operating_system=str(info.get("OperatingSystem", "")),
            os_type=str(info.get("OSType", "linux")),
            architecture=str(info.get("Architecture", "")),
            kernel=str(info.get("KernelVersion", "")),
            cgroup_version=str(info.get("CgroupVersion", "")),
            memory_bytes=int(info.get("MemTotal") or 0),
            root_dir=str(info.get("DockerRootDir", "")),
            # Without a cgroup driver the other values have no meaning.
            limits_resources=info.get("CgroupDriver") != "none" and all(limits),
            has_buildx=any(each.get("Name") == "buildx" for each in plugins),
            proxy=str(info.get("HttpsProxy") or info.get("HttpProxy") or ""),
            rootless=any("name=rootless" in str(each).split(",") for each in info.get("SecurityOptions") or ()),
        )

    @property
    def is_podman(self) -> bool:
        """Whether Podman answers in place of Docker."""
        return any("podman" in component.lower() for component in self.components)


def is_remote(endpoint: str) -> bool:
    """Return whether the address of an engine is one of another machine."""
    parts = urlsplit(endpoint)
    return parts.scheme in {"tcp", "http", "https", "ssh"} and not LOOPBACK.fullmatch(parts.hostname or "")


def reported_errors(info_text: str) -> str:
    """Return the errors in the output of `docker info`, which ends with code 0 up to Docker 20."""
    return "\n".join(map(str, _mapping(info_text).get("ServerErrors") or ()))


def numbers(version: str) -> tuple[int, int] | None:
    """Return the first two numbers of a version; None for a name such as `dev`."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None


def _mapping(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
