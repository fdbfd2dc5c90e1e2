"""The storefront starts wherever a checkout can be: in a folder that others may not enter, under any name."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from testing.serve import free_port
from testing.shops.medusa.storefront import SOURCES, storefront

VARIABLES = {"URUMI_STORE_ID": "shop-a", "URUMI_STORE_TITLE": "Mugs", "URUMI_PUBLISHABLE_KEY": "pk_1"}


@pytest.fixture
def mask() -> Iterator[None]:
    """The strictest umask that people use."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def open_folder(mask: None) -> Iterator[Path]:
    """A folder that other users may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="urumi shop & ü "))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def test_a_private_checkout_with_any_name_serves_the_shop(open_folder: Path, tmp_path: Path) -> None:
    checkout = tmp_path / r"an agency's|shops & \more"
    checkout.mkdir(mode=0o700)
    shutil.copytree(SOURCES, checkout / "storefront")
    folder = open_folder / "storefront"
    folder.mkdir()
    port = free_port()
    with storefront(folder, port, VARIABLES, checkout / "storefront").running():
        page = httpx2.get(f"http://127.0.0.1:{port}/cart")
        assert (page.status_code, '<main id="main"' in page.text) == (200, True)
        assert json.loads(httpx2.get(f"http://127.0.0.1:{port}/config.json").text)["storeId"] == "shop-a"
