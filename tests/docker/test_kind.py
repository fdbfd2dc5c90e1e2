"""README's way with Docker: setup.sh creates a kind cluster, stores sell, it is upgraded, stopped and deleted.

The tests are one story and run in this order.
"""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from testing.browser import NETWORK, Console
from testing.docker.base_images import STOREFRONT, official_name
from testing.docker.engine import Engine
from testing.docker.errors import DockerError
from testing.docker.user import User
from testing.kubectl import wait_for
from testing.shops.medusa.checkout import fill_in, go_to_checkout, place_order, put_into_cart, visiting
from tests.docker.conftest import WORDPRESS_TREE

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]
DESKTOP = {"width": 1280, "height": 800}
PAGE = "http://urumi.localhost"
SHOP = "shop-a"
OTHER_SHOP = "shop-b"
NODE = "urumi-control-plane"
REPLICAS = 2
READY_SECONDS = "900"
SELL_SECONDS = 180.0

Say = Callable[[str], None]


@pytest.fixture(scope="module")
def started(user: User) -> str:
    """What setup.sh printed when it created the cluster."""
    return user.setup()


@pytest.fixture(scope="module")
def shop(user: User, started: str) -> str:
    """The address of a Medusa store that is Ready."""
    user.urumi("create", SHOP, "--engine", "medusa", "--wait", "--timeout", READY_SECONDS)
    return str(user.store(SHOP)["url"])


@pytest.fixture(scope="module")
def order(browser: Browser, shop: str) -> str:
    """The number of an order that a shopper placed."""
    with visiting(browser, shop, Console(), DESKTOP) as page:
        put_into_cart(page, "canvas-tote")
        go_to_checkout(page)
        fill_in(page)
        return place_order(page)


def test_a_port_of_another_container_is_named_before_anything_is_created(user: User) -> None:
    """This test is first."""
    image = official_name(STOREFRONT, "NGINX_IMAGE")
    user.engine.docker("run", "--detach", "--name", "old-proxy", "--publish", "127.0.0.1:80:80", image, "sleep", "600")
    try:
        with pytest.raises(DockerError, match=r"Port 80 of 127.0.0.1 is in use by the container old-proxy"):
            user.setup()
    finally:
        user.engine.docker("rm", "--force", "old-proxy")
    assert NODE not in user.engine.docker("container", "ls", "--all")


def test_setup_creates_a_kind_cluster_and_names_the_next_steps(user: User, started: str) -> None:
    assert re.search(rf"^Urumi: +{PAGE}/$", started, re.MULTILINE), started
    assert f"Token:  {user.token}" in started
    assert user.setup("status").splitlines()[0].split() == ["cluster", "kind,", "node", "running"]
    assert len(user.server_images()) == REPLICAS


def test_running_it_again_changes_nothing(user: User, started: str) -> None:
    before = user.server_images()
    assert "The kind cluster urumi is already running." in user.setup()
    assert user.server_images() == before


def test_the_page_opens_in_a_browser(browser: Browser, user: User, started: str) -> None:
    console = Console()
    console.allow(NETWORK)
    with visiting(browser, PAGE, console, DESKTOP) as page:
        page.goto("/")
        page.get_by_label("Access token").fill(user.token)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#status-state")).to_have_text("Live")


def test_an_order_is_placed_at_the_address_of_the_store(user: User, shop: str, order: str) -> None:
    assert shop == f"http://{SHOP}.localhost"
    assert user.order_status(SHOP, order) == "pending"


def test_verify_places_an_order_too(user: User, shop: str, say: Say) -> None:
    assert user.verify(SHOP)["ok"] is True
    say(f"the node with a store: {user.usage()}")


@pytest.mark.skipif(not WORDPRESS_TREE, reason="URUMI_WORDPRESS_TREE names no folder with WordPress and WooCommerce")
def test_a_woocommerce_store_becomes_ready(user: User, started: str) -> None:
    user.urumi("create", OTHER_SHOP, "--engine", "woocommerce", "--wait", "--timeout", READY_SECONDS)
    assert "<title>" in user.engine.run("curl", "--silent", "--fail", f"http://{OTHER_SHOP}.localhost/")


def test_an_upgrade_replaces_both_pods_and_leaves_the_store_alone(user: User, order: str) -> None:
    before, store = user.server_images(), user.store(SHOP)
    page = user.checkout / "server" / "static" / "index.html"
    page.write_text(page.read_text().replace("<title>Urumi</title>", "<title>Urumi, upgraded</title>"))
    user.setup()
    # Replaced pods may still be ending.
    wait_for(lambda: len(user.server_images()) == REPLICAS, f"{REPLICAS} pods of the server", SELL_SECONDS)
    assert set(user.server_images()).isdisjoint(before)
    assert "<title>Urumi, upgraded</title>" in user.engine.run("curl", "--silent", "--fail", f"{PAGE}/")
    assert user.store(SHOP)["release"] == store["release"]


def test_down_keeps_the_data_and_the_next_start_has_it(user: User, shop: str, order: str, say: Say) -> None:
    user.setup("down")
    assert user.engine.docker("inspect", "--format", "{{.State.Status}}", NODE).strip() == "exited"
    with pytest.raises(DockerError, match=r"setup.sh status ended with 3"):
        user.setup("status")
    began = time.monotonic()
    user.setup()
    say(f"started again in {time.monotonic() - began:.0f} s")
    wait_for(lambda: sells(user), "the shop to sell again", SELL_SECONDS)
    assert user.order_status(SHOP, order) == "pending"


def sells(user: User) -> bool:
    """Return whether a test order can be placed; just after a start, pods are not up yet."""
    try:
        return bool(user.verify(SHOP)["ok"])
    except DockerError:
        return False


def test_purge_deletes_cluster_token_and_settings(user: User, engine: Engine, started: str) -> None:
    """This test is last."""
    user.setup("down", "--purge")
    assert engine.docker("container", "ls", "--all", "--quiet").split() == []
    assert not user.state.exists()
