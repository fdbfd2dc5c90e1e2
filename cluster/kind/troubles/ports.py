"""Troubles with the ports of this machine at which shops, page and API server are published."""

import os
import shutil
from collections.abc import Iterator

from cluster.doctor.finding import Finding
from cluster.kind.facts import Facts
from cluster.kind.settings import Ports
from cluster.ports import ADDRESS, something_listens

SUBJECT = "ports"
UNPRIVILEGED = "net.ipv4.ip_unprivileged_port_start"


def taken(facts: Facts) -> Iterator[Finding]:
    """A port on which another program listens; it does not matter while the node has it."""
    if facts.node.is_running or facts.node.state == "paused":
        return
    if facts.node.exists:
        for inside, port in facts.node.published:
            if port and something_listens(port):
                yield Finding(
                    "problem",
                    SUBJECT,
                    f"Port {port} of {ADDRESS} is in use{_by(facts, port)}, and the stopped kind cluster has it for its"
                    f" port {inside}.",
                    "Free it and run this again, or delete the cluster and its shops: ./setup.sh down --purge",
                )
        return
    ports = facts.settings.ports
    for port in (ports.http, ports.https):
        if something_listens(port):
            yield Finding(
                "problem",
                SUBJECT,
                f"Port {port} of {ADDRESS} is in use{_by(facts, port)}, and the shops need it.",
                f"Free it, or choose other ports: {_other_ports()} ./setup.sh --cluster kind.",
            )


def fixed(facts: Facts) -> Iterator[Finding]:
    """Other ports were chosen than those of the existing cluster, which cannot be changed."""
    ports, settings = facts.node.ports, facts.settings
    if not facts.node.exists or facts.files.half_made:
        return
    chosen = Ports(settings.http_port or ports.http, settings.https_port or ports.https)
    if chosen != ports:
        yield Finding(
            "problem",
            SUBJECT,
            f"The kind cluster was created with the ports {ports.http} and {ports.https}, which cannot be changed to"
            f" {chosen.http} and {chosen.https}.",
            "Unset URUMI_HTTP_PORT and URUMI_HTTPS_PORT, or delete the cluster and its shops first:"
            " ./setup.sh down --purge",
        )


def privileged(facts: Facts) -> Iterator[Finding]:
    """A rootless engine that may not listen on the ports below 1024."""
    first = facts.machine.sysctl(UNPRIVILEGED)
    lowest = min(facts.settings.ports.http, facts.settings.ports.https)
    if not facts.engine.rootless or not facts.shares_kernel or facts.node.exists or first is None or lowest >= first:
        return
    if not _may_bind_every_port():
        yield Finding(
            "problem",
            SUBJECT,
            f"Docker is rootless and may not listen on port {lowest}: the lowest port for users is {first}.",
            f"Choose other ports: {_other_ports()} ./setup.sh --cluster kind. Or allow it: sudo sysctl"
            f" {UNPRIVILEGED}={lowest}",
        )


CHECKS = (fixed, taken, privileged)


def _by(facts: Facts, port: int) -> str:
    """Return the words ` by NAME` if it can be known which program listens."""
    container = facts.docker.container_publishing(port)
    program = f"the container {container}" if container else _listener(port)
    return f" by {program}" if program else ""


def _listener(port: int) -> str:
    """Return the program that listens; empty without the rights or the library to know it."""
    try:
        import psutil  # absent before the environment exists

        for found in psutil.net_connections("tcp"):
            if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == port and found.pid:
                return f"{psutil.Process(found.pid).name()} (pid {found.pid})"
    except (ImportError, OSError, psutil.Error):
        return ""
    return ""


def _other_ports() -> str:
    http = next(port for port in range(8080, 65535) if not something_listens(port))
    https = next(port for port in range(8443, 65535) if not something_listens(port))
    return f"URUMI_HTTP_PORT={http} URUMI_HTTPS_PORT={https}"


def _may_bind_every_port() -> bool:
    """Return whether the program that opens the ports of rootless engines has the capability to open any."""
    program = shutil.which("rootlesskit")
    try:
        return bool(program and os.getxattr(program, "security.capability"))
    except OSError:
        return False
