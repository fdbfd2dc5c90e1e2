"""`--cluster node` as users have it: a shop at its address, data that survives stops and failures, a purge.

The target runs in this process, its node and its server do not: they are found again by every call, as by every run of
setup.sh. The node of the other tests runs beside it.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from cluster.node.cgroups import find_groups, group_name
from cluster.node.folders import ROOT
from cluster.node.node import Node
from cluster.node.product.node import ProductNode
from cluster.node.product.ports import HTTP, HTTPS
from cluster.node.target import NodeTarget
from cluster.place import Place
from cluster.ports import free_port
from cluster.target import Options
from testing.browser import Console, launched
from testing.caller import Caller
from testing.shops.medusa.api_clients import fetch, order_by_cash_on_delivery, sign_in
from testing.shops.medusa.checkout import fill_in, go_to_checkout, place_order, put_into_cart, visiting
from tests.cluster.place import Transcript

pytestmark = [pytest.mark.node, pytest.mark.timeout(1800)]
STORE = "shop-a"
DESKTOP = {"width": 1280, "height": 800}
ANSWER_SECONDS = 20.0


@dataclass
class Product:
    """Urumi on a node of its own."""

    target: NodeTarget
    place: Place
    console: Transcript
    port: int
    say: Callable[[str], None]

    @property
    def url(self) -> str:
        """The address of the first shop."""
        return f"http://{STORE}.localhost:{self.port}"

    @property
    def node(self) -> ProductNode:
        """The node, as another command finds it."""
        return ProductNode(self.place.state / "node", self.say)

    def up(self) -> list[str]:
        """Start what is not running and return what was printed."""
        began, first = time.monotonic(), len(self.console.lines)
        self.target.up(self.place, Options())
        self.say(f"up took {time.monotonic() - began:.1f} s")
        return self.console.lines[first:]

    def status(self) -> tuple[int, str]:
        """Return the exit code of `status` and what it prints."""
        first = len(self.console.lines)
        code = self.target.status(self.place)
        return code, "\n".join(self.console.lines[first:])

    def client(self, headers: dict[str, str] | None = None) -> httpx2.Client:
        """Return a visitor of the shop, to whom its name leads here."""
        host = {"Host": f"{STORE}.localhost:{self.port}"}
        return httpx2.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers=host | (headers or {}), timeout=ANSWER_SECONDS
        )

    def shopper(self) -> httpx2.Client:
        """Return a client of the Store API."""
        with self.client() as guest:
            return self.client({"x-publishable-api-key": fetch(guest, "GET", "/config.json")["publishableKey"]})

    def account(self) -> Any:
        """Return the administrator's account from the platform."""
        server = Caller(f"http://127.0.0.1:{os.environ['URUMI_PORT']}", self.place.token.read_text().strip(), "")
        status, account = server.call("POST", f"/stores/{STORE}/credentials")
        assert status == 200, account
        return account

    def order_numbers(self) -> set[int]:
        """Return the numbers of the orders that the administrator sees."""
        account = self.account()
        with self.client() as guest:
            token = sign_in(guest, account["username"], account["password"])
        with self.client({"Authorization": f"Bearer {token}"}) as merchant:
            orders = fetch(merchant, "GET", "/admin/orders", params={"limit": 100})["orders"]
        return {order["display_id"] for order in orders}


@pytest.fixture(scope="module")
def product(node: Node, tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]) -> Iterator[Product]:
    """The product after its first start, beside the node of the other tests."""
    # Longer than the path of a socket may be.
    state = tmp_path_factory.mktemp("state-of-a-user-with-a-long-name-in-a-deep-folder-" + 40 * "x")
    ports = {HTTP: free_port(), HTTPS: free_port(), "URUMI_PORT": free_port()}
    console = Transcript()

    def refuse(*_: object) -> None:
        pytest.fail("no package is missing")

    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        for name, port in ports.items():
            patch.setenv(name, str(port))
        patch.setenv("URUMI_STATE_DIR", str(state))
        patch.delenv("URUMI_TOKEN", raising=False)
        patch.delenv("URUMI_URL", raising=False)
        found = Product(
            NodeTarget(refuse), Place(ROOT, state, console, Path(sys.executable)), console, ports[HTTP], say
        )
        assert not [each for each in found.target.obstacles(found.place) if each.level == "problem"]
        stack.callback(found.target.down, found.place, purge=True)
        for line in found.up():
            say(line)
        yield found


def test_the_first_start_ends_with_a_shop_that_sells(product: Product) -> None:
    assert f"Shop:   {product.url}/" in product.console.lines
    code, text = product.status()
    assert code == 0, text
    assert "real containers" in text
    with product.client() as visitor:
        assert visitor.get("/").status_code == 200


def test_a_visitor_orders_in_this_machines_browser(product: Product) -> None:
    before = product.order_numbers()
    console = Console()
    with launched() as browser, visiting(browser, product.url, console, DESKTOP) as page:
        put_into_cart(page, "stoneware-mug", 2)
        go_to_checkout(page)
        fill_in(page)
        number = place_order(page)
    assert {f"#{each}" for each in product.order_numbers() - before} == {number}


def test_the_administrator_stays_signed_in_at_an_address_with_a_port(product: Product) -> None:
    account = product.account()
    assert account["adminUrl"] == f"{product.url}/app"
    with product.client({"Origin": product.url}) as browser:
        token = sign_in(browser, account["username"], account["password"])
        opened = browser.post("/auth/session", headers={"Authorization": f"Bearer {token}"})
        assert opened.status_code == 200, opened.text
        assert opened.headers["Access-Control-Allow-Origin"] == product.url
        assert browser.get("/admin/users/me", headers={"Cookie": opened.headers["Set-Cookie"]}).status_code == 200


def test_two_nodes_run_side_by_side(product: Product, node: Node) -> None:
    assert product.node.api().get(f"/api/v1/namespaces/store-{STORE}") is not None
    assert node.api.get(f"/api/v1/namespaces/store-{STORE}") is None
    assert group_name(node.folder.storage) != group_name(product.node.folder.storage)


def test_a_second_up_changes_nothing(product: Product) -> None:
    before = product.node.own_ports(), (product.place.state / "server.pid").read_text()
    lines = product.up()
    assert (product.node.own_ports(), (product.place.state / "server.pid").read_text()) == before
    assert "      Starting the node." not in lines


def test_orders_survive_down_and_up(product: Product) -> None:
    with product.shopper() as shopper:
        order_by_cash_on_delivery(shopper)
    before = product.order_numbers()
    product.target.down(product.place, purge=False)
    assert not product.target.is_up(product.place)
    assert product.status()[0] == 3
    assert not find_groups(group_name(product.node.folder.storage))
    lines = product.up()
    assert f"Shop:   {product.url}/" in lines
    assert product.order_numbers() == before


@pytest.mark.parametrize("victim", ["init", "kubelet", "kube-apiserver", "relay", "server"])
def test_up_repairs_what_was_killed(product: Product, victim: str) -> None:
    before = product.order_numbers()
    os.kill(pid_of(product, victim), signal.SIGKILL)
    wait_until_degraded(product)
    lines = product.up()
    assert f"Shop:   {product.url}/" in lines
    assert product.status()[0] == 0
    assert product.order_numbers() == before


def test_a_port_that_another_program_took_is_reported(product: Product) -> None:
    product.target.down(product.place, purge=False)
    with socket.create_server(("127.0.0.1", product.port)):
        problems = [each for each in product.target.obstacles(product.place) if each.level == "problem"]
    assert [problem.sentence for problem in problems] == [
        f"Port {product.port} of 127.0.0.1 is in use by another program."
    ]


def test_a_purge_leaves_nothing(product: Product) -> None:
    product.up()
    root, group = product.node.folder.root, group_name(product.node.folder.storage)
    product.target.down(product.place, purge=True)
    assert not root.exists()
    assert not find_groups(group)
    assert not [words for _, words in running() if str(root) in " ".join(words)]
    assert str(root) not in Path("/proc/self/mountinfo").read_text()


def pid_of(product: Product, victim: str) -> int:
    """Return the pid of a part of the product."""
    if victim == "server":
        return int((product.place.state / "server.pid").read_text())
    modules = {"init": "cluster.node.inside.init", "relay": "cluster.node.outside.relay"}
    wanted = modules.get(victim, victim)
    marks = (str(product.port), str(product.node.folder.root))
    return next(
        pid for pid, words in running() if is_program(words, wanted) and any(mark in " ".join(words) for mark in marks)
    )


def is_program(words: Sequence[str], wanted: str) -> bool:
    """Return whether a command line is that of a program or of a Python module."""
    return wanted in (Path(words[0]).name, *words[1:3])


def running() -> Iterator[tuple[int, list[str]]]:
    """Yield the pid and the command line of every process that has one."""
    for process in psutil.process_iter(["cmdline"]):
        if process.info["cmdline"]:
            yield process.pid, process.info["cmdline"]


def wait_until_degraded(product: Product) -> None:
    """Wait until `status` reports what is missing."""
    deadline = time.monotonic() + 60
    while product.status()[0] == 0:
        assert time.monotonic() < deadline, "status did not notice"
        time.sleep(0.2)
