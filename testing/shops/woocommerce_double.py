"""A WooCommerce shop of fixed responses that sells one mug and takes one order, number 12."""

from typing import Any

from reconciler.engines.woocommerce import ADMIN_API, STORE_API
from testing.shops.double import ShopDouble

MUG: dict[str, Any] = {
    "id": 7,
    "name": "Demo mug",
    "is_purchasable": True,
    "is_in_stock": True,
    "has_options": False,
    "prices": {"price": "990", "currency_code": "EUR", "currency_minor_unit": 2},
}
CATALOGUE = ("GET", f"{STORE_API}/products")
HEALTH = ("GET", "/")
LOGIN = ("POST", "/wp-login.php")
ADD_ITEM = ("POST", f"{STORE_API}/cart/add-item")
CHECKOUT = ("POST", f"{STORE_API}/checkout")
ORDER = f"{ADMIN_API}/orders/12"


def setting(name: str) -> tuple[str, str]:
    """Return the route of a setting of the shop."""
    return ("GET", f"{ADMIN_API}/settings/general/woocommerce_{name}")


def woocommerce_shop() -> ShopDouble:
    """Return a shop that sells one mug, in Karnataka."""
    return ShopDouble(
        {
            HEALTH: {"problems": []},
            CATALOGUE: [MUG],
            LOGIN: {},
            ("POST", "/wp-admin/admin-ajax.php"): "nonce",
            setting("default_country"): {"value": "IN:KA"},
            setting("store_postcode"): {"value": ""},
            setting("store_city"): {"value": ""},
            ("GET", f"{STORE_API}/cart"): {},
            ADD_ITEM: {
                "payment_methods": ["cod"],
                "totals": {"total_price": "1490", "currency_code": "EUR", "currency_minor_unit": 2},
            },
            CHECKOUT: {"order_id": 12, "status": "processing", "payment_result": {"payment_status": "success"}},
            ("GET", ORDER): {"number": "12", "payment_method_title": "Cash on delivery"},
            ("PUT", ORDER): {},
            ("DELETE", ORDER): {},
        },
        statuses={LOGIN: 302},
        headers={LOGIN: {"Set-Cookie": "signed-in=yes"}, ("GET", f"{STORE_API}/cart"): {"Cart-Token": "cart-1"}},
    )
