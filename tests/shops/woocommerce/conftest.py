"""Fixtures for the shop's tests: a shared MariaDB, and one installed shop if a WordPress tree is given."""

import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.local.cluster import ClusterInfo
from testing.shops.woocommerce.mariadb import IS_INSTALLED, MariaDb, running
from testing.shops.woocommerce.shop import CHART, FILES, Shop, assemble

TREE = os.environ.get("URUMI_WORDPRESS_TREE", "")


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    """A running server in which each test creates its own databases."""
    if not IS_INSTALLED:
        pytest.skip("MariaDB is not on PATH: apt-get install mariadb-server-core mariadb-client-core")
    with running(tmp_path_factory.mktemp("mariadb")) as server:
        yield server


@pytest.fixture(scope="session")
def config_extra(local_cluster: ClusterInfo) -> str:
    """The PHP that the chart puts into wp-config.php, with this checkout's files instead of the image's."""
    values = ("--set=store.id=shop-a", "--set=store.host=shop-a.test", "--show-only=templates/wordpress.yaml")
    command: list[str | Path] = [local_cluster.helm, "template", "woocommerce-shop-a", CHART, *values]
    rendered = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    lines = rendered.split("name: WORDPRESS_CONFIG_EXTRA")[1].splitlines()[2:]
    php = [line.strip() for line in lines[: next(n for n, line in enumerate(lines) if "- name:" in line)]]
    assert php[0].startswith("define(")
    return "\n".join(php).replace("/usr/local/lib/urumi", str(FILES))


@pytest.fixture
def empty_shop(tree: Path, database: MariaDb, config_extra: str, tmp_path: Path) -> Shop:
    """A shop that is not installed yet."""
    return new_shop(tree, database, config_extra, tmp_path)


@pytest.fixture(scope="session")
def tree() -> Path:
    """The folder with WordPress and WooCommerce."""
    if not TREE:
        pytest.skip("URUMI_WORDPRESS_TREE names no folder with WordPress and WooCommerce in wp-content/plugins")
    return Path(TREE)


@pytest.fixture(scope="session")
def shop(tree: Path, database: MariaDb, config_extra: str, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """One installed shop for the tests that do not change it."""
    made = new_shop(tree, database, config_extra, tmp_path_factory.mktemp("shop"))
    made.install()
    return made


def new_shop(tree: Path, database: MariaDb, config_extra: str, folder: Path) -> Shop:
    """Create the image's folder and an empty database."""
    name = f"shop_{secrets.token_hex(4)}"
    assemble(tree, folder / "root")
    made = Shop(folder / "root", database, name)
    made.config_extra = config_extra.replace("http://shop-a.test", made.url)
    database.make_shop_database(name, made.database_password)
    return made
