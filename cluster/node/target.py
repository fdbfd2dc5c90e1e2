"""`--cluster node`: real shops on this machine without Docker, and the server as a process of this machine.

The server reaches the shops as their visitors do: through the ingress controller, at the address of each shop. So a
store is Ready only if its address works from this machine.
"""

from collections.abc import Callable, Iterator, Sequence

from cluster.doctor.finding import Finding
from cluster.node import host
from cluster.node.images.engine import EngineImages
from cluster.node.product.node import ProductNode
from cluster.node.product.obstacles import node_obstacles
from cluster.node.product.ports import NodePorts
from cluster.node.product.shops import LOOPBACK, Shops
from cluster.place import Console, Place
from cluster.platform.clients import Tool
from cluster.server.definition import apply_definition
from cluster.server.obstacles import server_obstacles
from cluster.server.port import chosen_port
from cluster.server.process import ServerProcess
from cluster.server.report import print_server_status, token_lines
from cluster.target import Options

DOMAIN = "localhost"

Install = Callable[[Console, str, Sequence[str]], None]


class NodeTarget:
    """A node with real containers, in namespaces of this machine; `install` installs Debian packages."""

    name = "node"

    def __init__(self, install: Install) -> None:
        self._install = install

    def obstacles(self, place: Place) -> Sequence[Finding]:
        """Return what prevents the node or the server."""
        return [*node_obstacles(_product(place)), *server_obstacles(place, ServerProcess(place))]

    def up(self, place: Place, options: Options) -> None:
        """Start the node and the server; in a new cluster, create a first store and place an order in it."""
        say = place.console.say
        place.remember(self.name)
        say("[2/4] A node: about 15 minutes the first time (programs and images are built), half a minute later.")
        missing = host.missing_packages()
        if missing:
            self._install(place.console, "what the node needs", missing)
        product = _product(place)
        node, ports, engines = product.up()
        for line in _about_images(engines):
            say(f"      {line}")

        say("[3/4] The Store definition and the server: about 5 seconds.")
        cluster = node.cluster
        apply_definition(Tool((str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig)), place.root))
        server = ServerProcess(place, shop_settings(ports))
        port = chosen_port(server)
        server.ensure(port, cluster.kubeconfig, cluster.helm)

        say("[4/4] The shops: about a minute for the first one, half a minute for existing ones.")
        shops = Shops(place, f"http://{LOOPBACK}:{port}")
        if not product.has_first_store:
            shops.create_first(next(each.engine for each in engines if each.images))
            product.keep_first_store()
        found = shops.all()
        closed = shops.wait_until_open(node, found)

        say()
        for shop in found:
            remark = "" if shop not in closed else f" (does not respond yet: .venv/bin/urumi get {shop.store_id})"
            say(f"Shop:   {shop.url}/{remark}")
        say(f"Urumi:  http://{LOOPBACK}:{port}/")
        for line in token_lines(place):
            say(line)
        say("Next:   .venv/bin/urumi-tui")
        if found:
            say(f"        .venv/bin/urumi credentials {found[0].store_id}")

    def down(self, place: Place, purge: bool) -> None:
        """Stop the server and the node; with `purge`, also delete the shops' data."""
        server = ServerProcess(place)
        place.console.say("Server stopped." if server.stop() else "The server is not running.")
        was_running = _product(place).down(purge=purge)
        if not was_running:
            place.console.say("The node is not running.")
        elif not purge:
            place.console.say("Node stopped. Its shops and their data are kept for the next start.")
        if purge:
            server.delete_files()
            place.console.say("The node's shops and their data are deleted.")

    def is_up(self, place: Place) -> bool:
        """Return whether the node or the server runs."""
        return _product(place).is_up() or ServerProcess(place).pid() is not None

    def status(self, place: Place) -> int:
        """Print the state of the server and of the node."""
        row, product = place.console.row, _product(place)
        code = print_server_status(place)
        ports = product.ports
        if ports is None or not product.is_up():
            row("node", "not running")
            row("next", "./setup.sh --cluster node")
            return max(code, 3)
        problems = list(product.problems())
        row("node", "degraded" if problems else f"up, real containers; logs {product.folder.logs}")
        row("kubeconfig", str(product.folder.kubeconfig))
        row("shops", f"http://<store>.{DOMAIN}:{ports.http}/")
        for problem in problems:
            row("problem", problem)
        return max(code, 1 if problems else 0)


def shop_settings(ports: NodePorts) -> dict[str, str]:
    """Return the server's settings for shops behind the node's ingress controller."""
    return {
        "URUMI_BASE_DOMAIN": DOMAIN,
        "URUMI_STORE_PORT": str(ports.http),
        "URUMI_STOREFRONT_ADDRESS": f"http://{LOOPBACK}:{ports.http}",
    }


def _product(place: Place) -> ProductNode:
    return ProductNode(place.state / "node", lambda text: place.console.say(f"      {text}"))


def _about_images(engines: Sequence[EngineImages]) -> Iterator[str]:
    for engine in engines:
        yield from (f"{image.name}: {origin}" for image, origin in engine.images)
        if engine.missing:
            yield engine.missing
