"""`--cluster local`: the local cluster, and the server as a process of this machine."""

from collections.abc import Callable, Iterable, Sequence

from cluster import command
from cluster.doctor.finding import Finding
from cluster.doctor.space import space
from cluster.place import Place
from cluster.platform.clients import Tool
from cluster.platform.release import platform_namespace
from cluster.server.definition import apply_definition
from cluster.server.obstacles import server_obstacles
from cluster.server.port import chosen_port
from cluster.server.process import HOST, ServerProcess
from cluster.server.report import print_server_status, token_lines
from cluster.target import Options


class LocalTarget:
    """Real Kubernetes, simulated containers, no Docker.

    `node_obstacles` returns what prevents real containers without Docker on this machine.
    """

    name = "local"

    def __init__(self, node_obstacles: Callable[[Place], Iterable[Finding]]) -> None:
        self._node_obstacles = node_obstacles

    def obstacles(self, place: Place) -> Sequence[Finding]:
        """Return what prevents the server, and a full disk: etcd does not say why it ends on one."""
        found = list(server_obstacles(place, ServerProcess(place)))
        if not self.is_up(place):
            found += [finding for finding in space(place) if finding.subject == "state space"]
        return found

    def up(self, place: Place, options: Options) -> None:
        """Start the cluster, apply the Store definition, start the server."""
        say = place.console.say
        server = ServerProcess(place)
        port = chosen_port(server)
        place.remember(self.name)

        say("[2/4] Kubernetes: its programs are fetched or built the first time, 5 to 20 seconds later.")
        say("      Using the local cluster: real Kubernetes, simulated containers.")
        cluster = command.start(lambda text: say(f"      {text}"))

        say("[3/4] The Store definition: a second or two.")
        kubectl = Tool((str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig)), place.root)
        apply_definition(kubectl)
        say(f"      Store definition and namespace {platform_namespace()} applied.")

        say("[4/4] The server: about 3 seconds.")
        server.ensure(port, cluster.kubeconfig, cluster.helm)

        say()
        say(f"Urumi:  http://{HOST}:{port}/")
        for line in token_lines(place):
            say(line)
        say("Next:   .venv/bin/urumi-tui")
        say("        .venv/bin/urumi create shop-1 --engine woocommerce --wait")
        say(f"Note:   {self._about_real_shops(place)}")

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
        server = print_server_status(place)
        cluster = command.print_status(repair="./setup.sh")
        if server and not cluster:
            place.console.row("next", "./setup.sh")
        return max(server, cluster)

    def _about_real_shops(self, place: Place) -> str:
        for finding in self._node_obstacles(place):
            if finding.level == "problem":
                return f"containers are simulated. Real shops (./setup.sh --cluster node): {finding.sentence}"
        return "containers are simulated; real shops on this machine: ./setup.sh --cluster node"
