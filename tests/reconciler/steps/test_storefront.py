"""The storefront step: against a shop on loopback, in a cluster whose node runs containers."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator

import pytest

from reconciler.backoff import Backoff
from reconciler.kube.resources import NODES, SECRETS, STATEFUL_SETS, STORES
from reconciler.reconcile.storefront_checks import PAUSE, StorefrontChecks, StorefrontResult
from tests.end_to_end.fake_woocommerce import PRODUCTS, FakeWooCommerce
from tests.reconciler.conftest import MakeHarness
from tests.reconciler.harness import STORE_ID, Harness, ObservedStatus
from urumi.errors import ShopError

pytestmark = pytest.mark.anyio

PASSED = StorefrontResult("True", "ProductFound", "Demo mug for 399.00 INR can be bought")


@pytest.fixture(scope="module")
def shop_server() -> Iterator[FakeWooCommerce]:
    """The shop of all tests in this module, because stopping it takes longer than a test."""
    with FakeWooCommerce() as shop:
        yield shop


@pytest.fixture
def shop(shop_server: FakeWooCommerce) -> FakeWooCommerce:
    """A shop that sells."""
    shop_server.is_open, shop_server.products = True, list(PRODUCTS)
    shop_server.hosts.clear()
    shop_server.orders.clear()
    return shop_server


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next check of a store start immediately."""
    monkeypatch.setattr("reconciler.reconcile.storefront_checks.PAUSE", Backoff(0.0, 0.0))


@pytest.fixture
async def harness(make_harness: MakeHarness, shop: FakeWooCommerce) -> AsyncIterator[Harness]:
    """A platform whose node runs containers."""
    async with make_harness(storefront_address=shop.address) as harness:
        await run_containers(harness)
        yield harness


async def run_containers(harness: Harness) -> None:
    """Replace the simulated node by one that runs containers."""
    await harness.others.delete(NODES, "node-1")
    await harness.others.create(NODES, {"metadata": {"name": "node-2"}})


async def released(harness: Harness) -> None:
    """Release a store whose workloads are ready."""
    await harness.create_store()
    await harness.reconcile()
    await harness.make_ready()


async def checked(harness: Harness) -> ObservedStatus:
    """Reconcile until a storefront check has ended, and once more with its result."""
    before = await harness.reconcile()
    if before.phase == "Ready":
        return before
    async with asyncio.timeout(5):
        while await harness.queue.take() != STORE_ID:
            harness.queue.done(STORE_ID)
    harness.queue.done(STORE_ID)
    return await harness.reconcile()


async def test_a_store_is_ready_after_a_product_was_found(harness: Harness, shop: FakeWooCommerce) -> None:
    await released(harness)
    first = await harness.reconcile()
    assert first.progress["message"] == "checking the storefront"
    assert first.condition("Ready") == ("False", "WaitingForStorefront")
    ready = await checked(harness)
    assert ready.phase == "Ready"
    assert ready.condition("StorefrontAnswers") == ("True", "ProductFound")
    assert ready.message("StorefrontAnswers").startswith("Demo mug for 399.00 INR can be bought")
    assert ready.events[-2:] == ["StorefrontAnswers", "Ready"]
    assert ready.event("Ready")["message"] == "mariadb 1/1, wordpress 1/1"
    assert ready.status["simulated"] is False
    assert shop.hosts == {"shop-a.127.0.0.1.nip.io"}


async def test_an_empty_catalogue_is_enough(harness: Harness, shop: FakeWooCommerce) -> None:
    shop.products = []
    await released(harness)
    ready = await checked(harness)
    assert ready.condition("StorefrontAnswers") == ("True", "CatalogueEmpty")
    assert ready.message("StorefrontAnswers") == "the storefront responds; its catalogue is empty"


async def test_an_unresponsive_shop_is_waited_for_and_checked_again(harness: Harness, shop: FakeWooCommerce) -> None:
    shop.is_open = False
    await released(harness)
    waiting = await checked(harness)
    assert waiting.phase == "Provisioning"
    assert waiting.condition("StorefrontAnswers") == ("False", "WaitingForStorefront")
    assert waiting.progress["message"].startswith("waiting for the storefront: GET / returned 503")
    assert waiting.event("WaitingForStorefront")["message"].startswith("pods are ready, waiting for the storefront")
    shop.is_open = True
    for _ in range(3):
        ready = await checked(harness)
    assert ready.phase == "Ready"


async def test_a_storefront_that_fails_after_the_deadline_fails_the_store_until_it_responds(
    harness: Harness, shop: FakeWooCommerce
) -> None:
    shop.is_open = False
    await released(harness)
    await checked(harness)
    store = await harness.store()
    overdue = {**store.status, "deadlineAt": "2026-01-01T00:00:00Z"}
    await harness.controllers.replace_status(STORES, store.raw, overdue)
    failed = await harness.reconcile()
    assert failed.phase == "Failed"
    assert (failed.error["step"], failed.error["reason"]) == ("storefront", "StorefrontSilent")
    assert failed.error["message"].startswith("storefront check still failing after 600 s: GET / returned 503")
    assert failed.error["hint"].startswith("Read the logs of the store's pods.")
    shop.is_open = True
    for _ in range(3):
        ready = await checked(harness)
    assert ready.phase == "Ready"
    assert ready.events.count("Failed") == 1
    assert "lastError" not in ready.status


async def test_a_recovered_store_is_checked_again_and_is_not_ready_until_it_passes(
    harness: Harness, shop: FakeWooCommerce
) -> None:
    await released(harness)
    assert (await checked(harness)).phase == "Ready"
    await harness.make_unready(STATEFUL_SETS, "mariadb")
    assert (await harness.reconcile()).phase == "Degraded"
    await harness.make_ready()
    shop.is_open = False
    asked = await harness.reconcile()
    assert asked.phase == "Degraded"
    assert asked.progress["message"] == "workloads are healthy again, checking the storefront"
    silent = await checked(harness)
    assert silent.phase == "Degraded"
    assert silent.condition("Ready") == ("False", "StorefrontSilent")
    shop.is_open = True
    for _ in range(3):
        ready = await checked(harness)
    assert ready.phase == "Ready"
    assert ready.events[-1] == "Recovered"


async def test_with_orders_a_test_order_is_placed_and_removed(make_harness: MakeHarness, shop: FakeWooCommerce) -> None:
    async with make_harness(storefront_address=shop.address, storefront_check="order") as harness:
        await run_containers(harness)
        await released(harness)
        secrets = {each["metadata"]["name"]: each for each in await harness.list(SECRETS)}
        shop.password = base64.b64decode(secrets["store-admin"]["data"]["password"]).decode()
        ready = await checked(harness)
        assert ready.condition("StorefrontAnswers") == ("True", "OrderPlaced")
        assert ready.message("StorefrontAnswers") == "test order 12 (448.00 INR) was placed and removed"
        assert shop.orders == {}


async def test_without_checks_the_result_is_unknown(make_harness: MakeHarness) -> None:
    async with make_harness(storefront_check="off") as harness:
        await run_containers(harness)
        await released(harness)
        ready = await harness.reconcile()
        assert ready.phase == "Ready"
        assert ready.condition("StorefrontAnswers") == ("Unknown", "NotChecked")
        assert ready.message("StorefrontAnswers").startswith("storefront not checked: ")


class Checks:
    """Storefront checks of one store whose results the test decides."""

    def __init__(self) -> None:
        self.woken: asyncio.Queue[str] = asyncio.Queue()
        self.runs = 0
        self.result: StorefrontResult | Exception = PASSED
        self.checks = StorefrontChecks(self.woken.put_nowait)

    async def run(self) -> StorefrontResult:
        """Return or raise the result."""
        self.runs += 1
        await asyncio.sleep(0)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def request(self, digest: str = "d1") -> StorefrontResult | None:
        """Return the last result, and start a check if one is due."""
        return self.checks.result("u1", STORE_ID, digest, self.run)

    async def ended(self) -> None:
        """Wait for the end of a check."""
        async with asyncio.timeout(5):
            assert await self.woken.get() == STORE_ID


@pytest.fixture
async def checks() -> AsyncIterator[Checks]:
    """Checks of one store."""
    found = Checks()
    yield found
    await found.checks.close()


@pytest.mark.parametrize(
    ("result", "message"),
    [
        pytest.param(ShopError("GET / returned 503"), "GET / returned 503", id="the shop"),
        pytest.param(RuntimeError("bug"), "storefront check failed with an internal error", id="a defect"),
        pytest.param(TimeoutError(), "storefront check did not finish within 60 s", id="time"),
    ],
)
async def test_every_failure_of_a_check_becomes_a_message(checks: Checks, result: Exception, message: str) -> None:
    checks.result = result
    assert checks.request() is None
    await checks.ended()
    found = checks.request()
    assert found is not None
    assert (found.status, found.reason) == ("False", "NoAnswer")
    assert found.message.startswith(message)


async def test_a_result_counts_for_one_digest_until_it_is_dropped(checks: Checks) -> None:
    checks.request("d1")
    await checks.ended()
    assert checks.request("d1") == PASSED
    assert checks.request("d2") is None
    await checks.ended()
    assert checks.request("d2") == PASSED
    checks.checks.forget("u1")
    assert checks.request("d2") is None


async def test_the_pause_between_checks_doubles(checks: Checks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.reconcile.storefront_checks.PAUSE", PAUSE)
    checks.request()
    assert checks.checks.due_in_seconds("u1") == 0
    await checks.ended()
    assert 1.5 < checks.checks.due_in_seconds("u1") <= 2
    checks.request()
    assert checks.runs == 1


async def test_the_store_is_queued_for_its_next_check(
    harness: Harness, shop: FakeWooCommerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.reconcile.storefront_checks.PAUSE", Backoff(60.0, 60.0))
    shop.is_open = False
    await released(harness)
    await checked(harness)
    assert 50 < harness.queue.delays[STORE_ID][-1] <= 60


async def test_a_dropped_check_is_cancelled(checks: Checks) -> None:
    checks.request()
    [task] = [each for each in asyncio.all_tasks() if each.get_name() == f"storefront check {STORE_ID}"]
    checks.checks.forget("u1")
    await asyncio.wait([task])
    assert task.cancelled()
    assert checks.woken.empty()


async def test_a_store_that_loses_its_workloads_while_it_waits_is_checked_at_once_when_they_are_back(
    harness: Harness, shop: FakeWooCommerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.reconcile.storefront_checks.PAUSE", Backoff(60.0, 60.0))
    shop.is_open = False
    await released(harness)
    await checked(harness)
    await harness.make_unready(STATEFUL_SETS, "mariadb")
    await harness.reconcile()
    await harness.make_ready()
    shop.is_open = True
    assert (await checked(harness)).phase == "Ready"


async def test_a_check_of_an_older_digest_is_cancelled(checks: Checks) -> None:
    checks.request("d1")
    [older] = [each for each in asyncio.all_tasks() if each.get_name() == f"storefront check {STORE_ID}"]
    checks.request("d2")
    await asyncio.wait([older])
    assert older.cancelled()
    await checks.ended()
    assert checks.woken.empty()
