"""Troubles of building images and of pulling those of the registries."""

import json
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from urllib.parse import urlsplit

from cluster.doctor.finding import Finding
from cluster.kind.engine import LOOPBACK, numbers
from cluster.kind.facts import Facts

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
FIRST_WITHOUT_BUILDKIT = (23, 0)  # older clients contain BuildKit, newer ones call the plugin buildx


def buildx(facts: Facts) -> Iterator[Finding]:
    """A client that cannot use BuildKit, without which a build would send the whole checkout."""
    client = numbers(facts.engine.client_version)
    if client is not None and client >= FIRST_WITHOUT_BUILDKIT and not facts.engine.has_buildx:
        yield Finding(
            "problem",
            "images",
            f"Docker {facts.engine.client_version} has no plugin buildx, and the images are built with BuildKit.",
            "Install it (docker-buildx or docker-buildx-plugin) and run this again.",
        )


def snap(facts: Facts) -> Iterator[Finding]:
    """A Docker that may only read files in the home folder, and no hidden ones."""
    if not facts.docker.is_snap:
        return
    home = Path(facts.machine.environ.get("HOME", "/"))
    inside = facts.root.relative_to(home) if facts.root.is_relative_to(home) else None
    if inside is None or any(part.startswith(".") for part in inside.parts):
        yield Finding(
            "problem",
            "images",
            f"Docker was installed as a snap, which cannot read {facts.root}: it reads only folders in {home} that are"
            " not hidden.",
            "Move the checkout there, or install Docker Engine from Docker's packages.",
        )


def credentials(facts: Facts) -> Iterator[Finding]:
    """A program for credentials that Docker's configuration names and that is gone: then every build fails."""
    environ = facts.machine.environ
    config = Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME", "/")) / ".docker") / "config.json"
    try:
        name = json.loads(config.read_text()).get("credsStore")
    except (OSError, ValueError, AttributeError):
        return
    if name and which(f"docker-credential-{name}", path=environ.get("PATH")) is None:
        yield Finding(
            "problem",
            "images",
            f"{config} names the credential store {name!r}, but there is no program docker-credential-{name} on PATH.",
            'Delete the line "credsStore" from that file, or install the program.',
        )


def proxy_of_node(facts: Facts) -> Iterator[Finding]:
    """A proxy on the loopback address, which is another one inside the node."""
    name, url = _proxy(facts)
    if not facts.node.exists and LOOPBACK.fullmatch(urlsplit(url).hostname or ""):
        yield Finding(
            "problem",
            "proxy",
            f"{name} is {url}; inside the node that address is the node itself, so it could not pull images.",
            f"Set {name} to an address that containers can reach, or unset it for this run: env -u {name} ./setup.sh",
        )


def proxy_of_engine(facts: Facts) -> Iterator[Finding]:
    """A proxy that is set here but not for the engine, which pulls the node's image and the base images."""
    name, url = _proxy(facts)
    if url and not facts.engine.proxy and not facts.node.exists:
        yield Finding(
            "note",
            "proxy",
            f"{name} is set, but Docker's engine uses no proxy: it may fail to pull images.",
            'Set "proxies" in /etc/docker/daemon.json and restart Docker if it does.',
        )


def platform(facts: Facts) -> Iterator[Finding]:
    """A default platform, which would make images that the node cannot run."""
    name = facts.machine.environ.get("DOCKER_DEFAULT_PLATFORM")
    if name:
        yield Finding(
            "note",
            "images",
            f"DOCKER_DEFAULT_PLATFORM={name} is ignored: node and images are those of the engine's own platform.",
            "Unset it to see no note.",
        )


CHECKS = (buildx, snap, credentials, proxy_of_node, proxy_of_engine, platform)


def _proxy(facts: Facts) -> tuple[str, str]:
    """Return the first proxy variable that is set, with its value."""
    return next(((name, url) for name in PROXIES if (url := facts.machine.environ.get(name))), ("", ""))
