"""The node as an empty cluster, and what surrounds a cluster in production: a registry, an operator's machine.

These tests run after those of tests/node, on the node of the run with a new and empty cluster.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster.node import layout
from cluster.node.folders import ROOT
from cluster.node.images.image import Image, load_images
from cluster.node.images.medusa import BACKEND, STOREFRONT
from cluster.node.images.official import MARIADB, POSTGRES, REDIS
from cluster.node.images.server import SERVER
from cluster.node.images.woocommerce import TREE, shop_image
from cluster.node.node import Node
from testing.kubectl import Kubectl
from testing.node.fixtures import bring_up
from testing.production.authority import Authority
from testing.production.inventory import inventory
from testing.production.registry import Builder, Registry, mounts_of, path_without
from testing.production.workstation import Workstation
from testing.serve import free_port

PAGE_HOST = "urumi.example.com"
SHOPS_DOMAIN = "shops.example.com"
MEDUSA, WOOCOMMERCE = "shop-1", "shop-2"
SHOPS = (MEDUSA, *([WOOCOMMERCE] if TREE else []))


@dataclass(frozen=True, slots=True)
class Site:
    """An empty cluster and everything around it."""

    node: Node
    kubectl: Kubectl
    operator: Workstation
    authority: Authority
    port: int
    before: frozenset[str]

    def state(self) -> frozenset[str]:
        """Return every object of the cluster, and every folder of a volume."""
        return inventory(self.kubectl) | {f"volume {path.name}" for path in self.node.folder.volumes.glob("*")}


@pytest.fixture(scope="module")
def site(node: Node, tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]) -> Site:
    """The cluster before Urumi is installed, with the images of the databases."""
    kubectl = Kubectl(node.cluster)
    if kubectl.get("crd", "stores.stores.urumi.ai") is not None:
        node.delete()
        bring_up(node, say)
    load_images(node, (MARIADB, POSTGRES, REDIS), say)
    folder = tmp_path_factory.mktemp("operator")
    authority = Authority(folder)
    hosts = (PAGE_HOST, *(f"{shop}.{SHOPS_DOMAIN}" for shop in SHOPS))
    operator = Workstation(node, folder, authority.certificate, hosts)
    # The environment that setup.sh checks; the cluster's network has no package index.
    operator.run_outside(["./setup.sh", "dev"], ROOT, {})
    port = free_port()
    node.forward_port(port, layout.NODE_ADDRESS, 443)
    made = Site(node, kubectl, operator, authority, port, frozenset())
    return Site(node, kubectl, operator, authority, port, made.state())


@pytest.fixture(scope="module")
def registry(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that the node pulls from."""
    with Registry(site.node, tmp_path_factory.mktemp("registry")) as found:
        yield found


@dataclass(frozen=True, slots=True)
class Publisher:
    """Runs `scripts/images` with buildah, against the registry."""

    operator: Workstation
    builder: Builder
    path: str

    def run(self, commands: str, folder: Path) -> str:
        """Run commands in the checkout, in this machine's network, with a builder that has the base images."""
        environ = {**self.builder.environ, "PATH": self.path}
        return self.operator.run_outside(self.builder.command(commands), folder, environ)


@pytest.fixture(scope="module")
def publisher(
    site: Site, registry: Registry, tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]
) -> Publisher:
    """A machine that builds and pushes images."""
    images: list[Image] = [SERVER, BACKEND, STOREFRONT, *([shop_image(Path(TREE))] if TREE else [])]
    folder = tmp_path_factory.mktemp("builder")
    builder = Builder(folder, mounts_of(images))
    builder.provide_bases(images, say)
    return Publisher(site.operator, builder, path_without(folder / "bin", "docker", "podman"))
