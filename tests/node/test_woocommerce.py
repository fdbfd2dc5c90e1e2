"""A WooCommerce store that sells: the chart's own image, provisioned by the reconciler, a test order.

No package registry has WooCommerce, so these tests need a folder with it: URUMI_WORDPRESS_TREE.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cluster.node.images.image import load_images
from cluster.node.images.official import MARIADB
from cluster.node.images.woocommerce import TREE, shop_image
from cluster.node.node import Node
from testing.kubectl import Kubectl
from testing.node.platform import NodePlatform
from testing.store_objects import condition, create_store, events_of

pytestmark = [
    pytest.mark.node,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        not TREE, reason="URUMI_WORDPRESS_TREE names no folder with WordPress and WooCommerce in wp-content/plugins"
    ),
]
SHOP = "sells"
READY_SECONDS = 420.0


@dataclass(frozen=True, slots=True)
class OpenShop:
    """The platform and its store, as it was when it became Ready."""

    platform: NodePlatform
    store: Any

    def urumi(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the command `urumi` against the platform."""
        environ = {**os.environ, "URUMI_URL": self.platform.url, "URUMI_TOKEN": self.platform.token}
        command = [sys.executable, "-m", "urumi.cli.main", *arguments]
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=180, check=False)


@pytest.fixture(scope="module")
def shop(
    node: Node, node_kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]
) -> Iterator[OpenShop]:
    """A Ready store with products."""
    image = shop_image(Path(TREE))
    load_images(node, [MARIADB, image], say)
    with NodePlatform(node, node_kubectl, tmp_path_factory.mktemp("platform")) as platform:
        began = time.monotonic()
        create_store(node_kubectl, platform, SHOP, shop={"sampleProducts": True})
        store = platform.wait_for_phase(SHOP, "Ready", seconds=READY_SECONDS)
        seconds = time.monotonic() - began
        say(f"WooCommerce: Ready {seconds:.1f} s after the request, image {image.archive.stat().st_size >> 20} MiB")
        yield OpenShop(platform, store)


def test_a_store_is_ready_when_its_storefront_sells(shop: OpenShop) -> None:
    assert shop.store["simulated"] is False
    assert condition(shop.store, "StorefrontAnswers")["status"] == "True"
    [event] = events_of(shop.store, "StorefrontAnswers")
    assert "Sample" in event["message"]
    assert "USD can be bought" in event["message"]


def test_the_charts_image_installs_a_shop(shop: OpenShop, node_kubectl: Kubectl) -> None:
    logs = node_kubectl.run("logs", "-n", f"store-{SHOP}", "deployment/wordpress", "-c", "install")
    assert "install: WooCommerce activated." in logs
    assert "install: the shop accepts orders" in logs


def test_a_test_order_is_placed_and_removed(shop: OpenShop, node_kubectl: Kubectl, say: Callable[[str], None]) -> None:
    done = shop.urumi("verify", SHOP, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    verification = json.loads(done.stdout)
    say(f"verify: {verification}")
    assert verification["ok"] is True
    left = "SELECT COUNT(*) FROM wp_wc_orders WHERE type = 'shop_order'"
    script = f'MYSQL_PWD=$MARIADB_PASSWORD mariadb --user=wordpress --host=127.0.0.1 -N wordpress -e "{left}"'
    count = node_kubectl.run("exec", "-n", f"store-{SHOP}", "mariadb-0", "--", "sh", "-c", script)
    assert count.strip() == "0"
