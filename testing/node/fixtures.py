"""Fixtures of tests with real containers: the node of the run, and the installed platform on it."""

from collections.abc import Callable, Iterator

import pytest

from cluster.node.errors import NodeError
from cluster.node.folders import ROOT, NodeFolder, node_cache
from cluster.node.images.image import load_images
from cluster.node.images.official import BUSYBOX, PAUSE
from cluster.node.images.server import SERVER
from cluster.node.node import Node
from cluster.ports import free_port
from testing.kubectl import Kubectl
from testing.node.platform import InstalledPlatform

SYSTEM_IMAGES = (BUSYBOX, PAUSE)


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Print progress to the terminal, bypassing pytest's capture."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    reporter = request.config.pluginmanager.getplugin("terminalreporter")

    def print_line(text: str) -> None:
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(f"  {text}")

    return print_line


def bring_up(node: Node, say: Callable[[str], None]) -> None:
    """Start a node with everything that a cluster has before Urumi is installed on it."""
    node.up()
    load_images(node, SYSTEM_IMAGES, say)
    node.serve_names()
    node.serve_ingress()


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]) -> Iterator[Node]:
    """A running node; if it cannot run, every test that uses it fails with the reason."""
    found = Node(
        NodeFolder(tmp_path_factory.mktemp("node"), node_cache() / "containerd"), free_port(), say, is_bound=True
    )
    try:
        bring_up(found, say)
    except NodeError as error:
        found.delete()
        pytest.fail(str(error), pytrace=False)
    try:
        yield found
    finally:
        found.delete()


@pytest.fixture(scope="session")
def node_kubectl(node: Node) -> Kubectl:
    """kubectl against the node's cluster, with the Store definition installed."""
    kubectl = Kubectl(node.cluster)
    kubectl.run("apply", "-f", str(ROOT / "crds" / "stores.yaml"))
    return kubectl


@pytest.fixture(scope="session")
def installed(
    node: Node, node_kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]
) -> InstalledPlatform:
    """The platform's chart on the node, with its default settings; it is deleted with the node."""
    load_images(node, [SERVER], say)
    platform = InstalledPlatform(node, node_kubectl, tmp_path_factory.mktemp("installed"))
    platform.install()
    return platform
