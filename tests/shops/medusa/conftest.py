"""One shop for all tests here: built, set up in an empty database, and open.

The build takes about two minutes where the cache does not have it, hence the long timeout of these tests.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from testing.shops.medusa.node import built_backend
from testing.shops.medusa.servers import Postgres, Server
from testing.shops.medusa.shop import Shop


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder time for the build, and run them where Debian's servers can be."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.timeout(900))
            if sys.platform != "linux":
                item.add_marker(pytest.mark.skip(reason="the servers of the shop are Debian's"))


@dataclass(frozen=True, slots=True)
class OpenShop:
    """The shop with its servers, and what its first setup said."""

    shop: Shop
    redis: Server
    backend: Server
    first_setup: str


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """A folder that other users may enter: as root, Postgres is somebody else, and pytest's folders are private."""
    folder = Path(tempfile.mkdtemp(prefix="urumi-medusa-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(servers_folder: Path) -> Iterator[Postgres]:
    """A Postgres with an empty database, which is the shop's."""
    folder = servers_folder / "postgres"
    folder.mkdir()
    postgres = Postgres(folder)
    postgres.server.start()
    postgres.query("create database medusa", "postgres")
    yield postgres
    postgres.server.stop()


@pytest.fixture(scope="session")
def open_shop(servers_folder: Path, postgres: Postgres) -> Iterator[OpenShop]:
    """The shop, from an empty database to open doors."""
    folder = servers_folder / "shop"
    (folder / "temp").mkdir(parents=True)
    shop = Shop(built_backend(), folder, postgres)
    redis, backend = shop.redis(), shop.backend()
    with ExitStack() as running:
        running.enter_context(redis.running())
        first_setup = shop.migrate()
        for server in (backend, shop.storefront(), shop.ingress()):
            running.enter_context(server.running())
        yield OpenShop(shop, redis, backend, first_setup)


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    """The shop."""
    return open_shop.shop


@pytest.fixture
def copied_shop(shop: Shop, postgres: Postgres) -> Iterator[Shop]:
    """The shop as a backup brings it back, in a database of its own, by the commands of docs/medusa.md."""
    postgres.query("create database copied", "postgres")
    dump = postgres.run("pg_dump", "--no-owner", postgres.url("medusa"))
    postgres.run("psql", "-q", "-v", "ON_ERROR_STOP=1", postgres.url("copied"), stdin=dump)
    yield replace(shop, database="copied")
    postgres.query("drop database copied with (force)", "postgres")
