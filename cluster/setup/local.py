"""`--cluster local`: the local cluster, and the server as a process of this machine."""

import os
from collections.abc import Sequence

from cluster import command
from cluster.doctor.finding import Finding
from cluster.errors import SetupError
from cluster.place import Place
from cluster.platform.clients import Tool
from cluster.platform.release import platform_namespace
from cluster.server.obstacles import server_obstacles
from cluster.server.port import chosen_port
from cluster.server.process import HOST, ServerProcess
from cluster.target import Options

DEFINITION = "crds/stores.yaml"


class LocalTarget:
    """Real Kubernetes, simulated containers, no Docker."""

    name = "local"

    def obstacles(self, place: Place) -> Sequence[Finding]:
        """Return what prevents the server."""
        return list(server_obstacles(place, ServerProcess(place)))

    def up(self, place: Place, options: Options) -> None:
        """Start the cluster, apply the Store definition, start the server."""
        say = place.console.say
        server = ServerProcess(place)
        port = chosen_port(server)
        place.remember(self.name)

        say("[2/4] Kubernetes: about 6 minutes the first time (its programs are built), 5 to 20 seconds later.")
        say("      Using the local cluster: real Kubernetes, simulated containers.")
        cluster = command.start(lambda text: say(f"      {text}"))

        say("[3/4] The Store definition: a second or two.")
        kubectl = Tool((str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig)), place.root)
        _apply_definition(kubectl)
        say(f"      Store definition and namespace {platform_namespace()} applied.")

        say("[4/4] The server: about 3 seconds.")
        server.ensure(port, cluster.kubeconfig, cluster.helm)

        say()
        say(f"Urumi:  http://{HOST}:{port}/")
        for line in _token_lines(place):
            say(line)
        say("Next:   .venv/bin/urumi-tui")
        say("        .venv/bin/urumi create shop-1 --engine woocommerce --wait")

    def down(self, place: Place, purge: bool) -> None:
        """Stop the server and the cluster."""
        server = ServerProcess(place)
        place.console.say("Server stopped." if server.stop() else "The server is not running.")
        command.stop(place.console.say, purge)
        if purge:
            server.delete_files()

    def is_up(self, place: Place) -> bool:
        """Return whether the server is running."""
        return ServerProcess(place).pid() is not None

    def status(self, place: Place) -> int:
        """Print the state of the server and of the cluster."""
        return max(_server_status(place), command.print_status())


def _apply_definition(kubectl: Tool) -> None:
    namespace = platform_namespace()
    if not (
        kubectl.passes("apply", "-f", DEFINITION)
        and kubectl.passes("wait", "--for=condition=Established", "--timeout=60s", "-f", DEFINITION)
        and (
            kubectl.attempt("get", "namespace", namespace).returncode == 0
            or kubectl.passes("create", "namespace", namespace)
        )
    ):
        raise SetupError(
            f"The Store definition or the namespace {namespace} could not be applied: see kubectl's message above."
        )


def _token_lines(place: Place) -> tuple[str, str]:
    given = os.environ.get("URUMI_TOKEN")
    if given:
        return f"Token:  {given}", "        (from the variable URUMI_TOKEN)"
    return f"Token:  {place.token.read_text().strip()}", f"        (from {place.token})"


def _server_status(place: Place) -> int:
    server = ServerProcess(place)
    pid, port = server.pid(), server.port()
    if pid is None or port is None:
        place.console.row("server", "not running")
        return 3
    if not server.is_ready(port):
        place.console.row("server", f"not ready: {server.missing(port)} See {server.log}")
        return 1
    place.console.row("server", f"running at http://{HOST}:{port}/, pid {pid}; log {server.log}")
    return 0
