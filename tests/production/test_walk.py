"""docs/production.md, walked: from an empty cluster to shops with certificates, an upgrade, an uninstall, a restore.

The commands are read from the page and run by an operator in the network of the cluster. Declared substitutions:

- the network of the pods is the node's, and the file with the values has its path;
- nobody signs in to the registry, so `docker login` is omitted;
- without URUMI_WORDPRESS_TREE (see docs/real-node.md), the image of WooCommerce is not built, and no such shop is made.

The tests run in order: each fixture is one step, and the last two tests delete and restore what the others made.
"""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import expect

from cluster.node import layout
from cluster.node.folders import ROOT
from cluster.node.images.woocommerce import TREE
from testing.browser import Console, launched
from testing.kubectl import wait_for
from testing.node.documentation import Backup
from testing.production.page import blocks, substituted
from testing.production.shopper import browser_flags, visitor
from testing.shops.medusa.api_clients import fetch, order_by_cash_on_delivery, sign_in
from testing.shops.medusa.checkout import fill_in, go_to_checkout, place_order, put_into_cart, visiting
from testing.shops.woocommerce.shop import order_by_cash_on_delivery as order_in_woocommerce
from testing.store_objects import store_object
from tests.production.conftest import MEDUSA, PAGE_HOST, SHOPS, SHOPS_DOMAIN, WOOCOMMERCE, Publisher, Site

pytestmark = [pytest.mark.node, pytest.mark.timeout(1800)]
Say = Callable[[str], None]
DESKTOP = {"width": 1280, "height": 800}
PATIENCE_MS = 60_000
READY_SECONDS = 600.0
PLATFORM = "store-platform"
PAGES = {MEDUSA: "medusa.md", WOOCOMMERCE: "woocommerce.md"}
needs_tree = pytest.mark.skipif(not TREE, reason="URUMI_WORDPRESS_TREE names no folder with WordPress and WooCommerce")


@dataclass(frozen=True, slots=True)
class User:
    """A user with a token, at the page's address."""

    site: Site
    token: str

    def attempt(self, commands: str) -> "subprocess.CompletedProcess[str]":
        """Run commands of `urumi`."""
        return self.site.operator.attempt(commands, environ=self.environ)

    def urumi(self, commands: str) -> str:
        """Run commands of `urumi` and return their output."""
        return self.site.operator.run(commands, environ=self.environ)

    @property
    def environ(self) -> dict[str, str]:
        """The variables that the installation printed."""
        return {"URUMI_URL": f"https://{PAGE_HOST}", "URUMI_TOKEN": self.token}

    def call(self, method: str, path: str) -> Any:
        """Call the API through the ingress controller."""
        with at(self.site, PAGE_HOST, {"Authorization": f"Bearer {self.token}"}) as client:
            answer = client.request(method, path)
        assert answer.is_success, answer.text
        return answer.json()


def at(site: Site, host: str, headers: dict[str, str] | None = None) -> httpx2.Client:
    """Return a client of a host, through the ingress controller."""
    return visitor(f"https://{host}", site.port, site.authority.certificate, headers)


def host_of(shop: str) -> str:
    """Return the host name of a shop."""
    return f"{shop}.{SHOPS_DOMAIN}"


def values_file(site: Site) -> Path:
    """Return the file with the operator's values."""
    return site.operator.folder / "my-values.yaml"


def in_checkout(site: Site, commands: str) -> str:
    """Run commands that name files of the checkout and the operator's values."""
    return site.operator.run(commands.replace("my-values.yaml", str(values_file(site))), folder=ROOT)


def publish(publisher: Publisher, command: str) -> None:
    """Build and push the images."""
    if not TREE:
        command = f"{command} server medusa-backend medusa-storefront"
    publisher.run(command, ROOT)


def create_certificates(site: Site) -> None:
    """Create the Secrets of the certificates."""
    site.operator.run(blocks("2. Certificates")[0])


def install(site: Site) -> str:
    """Install the platform, confirm, and return the output."""
    command = blocks("6. Install")[0].replace("my-values.yaml", str(values_file(site)))
    return site.operator.confirm(command, ROOT, "yes")


@pytest.fixture(scope="module")
def images(publisher: Publisher, say: Say) -> None:
    """The images in the registry."""
    [_, command] = [line.partition("#")[0].strip() for line in blocks("4. Images")[0].splitlines()]
    began = time.monotonic()
    publish(publisher, command)
    say(f"`{command}`: {time.monotonic() - began:.0f} s")


@pytest.fixture(scope="module")
def installation(site: Site, images: None, say: Say) -> str:
    """What the installation printed."""
    for name, host in (("urumi", PAGE_HOST), ("shops", f"*.{SHOPS_DOMAIN}")):
        site.authority.issue(name, host)
    create_certificates(site)
    [values, *_] = blocks("5. Values and secrets", "yaml")
    values_file(site).write_text(substituted(values, {"10.42.0.0/16": layout.POD_RANGE}))
    began = time.monotonic()
    output = install(site)
    say(f"installed in {time.monotonic() - began:.0f} s")
    return output


@pytest.fixture(scope="module")
def ada(site: Site, installation: str) -> User:
    """A user who may create stores."""
    return User(site, site.operator.run(blocks("7. Users")[0]).splitlines()[-1])


@pytest.fixture(scope="module")
def shops(site: Site, ada: User, say: Say) -> dict[str, Any]:
    """The stores, one of each engine, that became Ready."""
    if TREE:
        # An empty shop sells nothing, so it gets WooCommerce's sample products.
        site.kubectl.apply(store_object(PLATFORM, WOOCOMMERCE, "woocommerce", shop={"sampleProducts": True}))
    began = time.monotonic()
    wait_for(lambda: ada.attempt("urumi list").returncode == 0, "the user to be authorized")
    ada.urumi(f"urumi create {MEDUSA} --engine medusa --wait")
    wait_for(lambda: all(is_ready(ada, shop) for shop in SHOPS), "the stores to be Ready", READY_SECONDS)
    say(f"{', '.join(SHOPS)} Ready after {time.monotonic() - began:.0f} s")
    return {shop: ada.call("GET", f"/stores/{shop}") for shop in SHOPS}


def buy(site: Site) -> str:
    """Place an order in the Medusa shop with the Store API, and return its id."""
    with at(site, host_of(MEDUSA)) as guest:
        key = fetch(guest, "GET", "/config.json")["publishableKey"]
    with at(site, host_of(MEDUSA), {"x-publishable-api-key": key}) as shopper:
        return str(order_by_cash_on_delivery(shopper)["id"])


def orders(ada: User) -> dict[str, str]:
    """Return the e-mail address of each order in the Medusa shop, as its administrator sees them."""
    account = ada.call("POST", f"/stores/{MEDUSA}/credentials")
    with at(ada.site, host_of(MEDUSA)) as guest:
        token = sign_in(guest, account["username"], account["password"])
    with at(ada.site, host_of(MEDUSA), {"Authorization": f"Bearer {token}"}) as merchant:
        found = fetch(merchant, "GET", "/admin/orders", params={"fields": "id,email", "limit": 100})["orders"]
    return {order["id"]: order["email"] for order in found}


def containers(site: Site) -> dict[str, int]:
    """Return the restarts of each container of the shops, by the uid of its pod."""
    pods = json.loads(site.kubectl.run("get", "pods", "-A", "-l", "urumi.ai/storeId", "-o", "json"))["items"]
    return {
        f"{pod['metadata']['uid']} {each['name']}": each["restartCount"]
        for pod in pods
        if pod["status"]["phase"] == "Running"
        for each in pod["status"]["containerStatuses"]
    }


def image_of_the_server(site: Site) -> str:
    """Return the image of the platform's Deployment."""
    containers = site.kubectl.get("deployment", "urumi", PLATFORM)["spec"]["template"]["spec"]["containers"]
    return str(containers[0]["image"])


def test_the_installation_shows_the_cluster_and_ends_with_the_next_commands(site: Site, installation: str) -> None:
    lines = installation.splitlines()
    assert "      context     node" in lines
    assert f"      namespace   {PLATFORM}" in lines
    assert "      release     none yet; urumi will be installed" in lines
    assert f"Urumi:  https://{PAGE_HOST}/" in lines
    assert len(site.kubectl.run("get", "pods", "-n", PLATFORM, "-o", "name").split()) == 2
    [check] = [line.removeprefix("Next:").strip() for line in lines if line.startswith("Next:")]
    assert "Succeeded" in site.operator.run(check)


def test_helm_alone_installs_the_same_and_restarts_nothing(site: Site, installation: str) -> None:
    before = site.kubectl.names("pods", PLATFORM)
    output = in_checkout(site, blocks("6. Install")[1])
    assert "Succeeded" in output
    assert site.kubectl.names("pods", PLATFORM) >= before


def test_a_pod_runs_the_pushed_image(site: Site, installation: str) -> None:
    assert image_of_the_server(site).startswith("registry.example.com/urumi/urumi:")


def test_each_name_is_served_with_its_own_certificate(site: Site, ada: User, shops: dict[str, Any]) -> None:
    for host in (PAGE_HOST, *map(host_of, SHOPS)):
        with at(site, host) as client:
            assert client.get("/").status_code == 200


def test_the_cookie_of_the_page_is_secure_behind_the_ingress_controller(site: Site, ada: User) -> None:
    with at(site, PAGE_HOST, {"Origin": f"https://{PAGE_HOST}"}) as client:
        answer = client.post("/session", json={"token": ada.token})
    assert answer.is_success, answer.text
    assert "Secure" in answer.headers["Set-Cookie"]


def test_a_user_signs_in_to_the_page_and_sees_live_stores(site: Site, ada: User, shops: dict[str, Any]) -> None:
    console = Console()
    console.allow("401")
    certificate = site.authority.folder / "urumi.crt"
    with launched(*browser_flags(site.port, "example.com", certificate)) as browser:
        page = browser.new_page()
        console.listen(page)
        page.goto(f"https://{PAGE_HOST}/")
        page.get_by_label("Access token").fill(ada.token)
        page.get_by_label("Access token").press("Enter")
        expect(page.locator("#status-state")).to_have_text("Live", timeout=PATIENCE_MS)
        for shop in SHOPS:
            expect(page.get_by_text(shop, exact=True).first).to_be_visible()
    assert console.unexpected() == []


def test_a_viewer_may_not_create_a_store(site: Site, installation: str) -> None:
    commands = substituted(blocks("7. Users")[0], {"ada": "grace", "urumi-operator": "urumi-viewer"})
    grace = User(site, site.operator.run(commands).splitlines()[-1])
    wait_for(lambda: grace.attempt("urumi list").returncode == 0, "the viewer to be authorized")
    done = grace.attempt("urumi create shop-9 --engine medusa")
    assert done.returncode != 0
    assert "needs `create` on stores" in done.stderr


def test_a_shopper_orders_over_https_in_a_browser(site: Site, ada: User, shops: dict[str, Any]) -> None:
    assert shops[MEDUSA]["url"] == f"https://{host_of(MEDUSA)}"
    console = Console()
    flags = browser_flags(site.port, "example.com", site.authority.folder / "shops.crt")
    with launched(*flags) as browser, visiting(browser, shops[MEDUSA]["url"], console, DESKTOP) as page:
        put_into_cart(page, "stoneware-mug", 2)
        go_to_checkout(page)
        fill_in(page)
        place_order(page)
    assert "ada@example.org" in orders(ada).values()


@needs_tree
def test_a_shopper_orders_over_https_in_woocommerce(site: Site, shops: dict[str, Any]) -> None:
    with at(site, host_of(WOOCOMMERCE)) as client:
        home = client.get("/")
        assert home.status_code == 200
        assert f"http://{host_of(WOOCOMMERCE)}" not in home.text
        assert order_in_woocommerce(client, "sample-mug")["order_id"]


@pytest.mark.parametrize("shop", SHOPS)
def test_an_order_is_placed_by_the_verify_command(ada: User, shops: dict[str, Any], shop: str, say: Say) -> None:
    for line in ada.urumi(f"urumi verify {shop}").splitlines():
        say(line)


@pytest.fixture(scope="module")
def backups(
    site: Site, ada: User, shops: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Backup]:
    """The documented backup of everything, taken after an order."""
    buy(site)
    site.operator.run(blocks("Backup")[0])
    found = {shop: Backup(PAGES[shop], site.node, shop, site.operator.folder) for shop in SHOPS}
    for backup in found.values():
        backup.take()
    return found


def test_an_upgrade_and_a_rollback_restart_the_platform_and_no_shop(
    site: Site, ada: User, publisher: Publisher, backups: dict[str, Backup], say: Say
) -> None:
    began = time.monotonic()
    before, image = containers(site), image_of_the_server(site)
    pushed, _, commands = blocks("Upgrade and rollback of the platform")[0].partition("\n")
    upgrade, history, rollback = commands.partition("helm -n store-platform history urumi\n")
    publish(publisher, pushed)
    say(f"`{pushed}`: {time.monotonic() - began:.0f} s")
    in_checkout(site, upgrade)
    assert image_of_the_server(site).endswith(":0.2.0")
    listed = site.operator.run(history)
    assert "deployed" in listed
    in_checkout(site, rollback)
    assert image_of_the_server(site) == image
    assert containers(site) == before
    wait_for(lambda: all(is_ready(ada, shop) for shop in SHOPS), "the stores to be Ready")
    buy(site)
    say(f"upgraded and rolled back in {time.monotonic() - began:.0f} s")


def test_an_uninstall_leaves_nothing_in_the_cluster(site: Site, backups: dict[str, Backup], say: Say) -> None:
    began = time.monotonic()
    site.operator.run(blocks("Uninstall")[0])
    say(f"uninstalled in {time.monotonic() - began:.0f} s")
    left = wait_for(lambda: None if site.state() - site.before else "nothing", f"{site.state() - site.before} to go")
    assert left == "nothing"
    assert site.before <= site.state()


def test_a_lost_cluster_is_restored_with_its_orders_and_accounts(
    site: Site, backups: dict[str, Backup], say: Say
) -> None:
    began = time.monotonic()
    create_certificates(site)
    install(site)
    for commands in blocks("Restore a lost cluster"):
        site.operator.run(commands)
    ada = User(site, site.operator.run(blocks("7. Users")[0]).splitlines()[-1])
    wait_for(lambda: all(is_ready(ada, shop) for shop in SHOPS), "the stores to be Ready", READY_SECONDS)
    for backup in backups.values():
        backup.restore()
    wait_for(lambda: buy_patiently(site), "the restored shop to sell", 300)
    say(f"restored in {time.monotonic() - began:.0f} s")
    assert "ada@example.org" in orders(ada).values()


def is_ready(user: User, shop: str) -> bool:
    """Return whether a store is Ready; while the platform starts, none is."""
    done = user.attempt(f"urumi get {shop} --json")
    return done.returncode == 0 and bool(json.loads(done.stdout)["phase"] == "Ready")


def buy_patiently(site: Site) -> str:
    """Place an order, or return nothing while the shop starts."""
    try:
        return buy(site)
    except (AssertionError, KeyError, httpx2.HTTPError):
        return ""
