"""The decisions of the engine Medusa, against fixed responses; tests/shops/medusa runs the real shop."""

from typing import Any

import pytest

from reconciler.engines.engine import Administrator, Offer, Receipt
from reconciler.engines.medusa import DEFINITION
from testing.shops.double import ShopDouble
from urumi.errors import ShopError

pytestmark = pytest.mark.anyio

ADMINISTRATOR = Administrator("admin", "admin@shop-1.test", "s3cret")
SHOPPER = {"x-publishable-api-key": "pk_1"}
REGION = {"id": "reg_1", "countries": [{"iso_2": "in"}]}
OFFER = Offer({"variant": "var_2", "region": REGION, "shopper": SHOPPER}, "Mug", "12.00 EUR")
CONFIG = ("GET", "/config.json")
REGIONS = ("GET", "/store/regions")
PRODUCTS = ("GET", "/store/products")
LOGIN = ("POST", "/auth/user/emailpass")
CART = ("POST", "/store/carts/cart_1")
SHIPPING = ("GET", "/store/shipping-options")
COMPLETE = ("POST", "/store/carts/cart_1/complete")


def product(*prices: float | None) -> dict[str, Any]:
    """A product with one variant for each price."""
    variants = [
        {"id": f"var_{number}", "calculated_price": price and {"calculated_amount": price, "currency_code": "eur"}}
        for number, price in enumerate(prices, start=1)
    ]
    return {"title": "Mug", "variants": variants}


@pytest.fixture
def shop() -> ShopDouble:
    """A shop that sells one mug, in India."""
    order = {"id": "order_1", "display_id": 4, "total": 17, "currency_code": "eur", "payment_status": "authorized"}
    return ShopDouble(
        {
            ("GET", "/"): "",
            CONFIG: {"publishableKey": "pk_1"},
            REGIONS: {"regions": [REGION]},
            PRODUCTS: {"products": [product(None, 12)]},
            LOGIN: {"token": "jwt-1"},
            ("POST", "/store/carts"): {"cart": {"id": "cart_1"}},
            ("POST", "/store/carts/cart_1/line-items"): {"cart": {"id": "cart_1"}},
            CART: {"cart": {"id": "cart_1"}},
            SHIPPING: {"shipping_options": [{"id": "so_1", "name": "Standard"}]},
            ("POST", "/store/carts/cart_1/shipping-methods"): {},
            ("POST", "/store/payment-collections"): {"payment_collection": {"id": "pay_1"}},
            ("POST", "/store/payment-collections/pay_1/payment-sessions"): {},
            COMPLETE: {"type": "order", "order": order},
            ("GET", "/admin/orders/order_1"): {"order": order},
            ("POST", "/admin/orders/order_1/cancel"): {},
            ("POST", "/admin/orders/order_1/archive"): {},
        }
    )


async def test_the_offer_is_the_first_variant_with_a_price(shop: ShopDouble) -> None:
    async with shop as session:
        assert await DEFINITION.find_offer(session) == OFFER
    assert shop.call(*PRODUCTS).headers["x-publishable-api-key"] == "pk_1"


@pytest.mark.parametrize(
    "products", [[], [product()], [product(None)], [product(0)]], ids=["none", "no variant", "no price", "free"]
)
async def test_a_shop_without_a_price_sells_nothing(shop: ShopDouble, products: list[Any]) -> None:
    async with shop.with_responses({PRODUCTS: {"products": products}}) as session:
        assert await DEFINITION.find_offer(session) is None
        assert session.stages[-1].message == f"{len(products)} products, none with a price"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({CONFIG: {}}, "the storefront's /config.json has no publishableKey", id="no key"),
        pytest.param({CONFIG: []}, "the storefront's /config.json has no publishableKey", id="no object"),
        pytest.param({REGIONS: {"regions": []}}, "the shop has no sales region", id="no region"),
        pytest.param({REGIONS: {}}, "catalogue: unexpected response from the shop (KeyError: 'regions')", id="no list"),
    ],
)
async def test_a_shop_that_is_not_set_up_is_a_failure(
    shop: ShopDouble, changes: dict[tuple[str, str], Any], message: str
) -> None:
    async with shop.with_responses(changes) as session:
        with pytest.raises(ShopError) as failure:
            await DEFINITION.find_offer(session)
    assert failure.value.message == session.stages[-1].message == message


async def test_an_order_is_placed_looked_up_cancelled_and_archived(shop: ShopDouble) -> None:
    async with shop as session:
        assert await DEFINITION.buy(session, OFFER, ADMINISTRATOR) == Receipt("4", "17.00 EUR")
        assert all(stage.ok for stage in session.stages)
    assert shop.call(*LOGIN).body == {"email": "admin@shop-1.test", "password": "s3cret"}
    assert shop.call(*CART).body["shipping_address"]["country_code"] == "in"
    assert shop.routes()[-4:] == [
        COMPLETE,
        ("GET", "/admin/orders/order_1"),
        ("POST", "/admin/orders/order_1/cancel"),
        ("POST", "/admin/orders/order_1/archive"),
    ]
    assert shop.call("POST", "/admin/orders/order_1/cancel").headers["Authorization"] == "Bearer jwt-1"


@pytest.mark.parametrize(
    ("route", "status", "response", "stage", "message"),
    [
        (
            LOGIN,
            401,
            {},
            "admin login",
            "sign-in as 'admin@shop-1.test' refused; was the password changed in the shop?",
        ),
        (SHIPPING, 200, {"shipping_options": []}, "shipping", "the shop has no shipping option for its own region"),
        (
            COMPLETE,
            200,
            {"type": "cart", "error": {"message": "out of stock"}},
            "checkout",
            "the cart did not become an order: out of stock",
        ),
        (COMPLETE, 200, {"type": "cart"}, "checkout", "the cart did not become an order: no reason given"),
    ],
    ids=["login", "no shipping", "no order", "no order and no reason"],
)
async def test_a_failure_names_its_stage_and_its_cause(
    shop: ShopDouble, route: tuple[str, str], status: int, response: Any, stage: str, message: str
) -> None:
    shop.statuses[route] = status
    async with shop.with_responses({route: response}) as session:
        with pytest.raises(ShopError):
            await DEFINITION.buy(session, OFFER, ADMINISTRATOR)
    last = session.stages[-1]
    assert (last.name, last.ok, last.message) == (stage, False, message)


def test_the_administrator_signs_in_by_e_mail() -> None:
    assert DEFINITION.login(ADMINISTRATOR) == "admin@shop-1.test"
