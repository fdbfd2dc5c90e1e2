"""Troubles of the engine itself: no kind cluster can work on it, whatever its user does to this machine."""

from collections.abc import Iterator

from cluster.doctor.finding import Finding
from cluster.kind.engine import numbers
from cluster.kind.facts import Facts

OLDEST = (20, 10)  # kind needs `docker run --cgroupns`
ARCHITECTURES = {"x86_64", "amd64", "aarch64", "arm64"}  # of kind's node images
SUBJECT = "Docker"


def podman(facts: Facts) -> Iterator[Finding]:
    """Podman behind the name or the socket of Docker lacks what kind asks of Docker."""
    if facts.engine.is_podman:
        yield _problem(
            "Podman answers in place of Docker, and Urumi's kind cluster has been written for Docker only.",
            "Install Docker Engine, or point DOCKER_HOST to one.",
        )


def old_version(facts: Facts) -> Iterator[Finding]:
    """An engine or a client older than what kind needs."""
    for what, version in (("engine", facts.engine.version), ("client", facts.engine.client_version)):
        found = numbers(version)
        if found is not None and found < OLDEST and not facts.engine.is_podman:
            yield _problem(
                f"Docker's {what} is {version}; kind needs {OLDEST[0]}.{OLDEST[1]} or newer.",
                "Upgrade Docker.",
            )


def windows_containers(facts: Facts) -> Iterator[Finding]:
    """An engine that runs Windows containers."""
    if facts.engine.os_type not in {"linux", ""}:
        yield _problem(
            f"Docker runs {facts.engine.os_type} containers; kind needs linux ones.",
            "Switch Docker Desktop to Linux containers.",
        )


def architecture(facts: Facts) -> Iterator[Finding]:
    """A processor for which kind publishes no node image."""
    name = facts.engine.architecture
    if name and name not in ARCHITECTURES and not facts.settings.image:
        yield _problem(
            f"Docker runs on {name}; kind's node image exists for amd64 and arm64 only.",
            "Set URUMI_KIND_IMAGE to a node image of your own.",
        )


def elsewhere(facts: Facts) -> Iterator[Finding]:
    """An engine outside of this container, whose loopback ports are those of another machine."""
    engine, machine = facts.engine, facts.machine
    if machine.in_container and engine.name and engine.name != machine.hostname:
        yield _problem(
            f"This is a container, and Docker's engine ({engine.name}) is outside of it: the shops would be on the"
            " loopback address of that machine, which cannot be reached from here.",
            "Run ./setup.sh on that machine, or give this container an engine of its own (docker-in-docker).",
        )


def rootless(facts: Facts) -> Iterator[Finding]:
    """A rootless engine without the cgroups that a kubelet needs."""
    engine = facts.engine
    if not engine.rootless or engine.is_podman:
        return
    if engine.cgroup_version != "2":
        yield _problem(
            f"Docker is rootless and uses cgroup v{engine.cgroup_version or '1'}; rootless kind needs cgroup v2.",
            "Use a Docker that runs as root, or start this machine with systemd.unified_cgroup_hierarchy=1.",
        )
    elif not engine.limits_resources:
        yield _problem(
            "Docker is rootless and may not limit memory, processes and CPU: it has no cgroup controllers.",
            "Put [Service] and Delegate=yes into /etc/systemd/system/user@.service.d/delegate.conf, run sudo systemctl"
            " daemon-reload, then sign in again.",
        )


CHECKS = (podman, old_version, windows_containers, architecture, elsewhere, rootless)


def _problem(sentence: str, hint: str) -> Finding:
    return Finding("problem", SUBJECT, sentence, hint)
