"""WooCommerce: WordPress with the WooCommerce plugin and a MariaDB.

A shopper uses the front page and the Store API. The administrator signs in through the login form and calls the REST
API with a nonce, as the administration pages do: WordPress accepts no password on its REST API, and application
passwords require https. A test order is cancelled before it is deleted, because cancelling returns the stock.
"""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from reconciler.engines.engine import SHOPPER, Administrator, EngineDefinition, Offer, Receipt
from reconciler.engines.secret_values import new_key, new_password
from reconciler.engines.session import Service
from reconciler.kube.resources import DEPLOYMENTS, STATEFUL_SETS
from urumi.errors import ShopError

if TYPE_CHECKING:
    from reconciler.engines.session import ShopSession

WORDPRESS = Service("wordpress", 80)
STORE_API = "/wp-json/wc/store/v1"
ADMIN_API = "/wp-json/wc/v3"
PAGE_SIZE = 20
# City, state and postcode that the checkout accepts in a country, for shops without an address of their own.
PLACES = {
    "DE": ("Berlin", "DE-BE", "10115"),
    "FR": ("Paris", "", "75001"),
    "GB": ("London", "", "SW1A 1AA"),
    "IN": ("Bengaluru", "KA", "560001"),
    "US": ("New York", "NY", "10001"),
}


class WooCommerce(EngineDefinition):
    """The engine WooCommerce."""

    chart = "woocommerce"
    admin_path = "/wp-admin/"
    signs_in_by_email = False
    workloads = ((STATEFUL_SETS, "mariadb"), (DEPLOYMENTS, "wordpress"))
    databases = MappingProxyType({"mariadb": 3306})
    components_without_database = ()
    generated_secrets = MappingProxyType(
        {
            "database-password": new_password,
            "database-root-password": new_password,
            **{
                f"wordpress-{name}-{part}": new_key
                for part in ("key", "salt")
                for name in ("auth", "secure-auth", "logged-in", "nonce")
            },
        }
    )

    async def find_offer(self, session: ShopSession) -> Offer | None:
        """Request the front page and the catalogue; the first product that can be bought is the offer."""
        with session.stage("front page"):
            await session.page(WORDPRESS, "/")
        with session.stage("catalogue") as found:
            path = f"{STORE_API}/products?per_page={PAGE_SIZE}"
            products = (await session.json(WORDPRESS, "GET", path)).content
            if not isinstance(products, list):
                raise ShopError(f"the catalogue should be a list, got {str(products)[:100]!r}")
            offers = [
                Offer(product["id"], str(product["name"]), _money(product["prices"], "price"))
                for product in products
                if _is_buyable(product)
            ]
            found.append(offers[0].sentence() if offers else f"{len(products)} products, none that can be bought")
        return offers[0] if offers else None

    async def buy(self, session: ShopSession, offer: Offer, administrator: Administrator) -> Receipt:
        """Order through the Store API, then cancel and delete the order as the administrator."""
        with session.stage("health"):
            # The check of our own plugin also reports what the owner switched off.
            reply = await session.json(WORDPRESS, "GET", "/?urumi-healthz", expected=(200, 503))
            if reply.status != 200:
                raise ShopError(" ".join(reply.content["problems"]))
        with session.stage("admin login") as found:
            merchant = await _sign_in(session, self.login(administrator), administrator.password)
            found.append(f"as {self.login(administrator)}")
        address = await _address(session, merchant)
        with session.stage("cart") as found:
            shopper, total = await _fill_cart(session, offer)
            found.append(total)
        with session.stage("checkout") as found:
            number, status = await _check_out(session, shopper, address)
            found.append(f"order {number} is {status}")
        path = f"{ADMIN_API}/orders/{number}"
        with session.stage("merchant's view") as found:
            order = (await session.json(WORDPRESS, "GET", path, headers=merchant)).content
            found.append(f"order {order['number']}, {order['payment_method_title']}")
        with session.stage("clean-up"):
            await session.json(WORDPRESS, "PUT", path, body={"status": "cancelled"}, headers=merchant)
            await session.json(WORDPRESS, "DELETE", f"{path}?force=true", headers=merchant)
        return Receipt(str(number), total)


DEFINITION = WooCommerce()


def _is_buyable(product: Any) -> bool:
    # A free product needs no payment, and a product with options needs a choice, so neither tests the checkout.
    return (
        bool(product.get("is_purchasable") and product.get("is_in_stock"))
        and not product.get("has_options")
        and int(product["prices"]["price"] or 0) > 0
    )


def _money(amounts: Any, name: str) -> str:
    digits = int(amounts.get("currency_minor_unit", 2))
    return f"{Decimal(amounts[name]).scaleb(-digits):.{digits}f} {amounts['currency_code']}"


async def _sign_in(session: ShopSession, username: str, password: str) -> dict[str, str]:
    """Return the headers that the REST API accepts."""
    fields = {"log": username, "pwd": password, "rememberme": "forever"}
    reply = await session.form(WORDPRESS, "/wp-login.php", fields)
    if reply.status != 302:
        raise ShopError(f"sign-in as {username!r} refused; was the password changed in the shop?")
    nonce = await session.form(WORDPRESS, "/wp-admin/admin-ajax.php?action=rest-nonce", {})
    if nonce.status != 200:
        raise ShopError(f"the administration pages returned {nonce.status} to a signed-in administrator")
    return {"X-WP-Nonce": str(nonce.content).strip()}


async def _address(session: ShopSession, merchant: dict[str, str]) -> dict[str, str]:
    """Return an address in the shop's own country, which every shop delivers to."""

    async def setting(name: str) -> str:
        path = f"{ADMIN_API}/settings/general/woocommerce_{name}"
        return str((await session.json(WORDPRESS, "GET", path, headers=merchant)).content.get("value") or "")

    country, _, state = (await setting("default_country")).partition(":")
    city, usual_state, postcode = PLACES.get(country, ("Capital", "", ""))
    own_postcode = await setting("store_postcode")
    if own_postcode:
        city, postcode = await setting("store_city") or city, own_postcode
    return {
        **{name: SHOPPER[name] for name in ("first_name", "last_name", "phone")},
        "address_1": "1 Verification Road",
        "city": city,
        "state": state or usual_state,
        "postcode": postcode,
        "country": country,
    }


async def _fill_cart(session: ShopSession, offer: Offer) -> tuple[dict[str, str], str]:
    """Return the headers that identify the shopper's cart, and its total."""
    cart = await session.json(WORDPRESS, "GET", f"{STORE_API}/cart")
    shopper = {name: cart.headers[name] for name in ("Cart-Token", "Nonce") if name in cart.headers}
    item = {"id": offer.item, "quantity": 1}
    path = f"{STORE_API}/cart/add-item"
    filled = (await session.json(WORDPRESS, "POST", path, body=item, headers=shopper, expected=(200, 201))).content
    if "cod" not in filled.get("payment_methods", ()):
        offered = ", ".join(filled.get("payment_methods", ())) or "none"
        raise ShopError(f"the shop should offer cash on delivery (cod), it offers {offered}")
    return shopper, _money(filled["totals"], "total_price")


async def _check_out(session: ShopSession, shopper: dict[str, str], address: dict[str, str]) -> tuple[int, str]:
    """Place the order; return its number and its status."""
    body = {
        "billing_address": {**address, "email": SHOPPER["email"]},
        "shipping_address": address,
        "payment_method": "cod",
        "payment_data": [],
    }
    placed = (await session.json(WORDPRESS, "POST", f"{STORE_API}/checkout", body=body, headers=shopper)).content
    payment = (placed.get("payment_result") or {}).get("payment_status")
    if payment != "success":
        raise ShopError(f"the payment of order {placed.get('order_id')} should be a success, got {payment!r}")
    return int(placed["order_id"]), str(placed["status"])
