"""The last step of a provision: the storefront check, and the order that `urumi verify` places."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.local.cluster import ClusterInfo
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from testing.store_objects import condition, events_of
from tests.end_to_end.fake_woocommerce import FakeWooCommerce


@pytest.fixture
def shop() -> Iterator[FakeWooCommerce]:
    """A shop that responds in place of the store's simulated containers."""
    with FakeWooCommerce() as shop:
        yield shop


@pytest.fixture
def real_node(kubectl: Kubectl) -> Iterator[None]:
    """A node that is not simulated, so that the platform expects shops; nothing is scheduled on it."""
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "real-node"}, "spec": {"unschedulable": True}}
    kubectl.apply(node)
    yield
    kubectl.run("delete", "node", "real-node")


def serve(cluster: ClusterInfo, kubectl: Kubectl, folder: Path, shop: FakeWooCommerce, **environ: str) -> ServerProcess:
    """Return a server that sends its storefront checks to the shop."""
    return ServerProcess(cluster, kubectl, folder, URUMI_STOREFRONT_ADDRESS=shop.address, **environ)


@pytest.fixture
def platform_with_shop(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, shop: FakeWooCommerce, real_node: None
) -> Iterator[ServerProcess]:
    """A server for which every store has a shop."""
    with serve(local_cluster, kubectl, tmp_path, shop) as server:
        yield server


def verify(server: ServerProcess, store_id: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `urumi verify`."""
    environ = {**os.environ, "URUMI_URL": server.url, "URUMI_TOKEN": server.token}
    command = [sys.executable, "-m", "urumi.cli.main", "verify", store_id, *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)


def admin_password(kubectl: Kubectl, store_id: str) -> str:
    """Return the password that the platform generated for a store."""
    return base64.b64decode(kubectl.get("secret", "store-admin", f"store-{store_id}")["data"]["password"]).decode()


def test_a_store_is_ready_after_a_product_that_can_be_bought_was_found(
    platform_with_shop: ServerProcess, shop: FakeWooCommerce, store_id: str
) -> None:
    platform_with_shop.create(store_id)
    store = platform_with_shop.wait_for_phase(store_id, "Ready")
    assert not store.get("simulated")
    assert condition(store, "StorefrontAnswers")["status"] == "True"
    [event] = events_of(store, "StorefrontAnswers")
    assert event["message"].startswith("Demo mug for 399.00 INR can be bought")
    assert [each["type"] for each in store["events"]][-2:] == ["StorefrontAnswers", "Ready"]
    assert shop.hosts == {f"{store_id}.127.0.0.1.nip.io"}


def test_a_shop_without_products_is_ready_with_the_reason_catalogue_empty(
    platform_with_shop: ServerProcess, shop: FakeWooCommerce, store_id: str
) -> None:
    shop.products = []
    platform_with_shop.create(store_id)
    answers = condition(platform_with_shop.wait_for_phase(store_id, "Ready"), "StorefrontAnswers")
    assert (answers["reason"], answers["message"]) == (
        "CatalogueEmpty",
        "the storefront responds; its catalogue is empty",
    )


def test_a_failing_shop_is_waited_for_then_failed_then_ready_without_a_retry(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, shop: FakeWooCommerce, real_node: None, store_id: str
) -> None:
    shop.is_open = False
    with serve(local_cluster, kubectl, tmp_path, shop, URUMI_MAX_PROVISION_SECONDS="15") as server:
        server.create(store_id)

        def waiting() -> Any:
            progress = (server.store(store_id) or {}).get("progress", {})
            return progress if "returned 503" in progress.get("message", "") else None

        progress = wait_for(waiting, "the store to wait for its storefront")
        assert (progress["step"], progress["index"], progress["total"]) == ("storefront", 6, 6)
        failed = server.wait_for_phase(store_id, "Failed")
        assert failed["lastError"]["reason"] == "StorefrontSilent"
        assert "GET / returned 503: Error establishing a database connection" in failed["lastError"]["message"]
        assert condition(failed, "Healthy")["status"] == "True"
        shop.is_open = True
        assert "lastError" not in server.wait_for_phase(store_id, "Ready")


def test_a_provision_with_order_check_places_and_removes_a_test_order(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, shop: FakeWooCommerce, real_node: None, store_id: str
) -> None:
    with serve(
        local_cluster, kubectl, tmp_path, shop, URUMI_STOREFRONT_CHECK="order", URUMI_MAX_PROVISION_SECONDS="60"
    ) as server:
        server.create(store_id)
        wait_for(lambda: kubectl.attempt("get", "secret", "store-admin", "-n", f"store-{store_id}").returncode == 0, "")
        shop.password = admin_password(kubectl, store_id)
        store = server.wait_for_phase(store_id, "Ready")
    answers = condition(store, "StorefrontAnswers")
    assert answers["reason"] == "OrderPlaced"
    assert answers["message"] == "test order 12 (448.00 INR) was placed and removed"
    assert shop.orders == {}


def test_verify_places_an_order_and_removes_it(
    platform_with_shop: ServerProcess, kubectl: Kubectl, shop: FakeWooCommerce, store_id: str
) -> None:
    platform_with_shop.create(store_id)
    platform_with_shop.wait_for_phase(store_id, "Ready")
    shop.password = admin_password(kubectl, store_id)

    done = verify(platform_with_shop, store_id)

    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    assert last == f"Store {store_id} sells: test order 12 (448.00 INR) was placed and removed."
    assert shop.orders == {}
    assert [each for each in shop.history if "/orders/" in each] == [
        "GET /wp-json/wc/v3/orders/12",
        "PUT /wp-json/wc/v3/orders/12",
        "DELETE /wp-json/wc/v3/orders/12",
    ]


def test_verify_reports_the_failed_stage_and_its_cause(
    platform_with_shop: ServerProcess, shop: FakeWooCommerce, store_id: str
) -> None:
    platform_with_shop.create(store_id)
    platform_with_shop.wait_for_phase(store_id, "Ready")
    shop.password = "changed in the shop"

    done = verify(platform_with_shop, store_id, "--json")

    assert done.returncode == 1
    result = json.loads(done.stdout)
    assert [(stage["name"], stage["ok"]) for stage in result["stages"]] == [
        ("front page", True),
        ("catalogue", True),
        ("health", True),
        ("admin login", False),
    ]
    assert "sign-in as 'admin' refused; was the password changed in the shop?" in result["message"]
    assert shop.orders == {}


def test_verify_reports_problems_of_the_shops_settings(
    platform_with_shop: ServerProcess, shop: FakeWooCommerce, store_id: str
) -> None:
    platform_with_shop.create(store_id)
    platform_with_shop.wait_for_phase(store_id, "Ready")
    shop.problems = ["Cash on delivery is disabled. Enable it in WooCommerce > Settings > Payments."]
    done = verify(platform_with_shop, store_id)
    assert done.returncode == 1
    assert "failed: Cash on delivery is disabled. Enable it in WooCommerce > Settings > Payments." in done.stdout
    assert not [each for each in shop.history if each.startswith("POST")]


def test_on_simulated_containers_the_storefront_is_unknown_and_no_order_can_be_placed(
    platform: ServerProcess, store_id: str
) -> None:
    platform.create(store_id)
    store = platform.wait_for_phase(store_id, "Ready")
    answers = condition(store, "StorefrontAnswers")
    assert (answers["status"], answers["reason"]) == ("Unknown", "Simulated")
    done = verify(platform, store_id)
    assert done.returncode == 4
    assert "simulated containers: no shop is running" in done.stderr
