"""The operation "verify": what its result says about each way in which a store can fail to sell."""

from pathlib import Path

import pytest

from reconciler.operations import verify as operation
from reconciler.operations.verify import VerifyResult, verify
from reconciler.settings import Settings
from testing.shops.double import ADMIN_SECRET, OWN_LABEL, ShopDouble, admin_secret, kube_at
from testing.shops.woocommerce_double import CATALOGUE, CHECKOUT, ORDER, woocommerce_shop

pytestmark = pytest.mark.anyio

SPEC = {"storeId": "shop-1", "engine": "woocommerce", "host": "shop-1.test"}


@pytest.fixture
def shop() -> ShopDouble:
    """A shop and the Secret of its administrator account."""
    secret = admin_secret(OWN_LABEL, username="admin", password="s3cret")
    return woocommerce_shop().with_responses({ADMIN_SECRET: secret})


async def result_of(shop: ShopDouble, folder: Path) -> VerifyResult:
    """Verify the store of the shop."""
    async with shop as visitor:
        address = visitor.endpoint.address
        async with kube_at(address, folder) as kube:
            return await verify(kube, Settings(storefront_address=address), SPEC)


async def test_a_shop_that_takes_an_order_sells(shop: ShopDouble, tmp_path: Path) -> None:
    result = await result_of(shop, tmp_path)
    assert (result.ok, result.order, result.total) == (True, "12", "14.90 EUR")
    assert result.message == "Store shop-1 sells: test order 12 (14.90 EUR) was placed and removed."
    assert [stage.name for stage in result.stages][-1] == "clean-up"


async def test_a_shop_without_a_product_is_a_failure_before_any_order(shop: ShopDouble, tmp_path: Path) -> None:
    result = await result_of(shop.with_responses({CATALOGUE: []}), tmp_path)
    assert not result.ok
    assert result.message == "Verification of store shop-1 failed: the shop works but has no product for sale."
    assert [method for method, _ in shop.routes() if method != "GET"] == []


async def test_a_store_without_an_account_is_a_failure_before_any_order(shop: ShopDouble, tmp_path: Path) -> None:
    del shop.responses[ADMIN_SECRET]
    result = await result_of(shop, tmp_path)
    assert result.message == ("Verification of store shop-1 failed: Secret store-shop-1/store-admin not found.")
    assert [method for method, _ in shop.routes() if method != "GET"] == []


async def test_a_cause_that_ends_with_a_full_stop_gets_no_second_one(shop: ShopDouble, tmp_path: Path) -> None:
    shop.statuses[CATALOGUE] = 500
    shop.responses[CATALOGUE] = {"message": "Closed for today."}
    result = await result_of(shop, tmp_path)
    assert result.message.endswith("returned 500: Closed for today.")


async def test_an_order_that_could_not_be_removed_is_named(shop: ShopDouble, tmp_path: Path) -> None:
    shop.statuses["DELETE", ORDER] = 500
    shop.responses["DELETE", ORDER] = {"message": "disk full"}
    result = await result_of(shop, tmp_path)
    assert CHECKOUT in shop.routes()
    assert result.message == (
        f"Verification of store shop-1 failed: DELETE {ORDER}?force=true returned 500: disk full."
        " The test order was not removed: order 12 is processing."
    )


async def test_a_shop_that_is_too_slow_is_a_failure(
    shop: ShopDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation, "VERIFY_SECONDS", 0.0)
    result = await result_of(shop, tmp_path)
    assert result.message == "Verification of store shop-1 failed: timed out after 0 s."
