"""Two Medusa stores of real containers on the installed platform: they sell, fail, recover and are deleted.

The images are built by the chart's own Dockerfiles. Stores are requested by REST; kubectl only injects failures.
"""

import base64
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cluster.node.images import medusa
from cluster.node.images.image import load_images
from cluster.node.node import Node
from testing.browser import Console, launched
from testing.kubectl import Kubectl, wait_for
from testing.node.documentation import Backup
from testing.node.images import NEXT_BACKEND, NEXT_TAG
from testing.node.medusa_shop import NodeShop
from testing.node.platform import InstalledPlatform
from testing.node.usage import MIB, memory_limits, working_sets
from testing.shops.medusa.api_clients import fetch, order_by_cash_on_delivery
from testing.shops.medusa.checkout import fill_in, go_to_checkout, place_order, put_into_cart, visiting
from testing.store_objects import condition

pytestmark = [pytest.mark.node, pytest.mark.timeout(1800)]
READY_SECONDS = 600.0
DESKTOP = {"width": 1280, "height": 800}
FIRST, SECOND = "medusa-one", "medusa-two"
Say = Callable[[str], None]


@pytest.fixture(scope="module")
def platform(node: Node, installed: InstalledPlatform, say: Say) -> InstalledPlatform:
    """The installed platform on a node that has the images of a Medusa store."""
    load_images(node, [*medusa.IMAGES, NEXT_BACKEND], say)
    return installed


@pytest.fixture(scope="module")
def stores(platform: InstalledPlatform, say: Say) -> Iterator[dict[str, Any]]:
    """Two stores, requested at the same time, that are Ready; they are deleted while the next tests run."""
    for store_id in (FIRST, SECOND):
        platform.create(store_id, "medusa")
    found = {store_id: platform.wait_for_phase(store_id, "Ready", READY_SECONDS) for store_id in (FIRST, SECOND)}
    for event in found[FIRST]["events"]:
        say(f"{event['timestamp']} {event['type']}: {event['message']}")
    yield found
    for store_id in found:
        platform.call("DELETE", f"/stores/{store_id}")


@pytest.fixture(scope="module")
def shops(
    node: Node,
    node_kubectl: Kubectl,
    platform: InstalledPlatform,
    stores: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, NodeShop]]:
    """The shops of the stores, reachable under their own addresses."""
    with ExitStack() as opened:
        yield {
            store_id: opened.enter_context(
                NodeShop(node, node_kubectl, platform, store_id, tmp_path_factory.mktemp("shop")).open()
            )
            for store_id in stores
        }


@pytest.fixture
def shop(shops: dict[str, NodeShop]) -> NodeShop:
    """The shop whose parts fail and recover."""
    return shops[FIRST]


@pytest.fixture
def other_shop(shops: dict[str, NodeShop]) -> NodeShop:
    """The second shop."""
    return shops[SECOND]


@dataclass(frozen=True, slots=True)
class DeletedStore:
    """A deleted store: its namespace, the uids of its pods."""

    namespace: str
    pods: list[str]


@pytest.fixture(scope="module")
def deleted(
    node: Node, platform: InstalledPlatform, node_kubectl: Kubectl, shops: dict[str, NodeShop], say: Say
) -> DeletedStore:
    """The store of the second shop after its deletion."""
    shop = shops[SECOND]
    pods = json.loads(node_kubectl.run("get", "pods", "-n", shop.namespace, "-o", "json"))["items"]
    store = DeletedStore(shop.namespace, [pod["metadata"]["uid"] for pod in pods])
    assert traces_of(node, node_kubectl, store)
    began = time.monotonic()
    platform.call("DELETE", f"/stores/{shop.store_id}")
    platform.wait_until_gone(shop.store_id, READY_SECONDS)
    say(f"the store was gone {time.monotonic() - began:.1f} s after the request")
    return store


def buy(shop: NodeShop) -> str:
    """Place an order with the Store API and return its id."""
    with shop.shopper() as shopper:
        return str(order_by_cash_on_delivery(shopper)["id"])


def order_ids(shop: NodeShop) -> set[str]:
    """Return the ids of the orders in the Admin API."""
    return {order["id"] for order in shop.orders()}


def events(platform: InstalledPlatform, store_id: str, kind: str = "") -> set[tuple[str, ...]]:
    """Return the events of the timeline, of one type or all; a repeated event has another value."""
    timeline = platform.store(store_id)["events"]
    return {tuple(map(str, event.values())) for event in timeline if kind in ("", event["type"])}


def wait_for_event(platform: InstalledPlatform, store_id: str, kind: str, before: set[tuple[str, ...]]) -> None:
    """Wait for a new event of a type."""
    wait_for(lambda: events(platform, store_id, kind) - before, f"{kind} on the timeline of {store_id}", READY_SECONDS)


def pod_of(kubectl: Kubectl, namespace: str, component: str) -> Any:
    """Return the pod of a component, None while it is being replaced."""
    labels = f"app.kubernetes.io/component={component}"
    pods = json.loads(kubectl.run("get", "pods", "-n", namespace, "-l", labels, "-o", "json"))["items"]
    return next((pod for pod in pods if "deletionTimestamp" not in pod["metadata"]), None)


def name_of_pod(kubectl: Kubectl, namespace: str, component: str) -> str:
    """Return the name of the pod of a component."""
    pod = wait_for(lambda: pod_of(kubectl, namespace, component), f"a pod of {component}")
    return str(pod["metadata"]["name"])


@pytest.mark.parametrize("store_id", [FIRST, SECOND])
def test_the_timeline_of_a_ready_store_names_workloads_and_offer(stores: dict[str, Any], store_id: str) -> None:
    store = stores[store_id]
    messages = {event["type"]: event["message"] for event in store["events"]}
    assert messages["Ready"] == "postgres 1/1, redis 1/1, backend 1/1, storefront 1/1"
    assert re.search(r"for \d+\.\d\d USD can be bought", messages["StorefrontAnswers"]), messages
    assert condition(store, "StorefrontAnswers")["status"] == "True"
    assert not store.get("simulated")


def test_an_order_is_placed_by_the_verify_command(platform: InstalledPlatform, shop: NodeShop, say: Say) -> None:
    environ = {**os.environ, "URUMI_URL": platform.url, "URUMI_TOKEN": platform.token}
    command = [sys.executable, "-m", "urumi.cli.main", "verify", shop.store_id]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in done.stdout.splitlines():
        say(line)
    assert [order["status"] for order in shop.orders()] == ["archived"]


def test_an_order_of_one_shop_is_not_in_the_other(shop: NodeShop, other_shop: NodeShop) -> None:
    here, there = buy(shop), buy(other_shop)
    assert here in order_ids(shop) - order_ids(other_shop)
    assert there in order_ids(other_shop) - order_ids(shop)


def test_a_visitor_orders_with_a_browser_under_the_address_of_the_store(shop: NodeShop) -> None:
    console = Console()
    with launched(shop.browser_flag) as browser, visiting(browser, shop.public_url, console, DESKTOP) as page:
        put_into_cart(page, "stoneware-mug", 2)
        go_to_checkout(page)
        fill_in(page)
        number = place_order(page)
    [order] = [each for each in shop.orders() if f"#{each['display_id']}" == number]
    assert (order["email"], order["status"]) == ("ada@example.org", "pending")


def test_each_container_stays_below_its_memory_limit(
    node: Node, node_kubectl: Kubectl, shop: NodeShop, say: Say
) -> None:
    used = wait_for(
        lambda: found if len(found := working_sets(node_kubectl, shop.namespace)) == 4 else {},
        "the kubelet's metrics of every container",
    )
    limits = memory_limits(node_kubectl, shop.namespace)
    for name, size in used.items():
        say(f"{name}: {size / MIB:.0f} MiB of {limits[name] / MIB:.0f}")
    for folder in sorted(node.folder.volumes.glob(f"*_{shop.namespace}_*")):
        blocks = sum(path.lstat().st_blocks for path in folder.rglob("*"))
        say(f"volume {folder.name.rpartition('_')[2]}: {blocks * 512 / MIB:.0f} MiB")
    assert [name for name, size in used.items() if size > 0.8 * limits[name]] == []


def test_orders_survive_a_power_failure_of_the_node(
    node: Node, platform: InstalledPlatform, shop: NodeShop, other_shop: NodeShop, say: Say
) -> None:
    shops = (shop, other_shop)
    orders = [buy(each) for each in shops]
    began = time.monotonic()
    node.restart()
    for each, order in zip(shops, orders, strict=True):
        wait_until_open(each)
        assert order in order_ids(each)
    say(f"both shops responded {time.monotonic() - began:.1f} s after the power failure")
    for each in shops:
        platform.wait_for_phase(each.store_id, "Ready", READY_SECONDS)
        buy(each)


def wait_until_open(shop: NodeShop) -> None:
    """Wait until the merchant can sign in and list orders."""

    def is_open() -> bool:
        try:
            return bool(shop.orders())
        except (AssertionError, httpx2.TransportError):
            return False

    wait_for(is_open, f"{shop.store_id} to respond to its merchant", READY_SECONDS)


@pytest.mark.parametrize("component", ["storefront", "redis", "postgres", "backend"])
def test_a_killed_pod_is_reported_and_replaced(
    platform: InstalledPlatform, node_kubectl: Kubectl, shop: NodeShop, say: Say, component: str
) -> None:
    before = events(platform, shop.store_id)
    pod = name_of_pod(node_kubectl, shop.namespace, component)
    began = time.monotonic()
    node_kubectl.run("delete", "pod", "-n", shop.namespace, pod, "--force", "--grace-period=0")
    seconds = {}
    for kind in ("Degraded", "Recovered"):
        wait_for_event(platform, shop.store_id, kind, before)
        seconds[kind] = time.monotonic() - began
    # Events about an earlier pod of the same name are not reported for this one.
    assert "Unhealthy" not in str(events(platform, shop.store_id, "Degraded") - before)
    say(f"{component} killed: Degraded after {seconds['Degraded']:.1f} s, Recovered after {seconds['Recovered']:.1f} s")
    platform.wait_for_phase(shop.store_id, "Ready", READY_SECONDS)


def test_no_two_databases_share_a_volume(platform: InstalledPlatform, node_kubectl: Kubectl, shop: NodeShop) -> None:
    """The second restart of the database starts from the files that the first one left."""
    order = buy(shop)
    for _ in range(2):
        before = events(platform, shop.store_id, "Recovered")
        node_kubectl.run("delete", "pod", "-n", shop.namespace, "postgres-0", "--force", "--grace-period=0")
        wait_for_event(platform, shop.store_id, "Recovered", before)
        logs = node_kubectl.run("logs", "-n", shop.namespace, "postgres-0")
        # If the new one started first, it waited; a database that was still in use would be recovered.
        assert "database system was shut down" in logs
        assert "not properly shut down" not in logs
    wait_until_open(shop)
    assert order in order_ids(shop)


def test_the_documented_backup_restores_orders_and_pictures(
    node: Node, platform: InstalledPlatform, node_kubectl: Kubectl, shop: NodeShop, tmp_path: Path, say: Say
) -> None:
    def in_backend(script: str) -> str:
        command = ("exec", "-n", shop.namespace, "deployment/backend", "-c", "backend", "--", "sh", "-c", script)
        return node_kubectl.run(*command)

    backup = Backup("medusa.md", node, shop.store_id, tmp_path)
    order = buy(shop)
    in_backend("echo kept >/app/static/picture.txt")
    backup.take()
    later = buy(shop)
    in_backend("rm /app/static/picture.txt")
    began = time.monotonic()
    backup.restore()
    node_kubectl.run("rollout", "status", "deployment/backend", "-n", shop.namespace, "--timeout=300s")
    wait_until_open(shop)
    say(f"the restored shop responded {time.monotonic() - began:.1f} s after the start of the restore")
    assert order in order_ids(shop)
    assert later not in order_ids(shop)
    assert in_backend("cat /app/static/picture.txt") == "kept\n"
    platform.wait_for_phase(shop.store_id, "Ready", READY_SECONDS)
    buy(shop)


def test_a_store_sells_while_another_one_is_deleted(
    platform: InstalledPlatform, node_kubectl: Kubectl, deleted: DeletedStore, shop: NodeShop
) -> None:
    assert node_kubectl.get("namespace", deleted.namespace) is None
    buy(shop)
    assert platform.store(shop.store_id)["phase"] == "Ready"


def test_an_upgrade_is_reported_and_keeps_the_orders(
    platform: InstalledPlatform, node_kubectl: Kubectl, shop: NodeShop, say: Say
) -> None:
    order, before = buy(shop), events(platform, shop.store_id)
    values = {"spec": {"values": {"backend": {"image": {"tag": NEXT_TAG}}}}}
    node_kubectl.run(
        *("patch", "store", shop.store_id, "-n", platform.namespace, "--type=merge", "-p", json.dumps(values))
    )

    def is_newer() -> bool:
        pod = pod_of(node_kubectl, shop.namespace, "backend")
        return pod is not None and str(pod["spec"]["containers"][0]["image"]) == NEXT_BACKEND.name

    wait_for(is_newer, "the backend with the new image", READY_SECONDS)
    wait_for_event(platform, shop.store_id, "Ready", before)
    for event in platform.store(shop.store_id)["events"]:
        say(f"{event['timestamp']} {event['type']}: {event['message']}")
    assert order in order_ids(shop)
    with shop.merchant() as merchant:
        [settings] = fetch(merchant, "GET", "/admin/stores", params={"fields": "metadata"})["stores"]
    assert settings["metadata"] == {"second_setup": "done"}


def test_a_refused_database_password_is_reported_with_the_message_of_postgres(
    platform: InstalledPlatform, node_kubectl: Kubectl, shop: NodeShop, say: Say
) -> None:
    secret = node_kubectl.get("secret", "store-secrets", shop.namespace)["data"]["database-password"]
    set_password(node_kubectl, shop.namespace, "another")
    try:
        began = time.monotonic()
        pod = name_of_pod(node_kubectl, shop.namespace, "backend")
        node_kubectl.run("delete", "pod", "-n", shop.namespace, pod)
        platform.wait_for_message(shop.store_id, 'password authentication failed for user "medusa"', READY_SECONDS)
        say(f"the refusal was reported {time.monotonic() - began:.1f} s after the backend's pod was deleted")
    finally:
        set_password(node_kubectl, shop.namespace, base64.b64decode(secret).decode())
    # A new pod starts without the restart backoff of the old one.
    node_kubectl.run("delete", "pod", "-n", shop.namespace, name_of_pod(node_kubectl, shop.namespace, "backend"))
    platform.wait_for_phase(shop.store_id, "Ready", READY_SECONDS)
    buy(shop)


def set_password(kubectl: Kubectl, namespace: str, password: str) -> None:
    """Change the password of the database's user."""
    psql = ("psql", "--host=127.0.0.1", "--username=medusa", "--dbname=medusa")
    statement = f"ALTER USER medusa PASSWORD '{password}'"
    kubectl.run("exec", "-n", namespace, "postgres-0", "--", *psql, "--command", statement)


def test_nothing_is_left_of_a_deleted_store(node: Node, node_kubectl: Kubectl, deleted: DeletedStore) -> None:
    """This test is last: the kubelet removes containers from before the power failure only once a minute."""
    wait_for(lambda: traces_of(node, node_kubectl, deleted) == [], "everything of the store to be gone")


def traces_of(node: Node, kubectl: Kubectl, store: DeletedStore) -> list[str]:
    """Return what is left of a store: release, volumes and their folders, containers, folders and processes of pods."""
    namespace, uids = store.namespace, store.pods
    releases = json.loads(kubectl.run("get", "secrets", "-A", "-l", "owner=helm", "-o", "json"))["items"]
    volumes = json.loads(kubectl.run("get", "pv", "-o", "json"))["items"]
    processes = node.inside("ps", "-eo", "cgroup,args").splitlines()
    return [
        *(
            item["metadata"]["name"]
            for item in releases
            if namespace.removeprefix("store-") in item["metadata"]["name"]
        ),
        *(item["metadata"]["name"] for item in volumes if item["spec"]["claimRef"]["namespace"] == namespace),
        *(path.name for path in node.folder.volumes.glob(f"*_{namespace}_*")),
        *node.containers.of(namespace),
        *(path.name for uid in uids for path in (node.folder.kubelet / "pods").glob(uid)),
        *(line for line in processes if any(uid in line for uid in uids)),
    ]
