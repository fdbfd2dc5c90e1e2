"""The images that only tests use: a stock WordPress in place of a shop's, and later releases."""

import shutil
from pathlib import Path

from cluster.node.folders import ROOT
from cluster.node.images.context import context_digest
from cluster.node.images.image import Image
from cluster.node.images.medusa import BACKEND, backend_name
from cluster.node.images.official import APACHE
from cluster.node.images.server import app_version

HERE = Path(__file__).resolve().parent / "stand_ins"
# Files of the chart's image beside WordPress: settings and health check.
SHOP_FILES = ROOT / "charts" / "woocommerce" / "files"
NEXT_TAG = "9.9.9"


def _copy_shop_files(folder: Path) -> None:
    shutil.copytree(SHOP_FILES, folder / "urumi")


WORDPRESS = Image(
    "urumi/stock-wordpress:1",
    HERE / "wordpress",
    needs={APACHE.name: APACHE},
    prepare=_copy_shop_files,
    key=context_digest(SHOP_FILES),
)
# The image of the chart; stock WordPress gets this name in tests that need no shop.
WOOCOMMERCE_NAME = f"docker.io/urumi/woocommerce:{app_version('woocommerce')}"
NEXT_WORDPRESS = Image(
    "urumi/stock-wordpress:2", HERE / "wordpress-next", needs={"localhost/stock-wordpress:1": WORDPRESS}
)
NEXT_BACKEND = Image(backend_name(NEXT_TAG), HERE / "medusa-next", needs={"localhost/medusa-backend": BACKEND})
