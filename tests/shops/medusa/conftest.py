"""One shop for all tests of this folder: built, set up in an empty database, and running.

Without a cached build, the build takes about two minutes, hence the long timeout of these tests.
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
    """Give the tests of this folder time for the build, and skip them without Debian's servers."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.timeout(900))
            if sys.platform != "linux":
                item.add_marker(pytest.mark.skip(reason="the servers of the shop are Debian's"))


@dataclass(frozen=True, slots=True)
class OpenShop:
    """The shop with its servers, and the output of its first setup."""

    shop: Shop
    redis: Server
    backend: Server
    first_setup: str


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """A folder that other users may enter: as root, Postgres runs as another user, and pytest's folders are private."""
    folder = Path(tempfile.mkdtemp(prefix="urumi-medusa-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(servers_folder: Path) -> Iterator[Postgres]:
    """A Postgres with an empty database for the shop."""
    folder = servers_folder / "postgres"
    folder.mkdir()
    postgres = Postgres(folder)
    postgres.server.start()
    postgres.query("create database medusa", "postgres")
    yield postgres
    postgres.server.stop()


@pytest.fixture(scope="session")
def open_shop(servers_folder: Path, postgres: Postgres) -> Iterator[OpenShop]:
    """The shop, set up from an empty database and running."""
    folder = servers_folder / "shop"
    (folder / "temp").mkdir(parents=True)
    folder.chmod(0o711)
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
    """The shop as restored from a backup into another database, with the commands of docs/medusa.md."""
    postgres.query("create database copied", "postgres")
    dump = postgres.run("pg_dump", "--no-owner", postgres.url("medusa"))
    postgres.run("psql", "-q", "-v", "ON_ERROR_STOP=1", postgres.url("copied"), stdin=dump)
    yield replace(shop, database="copied")
    postgres.query("drop database copied with (force)", "postgres")
