"""The image of a WooCommerce shop: built through the chart's own Dockerfile, WordPress and WooCommerce from a tree.

URUMI_WORDPRESS_TREE names the tree; it is not part of this repository. It is copied to where the official WordPress
image has WordPress, together with its WooCommerce, which the Dockerfile then does not download.
"""

import os
import re
import shutil
from pathlib import Path

import yaml

from cluster.node.folders import ROOT
from cluster.node.images.context import context_digest
from cluster.node.images.image import Image
from cluster.node.images.official import APACHE, BASE, HERE
from cluster.node.images.registry import official

CHART = ROOT / "charts" / "woocommerce"
DOCKERFILE = CHART / "image" / "Dockerfile"
TREE = os.environ.get("URUMI_WORDPRESS_TREE", "")


def shop_image(tree: Path) -> Image:
    """Return the image of the shop, under the name that the chart gives it."""

    def copy_tree(folder: Path) -> None:
        shutil.copytree(tree, folder / "tree", symlinks=True)
        # An existing theme is not downloaded either; WordPress ignores an empty one.
        (folder / "tree" / "wp-content" / "themes" / "storefront").mkdir(exist_ok=True)

    base = Image(
        "localhost/official-wordpress:1",
        HERE / "official-wordpress",
        needs={APACHE.name: APACHE},
        prepare=copy_tree,
        key=context_digest(tree),
    )
    cli = Image("localhost/wordpress-cli:1", HERE / "wordpress-cli", needs=BASE)
    return _shop_image(base, cli)


def official_shop_image() -> Image:
    """Return the image of the shop on the official WordPress; its build downloads WooCommerce from wordpress.org."""
    found = dict(re.findall(r"^ARG (WORDPRESS\w*)=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE))
    bases = (official(Image(found[name], HERE)) for name in ("WORDPRESS_IMAGE", "WORDPRESS_CLI_IMAGE"))
    return _shop_image(*bases)


def _shop_image(base: Image, cli: Image) -> Image:
    repository = yaml.safe_load((CHART / "values.yaml").read_text())["wordpress"]["image"]["repository"]
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    return Image(
        f"{repository}:{version}",
        CHART,
        file=str(DOCKERFILE.relative_to(CHART)),
        needs={base.name: base, cli.name: cli},
        arguments={"WORDPRESS_IMAGE": base.name, "WORDPRESS_CLI_IMAGE": cli.name},
    )
