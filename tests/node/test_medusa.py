"""A Medusa store of real containers, provisioned by our own reconciler: it sells, breaks, comes back and goes."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.end_to_end.asking import condition, events_of
from tests.kubectl import Kubectl, wait_for
from tests.node import images
from tests.node.node import Node
from tests.node.platform import NodePlatform
from tests.node.shopper import MedusaShopper

pytestmark = [pytest.mark.node, pytest.mark.timeout(1800)]
SHOP = "sells"
READY_SECONDS = 420.0


@pytest.fixture(scope="module")
def platform(
    node: Node, node_kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]
) -> Iterator[NodePlatform]:
    """A platform on a node that has the images of a Medusa store."""
    images.load_images(node, images.medusa(), say)
    with NodePlatform(node, node_kubectl, tmp_path_factory.mktemp("platform")) as found:
        yield found


@pytest.fixture(scope="module")
def shop(platform: NodePlatform, say: Callable[[str], None]) -> Iterator[str]:
    """The id of a store that is Ready."""
    if platform.store(SHOP) is None:
        platform.create(SHOP, "medusa")
    store = platform.wait_for_phase(SHOP, "Ready", seconds=READY_SECONDS)
    for event in store["events"]:
        say(f"{event['type']}: {event['message']}")
    yield SHOP
    platform.call("DELETE", f"/stores/{SHOP}")
    platform.wait_until_gone(SHOP)


@pytest.fixture(scope="module")
def shopper(node: Node, node_kubectl: Kubectl, shop: str) -> MedusaShopper:
    """Somebody who buys in the store."""
    return MedusaShopper(node, node_kubectl, shop)


def count_of(platform: NodePlatform, store_id: str, kind: str) -> int:
    """Return how often an event stands on a store's timeline."""
    return sum(event["count"] for event in events_of(platform.store(store_id), kind))


def pod_of(kubectl: Kubectl, store_id: str, component: str) -> Any:
    """Return the pod of a component."""
    labels = f"app.kubernetes.io/component={component}"
    pods = json.loads(kubectl.run("get", "pods", "-n", f"store-{store_id}", "-l", labels, "-o", "json"))["items"]
    return next(pod for pod in pods if "deletionTimestamp" not in pod["metadata"])


def test_a_store_is_ready_in_the_words_of_its_timeline(platform: NodePlatform, shop: str) -> None:
    store = platform.store(shop)
    words = {event["type"]: event["message"] for event in store["events"]}
    assert words["Ready"] == "postgres 1/1, redis 1/1, backend 1/1, storefront 1/1"
    assert re.search(r"\d EUR", words["StorefrontAnswers"], re.IGNORECASE), words["StorefrontAnswers"]
    assert condition(store, "StorefrontAnswers")["status"] == "True"
    assert store["simulated"] is False


def test_an_order_is_placed_by_the_verify_command(platform: NodePlatform, shop: str) -> None:
    environ = {**os.environ, "URUMI_URL": platform.url, "URUMI_TOKEN": platform.token}
    command = [sys.executable, "-m", "urumi.cli.main", "verify", shop]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_merchant_sees_what_a_shopper_ordered(shop: str, shopper: MedusaShopper) -> None:
    order = shopper.buy()
    assert order in shopper.merchants_orders()


@pytest.mark.parametrize("component", ["storefront", "backend", "postgres"])
def test_a_killed_pod_is_told_and_comes_back(
    platform: NodePlatform, node_kubectl: Kubectl, shop: str, component: str
) -> None:
    degraded, recovered = count_of(platform, shop, "Degraded"), count_of(platform, shop, "Recovered")
    pod = pod_of(node_kubectl, shop, component)["metadata"]["name"]
    node_kubectl.run("delete", "pod", "-n", f"store-{shop}", pod, "--force", "--grace-period=0")
    wait_for(lambda: count_of(platform, shop, "Degraded") > degraded, f"the loss of {pod} to be told")
    wait_for(lambda: count_of(platform, shop, "Recovered") > recovered, f"the return of {component}", seconds=240)
    platform.wait_for_phase(shop, "Ready")


def test_orders_outlive_a_power_cut_of_the_node(
    node: Node, platform: NodePlatform, shop: str, shopper: MedusaShopper
) -> None:
    order = shopper.buy()
    platform.kill()
    node.restart()
    platform.start()
    wait_for(lambda: orders_or_none(shopper), "the shop to answer its merchant again", seconds=READY_SECONDS)
    assert order in shopper.merchants_orders()
    platform.wait_for_phase(shop, "Ready", seconds=READY_SECONDS)


def orders_or_none(shopper: MedusaShopper) -> set[str] | None:
    """Return the merchant's orders, None while the shop does not answer."""
    try:
        return shopper.merchants_orders()
    except (OSError, AssertionError, ValueError):
        return None


def test_an_upgrade_keeps_the_orders(
    node: Node, platform: NodePlatform, node_kubectl: Kubectl, shop: str, shopper: MedusaShopper
) -> None:
    order = shopper.buy()
    name = images.medusa()[0].full_name()
    newer = f"{name.rpartition(':')[0]}:9.9.9"
    node.tag(name, newer)
    values = {"spec": {"values": {"backend": {"image": {"tag": "9.9.9"}}}}}
    node_kubectl.run("patch", "store", shop, "-n", platform.namespace, "--type=merge", "-p", json.dumps(values))

    def runs_newer() -> bool:
        pod = pod_of(node_kubectl, shop, "backend")
        return str(pod["spec"]["containers"][0]["image"]).endswith(":9.9.9")

    wait_for(runs_newer, "the backend to be of the new image", seconds=120)
    platform.wait_for_phase(shop, "Ready", seconds=READY_SECONDS)
    assert order in shopper.merchants_orders()


def test_a_wrong_database_password_is_said_in_the_databases_words(
    platform: NodePlatform, node_kubectl: Kubectl, shop: str
) -> None:
    namespace = f"store-{shop}"
    psql = ("psql", "--host=127.0.0.1", "--username=medusa", "--dbname=medusa")
    password = shop_password(node_kubectl, shop)
    set_password(node_kubectl, namespace, psql, "something else")
    try:
        node_kubectl.run("delete", "pod", "-n", namespace, pod_of(node_kubectl, shop, "backend")["metadata"]["name"])
        platform.wait_for_words(shop, "password authentication failed", seconds=240)
    finally:
        set_password(node_kubectl, namespace, psql, password)
    platform.wait_for_phase(shop, "Ready", seconds=READY_SECONDS)


def shop_password(kubectl: Kubectl, store_id: str) -> str:
    """Return the password of the store's database."""
    template = '{{ index .data "database-password" | base64decode }}'
    return kubectl.run("get", "secret", "store-secrets", "-n", f"store-{store_id}", "-o", f"go-template={template}")


def set_password(kubectl: Kubectl, namespace: str, psql: tuple[str, ...], password: str) -> None:
    """Give the database's user another password."""
    statement = f"ALTER USER medusa PASSWORD '{password}'"
    kubectl.run("exec", "-n", namespace, "postgres-0", "--", *psql, "--command", statement)


def test_a_second_store_goes_without_a_trace_and_the_first_stays(
    node: Node, platform: NodePlatform, node_kubectl: Kubectl, shop: str, shopper: MedusaShopper, store_id: str
) -> None:
    before = shopper.merchants_orders()
    platform.create(store_id, "medusa")
    platform.wait_for_phase(store_id, "Ready", seconds=READY_SECONDS)
    second = MedusaShopper(node, node_kubectl, store_id)
    order = second.buy()
    assert second.merchants_orders() == {order}
    assert shopper.merchants_orders() == before
    platform.call("DELETE", f"/stores/{store_id}")
    platform.wait_until_gone(store_id)
    namespace = f"store-{store_id}"
    assert node_kubectl.get("namespace", namespace) is None
    claims = json.loads(node_kubectl.run("get", "pv", "-o", "json"))["items"]
    assert not [volume for volume in claims if volume["spec"]["claimRef"]["namespace"] == namespace]
    wait_for(lambda: not list(node.folder.volumes.glob(f"*_{namespace}_*")), "the volumes' folders to go")
    assert not node.containers_of(namespace)
    assert platform.store(shop)["phase"] == "Ready"
