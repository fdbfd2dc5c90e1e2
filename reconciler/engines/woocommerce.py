"""A WooCommerce shop: the Store API for shoppers, WordPress's own login and REST API for the merchant.

The merchant's part goes by the login form and a REST nonce, as the admin pages do: WordPress takes no password on its
REST API, and application passwords need https. An order is cancelled before it is deleted, which puts the stock back.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from reconciler.engines.engine import SHOPPER, Administrator, Offer, Receipt
from reconciler.engines.session import Service
from urumi.errors import ShopError

if TYPE_CHECKING:
    from reconciler.engines.session import ShopSession

WORDPRESS = Service("wordpress", 80)
STORE_API = "/wp-json/wc/store/v1"
ADMIN_API = "/wp-json/wc/v3"
PAGE_SIZE = 20
# City, state and postcode that a checkout of the country accepts, for shops that do not say where they are.
PLACES = {
    "DE": ("Berlin", "DE-BE", "10115"),
    "FR": ("Paris", "", "75001"),
    "GB": ("London", "", "SW1A 1AA"),
    "IN": ("Bengaluru", "KA", "560001"),
    "US": ("New York", "NY", "10001"),
}


class WooCommerceShop:
    """The shop of a WooCommerce store."""

    async def find_offer(self, visit: ShopSession) -> Offer | None:
        """Walk over the front page and the catalogue to a product that can be bought."""
        with visit.stage("front page"):
            await visit.page(WORDPRESS, "/")
        with visit.stage("catalogue") as found:
            reply = await visit.json(WORDPRESS, "GET", f"{STORE_API}/products?per_page={PAGE_SIZE}")
            products = _of_type(reply.content, list, "the catalogue")
            offers = [_offer(product) for product in products if _is_buyable(product)]
            found.append(offers[0].sentence() if offers else f"{len(products)} products, none that can be bought")
        return offers[0] if offers else None

    async def buy(self, visit: ShopSession, offer: Offer, administrator: Administrator) -> Receipt:
        """Order it through the Store API, then cancel and delete it as the merchant."""
        with visit.stage("health"):
            await _check_health(visit)
        with visit.stage("admin login") as found:
            merchant = await _sign_in(visit, administrator)
            found.append(f"as {administrator.username}")
        address = await _address(visit, merchant)
        with visit.stage("cart") as found:
            shopper, total = await _fill_cart(visit, offer)
            found.append(total)
        with visit.stage("checkout") as found:
            number, status = await _check_out(visit, shopper, address)
            found.append(f"order {number} is {status}")
        with visit.stage("merchant's view") as found:
            order = (await visit.json(WORDPRESS, "GET", f"{ADMIN_API}/orders/{number}", headers=merchant)).content
            found.append(f"order {order['number']}, {order['payment_method_title']}")
        with visit.stage("clean-up"):
            path = f"{ADMIN_API}/orders/{number}"
            await visit.json(WORDPRESS, "PUT", path, body={"status": "cancelled"}, headers=merchant)
            await visit.json(WORDPRESS, "DELETE", f"{path}?force=true", headers=merchant)
        return Receipt(str(number), total)


@dataclass(frozen=True, slots=True)
class _Address:
    city: str
    state: str
    postcode: str
    country: str

    def fields(self) -> dict[str, str]:
        names = {name: SHOPPER[name] for name in ("first_name", "last_name", "phone")}
        street = {"address_1": "1 Verification Road", "city": self.city, "state": self.state}
        return {**names, **street, "postcode": self.postcode, "country": self.country}


async def _check_health(visit: ShopSession) -> None:
    """Ask the check of our own plugin, which knows what its owner switched off."""
    reply = await visit.json(WORDPRESS, "GET", "/?urumi-healthz", expected=(200, 503))
    if reply.status != 200:
        raise ShopError(" ".join(reply.content["problems"]))


def _is_buyable(product: Any) -> bool:
    # Free goods are given away, not sold; a product with options needs a choice first.
    return (
        bool(product.get("is_purchasable") and product.get("is_in_stock"))
        and not product.get("has_options")
        and int(product["prices"]["price"] or 0) > 0
    )


def _offer(product: Any) -> Offer:
    return Offer(product["id"], str(product["name"]), _money(product["prices"], "price"))


def _money(amounts: Any, name: str) -> str:
    digits = int(amounts.get("currency_minor_unit", 2))
    return f"{Decimal(amounts[name]).scaleb(-digits):.{digits}f} {amounts['currency_code']}"


def _of_type(content: Any, kind: type, what: str) -> Any:
    if not isinstance(content, kind):
        raise ShopError(f"{what} should be a {kind.__name__}, got {str(content)[:100]!r}")
    return content


async def _sign_in(visit: ShopSession, administrator: Administrator) -> dict[str, str]:
    """Return the headers with which the merchant's API takes a call."""
    fields = {"log": administrator.username, "pwd": administrator.password, "rememberme": "forever"}
    reply = await visit.form(WORDPRESS, "/wp-login.php", fields)
    if reply.status != 302:
        raise ShopError(f"the login of {administrator.username!r} was refused; was the password changed in the shop?")
    nonce = await visit.form(WORDPRESS, "/wp-admin/admin-ajax.php?action=rest-nonce", {})
    if nonce.status != 200:
        raise ShopError(f"a signed-in administrator got {nonce.status} from the admin pages")
    return {"X-WP-Nonce": str(nonce.content).strip()}


async def _address(visit: ShopSession, merchant: dict[str, str]) -> _Address:
    """Return the shop's own address, as it surely delivers to where it is."""

    async def setting(name: str) -> str:
        path = f"{ADMIN_API}/settings/general/woocommerce_{name}"
        return str((await visit.json(WORDPRESS, "GET", path, headers=merchant)).content.get("value") or "")

    country, _, state = (await setting("default_country")).partition(":")
    city, usual_state, postcode = PLACES.get(country, ("Capital", "", ""))
    known_postcode = await setting("store_postcode")
    if known_postcode:
        city, postcode = await setting("store_city") or city, known_postcode
    return _Address(city, state or usual_state, postcode, country)


async def _fill_cart(visit: ShopSession, offer: Offer) -> tuple[dict[str, str], str]:
    """Return the headers that are the shopper's cart, and its total."""
    cart = await visit.json(WORDPRESS, "GET", f"{STORE_API}/cart")
    shopper = {name: cart.headers[name] for name in ("Cart-Token", "Nonce") if name in cart.headers}
    item = {"id": offer.item, "quantity": 1}
    path = f"{STORE_API}/cart/add-item"
    filled = (await visit.json(WORDPRESS, "POST", path, body=item, headers=shopper, expected=(200, 201))).content
    if "cod" not in filled.get("payment_methods", ()):
        offered = ", ".join(filled.get("payment_methods", ())) or "none"
        raise ShopError(f"the shop should offer cash on delivery (cod), it offers {offered}")
    return shopper, _money(filled["totals"], "total_price")


async def _check_out(visit: ShopSession, shopper: dict[str, str], address: _Address) -> tuple[int, str]:
    body = {
        "billing_address": {**address.fields(), "email": SHOPPER["email"]},
        "shipping_address": address.fields(),
        "payment_method": "cod",
        "payment_data": [],
    }
    placed = (await visit.json(WORDPRESS, "POST", f"{STORE_API}/checkout", body=body, headers=shopper)).content
    payment = (placed.get("payment_result") or {}).get("payment_status")
    if payment != "success":
        raise ShopError(f"the payment of order {placed.get('order_id')} should be a success, it is {payment!r}")
    return int(placed["order_id"]), str(placed["status"])
