"""The base images of the project's Dockerfiles, under their official names, so that `docker build` needs no registry.

The names are those that the Dockerfiles have as defaults.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from cluster.folders import cache_root
from cluster.node.folders import ROOT
from cluster.node.host import run
from cluster.node.images.image import Image, ensure_images
from cluster.node.images.medusa import NGINX_BASE, NODE_BASE
from cluster.node.images.official import BASE
from cluster.node.images.server import PYTHON
from cluster.node.images.woocommerce import shop_image
from cluster.programs.golang.toolchain import find_go, minimum_version
from testing.docker.engine import Engine
from testing.node.images import WORDPRESS

IMAGES = Path(__file__).resolve().parent / "images"
SERVER = ROOT / "server" / "Dockerfile"
BACKEND = ROOT / "charts" / "medusa" / "image" / "backend" / "Dockerfile"
STOREFRONT = ROOT / "charts" / "medusa" / "image" / "storefront" / "Dockerfile"
SHOP = ROOT / "charts" / "woocommerce" / "image" / "Dockerfile"

Say = Callable[[str], None]


def load_base_images(engine: Engine, wordpress_tree: str, say: Say) -> None:
    """Give the engine every base image that it does not have, and the official names."""
    images = {official_name(file, argument): image for (file, argument), image in _images(wordpress_tree).items()}
    missing = {name: image for name, image in images.items() if not engine.has_image(image.local_name)}
    ensure_images(list(missing.values()), say)
    for image in missing.values():
        engine.docker("load", "--quiet", "--input", image.archive)
    for name, image in images.items():
        engine.docker("tag", image.local_name, name)


def official_name(dockerfile: Path, argument: str) -> str:
    """Return the default of an argument of a Dockerfile: the name of a base image."""
    [name] = re.findall(rf"^ARG {argument}=(\S+)$", dockerfile.read_text(), re.MULTILINE)
    return str(name)


def _images(wordpress_tree: str) -> dict[tuple[Path, str], Image]:
    wordpress, cli = _wordpress(wordpress_tree)
    return {
        (SERVER, "GO_IMAGE"): _golang(),
        (SERVER, "PYTHON_IMAGE"): PYTHON,
        (BACKEND, "NODE_IMAGE"): NODE_BASE,
        (STOREFRONT, "NGINX_IMAGE"): NGINX_BASE,
        (SHOP, "WORDPRESS_IMAGE"): wordpress,
        (SHOP, "WORDPRESS_CLI_IMAGE"): cli,
    }


def _golang() -> Image:
    minimum = minimum_version((ROOT / "cluster" / "go.mod").read_text())
    go = find_go(minimum, cache_root(), lambda words: None).command
    root, version = run(go, "env", "GOROOT", "GOVERSION").split()

    def copy_go(folder: Path) -> None:
        shutil.copytree(root, folder / "go", symlinks=True, ignore=shutil.ignore_patterns("test", "testdata"))

    return Image("localhost/golang-toolchain:1", IMAGES / "golang", needs=BASE, prepare=copy_go, key=version)


def _wordpress(tree: str) -> tuple[Image, Image]:
    shop = shop_image(Path(tree) if tree else IMAGES)
    base, cli = shop.needs[shop.arguments["WORDPRESS_IMAGE"]], shop.needs[shop.arguments["WORDPRESS_CLI_IMAGE"]]
    if not tree:
        without_shop = IMAGES / "wordpress-without-shop"
        base = Image(
            "localhost/wordpress-without-shop:1", without_shop, needs={"localhost/stock-wordpress:1": WORDPRESS}
        )
    return base, cli
