"""The decisions of the engine WooCommerce, against fixed responses; tests/shops/woocommerce runs the real shop."""

from typing import Any

import pytest

from reconciler.engines.engine import Administrator, Offer, Receipt
from reconciler.engines.woocommerce import DEFINITION
from testing.shops.double import ShopDouble
from testing.shops.woocommerce_double import (
    ADD_ITEM,
    CATALOGUE,
    CHECKOUT,
    HEALTH,
    LOGIN,
    MUG,
    ORDER,
    setting,
    woocommerce_shop,
)
from urumi.errors import ShopError

pytestmark = pytest.mark.anyio

ADMINISTRATOR = Administrator("admin", "admin@shop-1.test", "s3cret")
OFFER = Offer(7, "Demo mug", "9.90 EUR")


@pytest.fixture
def shop() -> ShopDouble:
    """A shop that sells one mug, in Karnataka."""
    return woocommerce_shop()


async def test_the_offer_is_the_first_product_that_can_be_bought(shop: ShopDouble) -> None:
    async with shop as session:
        assert await DEFINITION.find_offer(session) == OFFER
    assert {call.headers["Host"] for call in shop.calls} == {"shop-1.test"}
    assert {call.headers["X-Forwarded-Proto"] for call in shop.calls} == {"https"}


@pytest.mark.parametrize(
    "difference",
    [
        pytest.param({"is_purchasable": False}, id="not for sale"),
        pytest.param({"is_in_stock": False}, id="out of stock"),
        pytest.param({"has_options": True}, id="needs a choice"),
        pytest.param({"prices": {"price": "0", "currency_code": "EUR"}}, id="free"),
        pytest.param({"prices": {"price": "", "currency_code": "EUR"}}, id="no price"),
    ],
)
async def test_a_product_that_does_not_test_the_checkout_is_skipped(
    shop: ShopDouble, difference: dict[str, Any]
) -> None:
    async with shop.with_responses({CATALOGUE: [MUG | {"id": 6} | difference, MUG]}) as session:
        assert await DEFINITION.find_offer(session) == OFFER
    shop.calls.clear()
    async with shop.with_responses({CATALOGUE: [MUG | difference]}) as session:
        assert await DEFINITION.find_offer(session) is None
        assert session.stages[-1].message == "1 products, none that can be bought"


async def test_a_catalogue_that_is_no_list_is_a_failure(shop: ShopDouble) -> None:
    async with shop.with_responses({CATALOGUE: {"code": "closed"}}) as session:
        with pytest.raises(ShopError, match="the catalogue should be a list, got"):
            await DEFINITION.find_offer(session)


async def test_an_order_is_placed_looked_up_cancelled_and_deleted(shop: ShopDouble) -> None:
    async with shop as session:
        assert await DEFINITION.buy(session, OFFER, ADMINISTRATOR) == Receipt("12", "14.90 EUR")
        assert all(stage.ok for stage in session.stages)
    assert shop.routes()[-4:] == [CHECKOUT, ("GET", ORDER), ("PUT", ORDER), ("DELETE", ORDER)]
    assert "log=admin&pwd=s3cret" in shop.call(*LOGIN).body
    assert shop.call(*CHECKOUT).headers["Cart-Token"] == "cart-1"
    assert shop.call("DELETE", ORDER).headers["X-WP-Nonce"] == '"nonce"'
    assert "signed-in=yes" in shop.call("DELETE", ORDER).headers["Cookie"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"default_country": "IN:KA"}, ("Bengaluru", "KA", "560001", "IN"), id="known country"),
        pytest.param({"default_country": "US:TX"}, ("New York", "TX", "10001", "US"), id="own state"),
        pytest.param({"default_country": "DK"}, ("Capital", "", "", "DK"), id="unknown country"),
        pytest.param(
            {"default_country": "DE", "store_postcode": "50667", "store_city": "Köln"},
            ("Köln", "DE-BE", "50667", "DE"),
            id="own address",
        ),
    ],
)
async def test_the_order_goes_to_an_address_that_the_shop_delivers_to(
    shop: ShopDouble, settings: dict[str, str], expected: tuple[str, ...]
) -> None:
    async with shop.with_responses({setting(name): {"value": value} for name, value in settings.items()}) as session:
        await DEFINITION.buy(session, OFFER, ADMINISTRATOR)
    address = shop.call(*CHECKOUT).body["shipping_address"]
    assert tuple(address[name] for name in ("city", "state", "postcode", "country")) == expected


@pytest.mark.parametrize(
    ("route", "status", "response", "stage", "message"),
    [
        (HEALTH, 503, {"problems": ["Cash on delivery is off."]}, "health", "Cash on delivery is off."),
        (LOGIN, 200, {}, "admin login", "sign-in as 'admin' refused; was the password changed in the shop?"),
        (
            ("POST", "/wp-admin/admin-ajax.php"),
            400,
            "0",
            "admin login",
            "the administration pages returned 400 to a signed-in administrator",
        ),
        (
            ADD_ITEM,
            200,
            {"payment_methods": ["stripe"]},
            "cart",
            "the shop should offer cash on delivery (cod), it offers stripe",
        ),
        (
            CHECKOUT,
            200,
            {"order_id": 12, "payment_result": {"payment_status": "pending"}},
            "checkout",
            "the payment of order 12 should be a success, got 'pending'",
        ),
        (
            ("PUT", ORDER),
            500,
            {"message": "disk full"},
            "clean-up",
            f"PUT {ORDER} returned 500: disk full",
        ),
    ],
    ids=["health", "login", "nonce", "no cash on delivery", "payment", "clean-up"],
)
async def test_a_failure_names_its_stage_and_its_cause(
    shop: ShopDouble, route: tuple[str, str], status: int, response: Any, stage: str, message: str
) -> None:
    shop.statuses[route] = status
    async with shop.with_responses({route: response}) as session:
        with pytest.raises(ShopError) as failure:
            await DEFINITION.buy(session, OFFER, ADMINISTRATOR)
    last = session.stages[-1]
    assert (last.name, last.ok, last.message) == (stage, False, message)
    assert failure.value.message == message


def test_the_administrator_signs_in_by_name() -> None:
    assert DEFINITION.login(ADMINISTRATOR) == "admin"
