"""A Medusa shop: our storefront and its configuration, the Store API for shoppers, the Admin API for the merchant.

Medusa keeps every order for ever, so a verification's is cancelled, which puts the stock back, and archived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.engines.engine import SHOPPER, Administrator, Offer, Receipt
from reconciler.engines.session import Service
from urumi.errors import ShopError

if TYPE_CHECKING:
    from reconciler.engines.session import ShopSession

STOREFRONT = Service("storefront", 80)
BACKEND = Service("backend", 9000)
PAGE_SIZE = 20
# Medusa's provider for payment outside the shop, which ours shows as cash on delivery.
CASH_ON_DELIVERY = "pp_system_default"


class MedusaShop:
    """The shop of a Medusa store."""

    async def find_offer(self, visit: ShopSession) -> Offer | None:
        """Walk over the storefront and its configuration to a product with a price."""
        with visit.stage("storefront"):
            await visit.page(STOREFRONT, "/")
            key = await _shopper_key(visit)
        with visit.stage("catalogue") as found:
            region = await _region(visit, key)
            query = f"limit={PAGE_SIZE}&region_id={region['id']}&fields=title,*variants.calculated_price"
            products = (await visit.json(BACKEND, "GET", f"/store/products?{query}", headers=key)).content["products"]
            offers = [offer for product in products for offer in _offers(product, region, key)]
            found.append(offers[0].sentence() if offers else f"{len(products)} products, none with a price")
        return offers[0] if offers else None

    async def buy(self, visit: ShopSession, offer: Offer, administrator: Administrator) -> Receipt:
        """Order it through the Store API, then cancel and archive it as the merchant."""
        shopper, region = offer.item["key"], offer.item["region"]
        with visit.stage("admin login") as found:
            merchant = await _sign_in(visit, administrator)
            found.append(f"as {administrator.email}")
        with visit.stage("cart"):
            cart = await _fill_cart(visit, shopper, region, offer.item["variant"])
        with visit.stage("shipping") as found:
            found.append(await _choose_shipping(visit, shopper, cart))
        with visit.stage("payment"):
            await _choose_cash(visit, shopper, cart)
        with visit.stage("checkout") as found:
            order = await _complete(visit, shopper, cart)
            total = _money(order["total"], order["currency_code"])
            found.append(f"order {order['display_id']}, {total}")
        with visit.stage("merchant's view") as found:
            path = f"/admin/orders/{order['id']}"
            seen = (await visit.json(BACKEND, "GET", path, headers=merchant)).content["order"]
            found.append(f"order {seen['display_id']} is {seen['payment_status']}")
        with visit.stage("clean-up"):
            await visit.json(BACKEND, "POST", f"{path}/cancel", body={}, headers=merchant)
            await visit.json(BACKEND, "POST", f"{path}/archive", body={}, headers=merchant)
        return Receipt(str(order["display_id"]), total)


async def _shopper_key(visit: ShopSession) -> dict[str, str]:
    """Return the header that the storefront's configuration gives to every shopper."""
    config = (await visit.json(STOREFRONT, "GET", "/config.json")).content
    key = config.get("publishableKey") if isinstance(config, dict) else None
    if not key:
        raise ShopError("the storefront's /config.json has no publishableKey")
    return {"x-publishable-api-key": str(key)}


async def _region(visit: ShopSession, key: dict[str, str]) -> Any:
    regions = (await visit.json(BACKEND, "GET", "/store/regions", headers=key)).content["regions"]
    if not regions:
        raise ShopError("the shop has no region to sell in")
    return regions[0]


def _offers(product: Any, region: Any, key: dict[str, str]) -> list[Offer]:
    found = []
    for variant in product.get("variants") or ():
        price = variant.get("calculated_price") or {}
        if price.get("calculated_amount"):
            item = {"variant": variant["id"], "region": region, "key": key}
            money = _money(price["calculated_amount"], price["currency_code"])
            found.append(Offer(item, str(product["title"]), money))
    return found


def _money(amount: float, currency: str) -> str:
    return f"{amount:.2f} {currency.upper()}"


async def _sign_in(visit: ShopSession, administrator: Administrator) -> dict[str, str]:
    body = {"email": administrator.email, "password": administrator.password}
    reply = await visit.json(BACKEND, "POST", "/auth/user/emailpass", body=body, expected=(200, 401))
    if reply.status == 401:
        raise ShopError(f"the login of {administrator.email!r} was refused; was the password changed in the shop?")
    return {"Authorization": f"Bearer {reply.content['token']}"}


async def _fill_cart(visit: ShopSession, shopper: dict[str, str], region: Any, variant: str) -> str:
    async def post(path: str, body: Any) -> Any:
        return (await visit.json(BACKEND, "POST", path, body=body, headers=shopper)).content["cart"]

    countries = region.get("countries") or [{"iso_2": "dk"}]
    address = {
        "first_name": SHOPPER["first_name"],
        "last_name": SHOPPER["last_name"],
        "address_1": "1 Verification Road",
        "city": "Capital",
        "postal_code": "10000",
        "country_code": countries[0]["iso_2"],
    }
    cart = str((await post("/store/carts", {"region_id": region["id"], "email": SHOPPER["email"]}))["id"])
    await post(f"/store/carts/{cart}/line-items", {"variant_id": variant, "quantity": 1})
    await post(f"/store/carts/{cart}", {"shipping_address": address, "billing_address": address})
    return cart


async def _choose_shipping(visit: ShopSession, shopper: dict[str, str], cart: str) -> str:
    path = f"/store/shipping-options?cart_id={cart}"
    options = (await visit.json(BACKEND, "GET", path, headers=shopper)).content["shipping_options"]
    if not options:
        raise ShopError("the shop has no way to ship to its own region")
    body = {"option_id": options[0]["id"]}
    await visit.json(BACKEND, "POST", f"/store/carts/{cart}/shipping-methods", body=body, headers=shopper)
    return str(options[0]["name"])


async def _choose_cash(visit: ShopSession, shopper: dict[str, str], cart: str) -> None:
    body = {"cart_id": cart}
    made = await visit.json(BACKEND, "POST", "/store/payment-collections", body=body, headers=shopper)
    path = f"/store/payment-collections/{made.content['payment_collection']['id']}/payment-sessions"
    await visit.json(BACKEND, "POST", path, body={"provider_id": CASH_ON_DELIVERY}, headers=shopper)


async def _complete(visit: ShopSession, shopper: dict[str, str], cart: str) -> Any:
    done = (await visit.json(BACKEND, "POST", f"/store/carts/{cart}/complete", body={}, headers=shopper)).content
    if done.get("type") != "order":
        why = (done.get("error") or {}).get("message") or "no reason given"
        raise ShopError(f"the cart did not become an order: {why}")
    return done["order"]
