"""The images of each engine's shops on this machine, and where each comes from."""

from collections.abc import Iterator
from pathlib import Path

from cluster.node.images import medusa, woocommerce
from cluster.node.images.engine import EngineImages
from cluster.node.images.image import Image
from cluster.node.images.nodejs import nodejs_version
from cluster.node.images.official import MARIADB, POSTGRES, REDIS
from cluster.node.images.registry import choose, registry_answers

FROM_DEBIAN = "built here from Debian's packages: not the official image"


def engine_images() -> Iterator[EngineImages]:
    """Yield the images of every engine, WooCommerce's first."""
    yield _woocommerce()
    yield EngineImages(
        "medusa",
        (
            *map(_third_party, (POSTGRES, REDIS)),
            (medusa.BACKEND, f"built here from charts/medusa, npm's packages and Node.js {nodejs_version()}"),
            (medusa.STOREFRONT, "built here from charts/medusa and Debian's nginx"),
        ),
    )


def _third_party(image: Image) -> tuple[Image, str]:
    chosen = choose(image)
    return chosen, "the official image" if chosen.pulled else FROM_DEBIAN


def _woocommerce() -> EngineImages:
    if woocommerce.TREE:
        shop = woocommerce.shop_image(Path(woocommerce.TREE)), f"built here from {woocommerce.TREE}"
    elif woocommerce.official_shop_image().archive.exists() or registry_answers():
        shop = woocommerce.official_shop_image(), "built here from the official WordPress and wordpress.org"
    else:
        return EngineImages(
            "woocommerce",
            missing="WooCommerce's shops cannot run here: no image registry responds, and no package registry has"
            " WooCommerce. With a folder that has WordPress and WooCommerce: URUMI_WORDPRESS_TREE=/folder",
        )
    return EngineImages("woocommerce", (_third_party(MARIADB), shop))
