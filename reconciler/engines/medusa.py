"""Medusa: a Node.js backend with PostgreSQL and Redis, and the platform's own storefront.

A shopper uses the storefront, its configuration file and the Store API; the administrator uses the Admin API. Medusa
has no call that deletes an order, so a test order is cancelled, which returns the stock, and then archived.
"""

from __future__ import annotations

import secrets
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from reconciler.engines.engine import SHOPPER, Administrator, EngineDefinition, Offer, Receipt
from reconciler.engines.secret_values import new_key, new_password
from reconciler.engines.session import Service
from reconciler.kube.resources import DEPLOYMENTS, STATEFUL_SETS
from urumi.errors import ShopError

if TYPE_CHECKING:
    from reconciler.engines.session import ShopSession

STOREFRONT = Service("storefront", 80)
BACKEND = Service("backend", 9000)
PAGE_SIZE = 20
# Medusa's provider for payment outside the shop; our storefront shows it as cash on delivery.
CASH_ON_DELIVERY = "pp_system_default"


class Medusa(EngineDefinition):
    """The engine Medusa."""

    chart = "medusa"
    admin_path = "/app"
    signs_in_by_email = True
    workloads = (
        (STATEFUL_SETS, "postgres"),
        (DEPLOYMENTS, "redis"),
        (DEPLOYMENTS, "backend"),
        (DEPLOYMENTS, "storefront"),
    )
    databases = MappingProxyType({"postgres": 5432, "redis": 6379})
    components_without_database = ("storefront",)
    generated_secrets = MappingProxyType(
        {
            "database-password": new_password,
            "jwt-secret": new_key,
            "cookie-secret": new_key,
            "publishable-key": lambda: f"pk_{secrets.token_hex(32)}",
        }
    )

    async def find_offer(self, session: ShopSession) -> Offer | None:
        """Request the storefront, its configuration and the catalogue; the first product with a price is the offer."""
        with session.stage("storefront"):
            await session.page(STOREFRONT, "/")
            config = (await session.json(STOREFRONT, "GET", "/config.json")).content
            key = config.get("publishableKey") if isinstance(config, dict) else None
            if not key:
                raise ShopError("the storefront's /config.json has no publishableKey")
            shopper = {"x-publishable-api-key": str(key)}
        with session.stage("catalogue") as found:
            regions = (await session.json(BACKEND, "GET", "/store/regions", headers=shopper)).content["regions"]
            if not regions:
                raise ShopError("the shop has no sales region")
            query = f"limit={PAGE_SIZE}&region_id={regions[0]['id']}&fields=title,*variants.calculated_price"
            path = f"/store/products?{query}"
            products = (await session.json(BACKEND, "GET", path, headers=shopper)).content["products"]
            offers = [offer for product in products for offer in _offers(product, regions[0], shopper)]
            found.append(offers[0].sentence() if offers else f"{len(products)} products, none with a price")
        return offers[0] if offers else None

    async def buy(self, session: ShopSession, offer: Offer, administrator: Administrator) -> Receipt:
        """Order through the Store API, then cancel and archive the order through the Admin API."""
        shopper, region = offer.item["shopper"], offer.item["region"]
        with session.stage("admin login") as found:
            merchant = await _sign_in(session, self.login(administrator), administrator.password)
            found.append(f"as {self.login(administrator)}")
        with session.stage("cart"):
            cart = await _fill_cart(session, shopper, region, offer.item["variant"])
        with session.stage("shipping") as found:
            found.append(await _choose_shipping(session, shopper, cart))
        with session.stage("payment"):
            path, body = "/store/payment-collections", {"cart_id": cart}
            created = (await session.json(BACKEND, "POST", path, body=body, headers=shopper)).content
            path = f"{path}/{created['payment_collection']['id']}/payment-sessions"
            await session.json(BACKEND, "POST", path, body={"provider_id": CASH_ON_DELIVERY}, headers=shopper)
        with session.stage("checkout") as found:
            path = f"/store/carts/{cart}/complete"
            completed = (await session.json(BACKEND, "POST", path, body={}, headers=shopper)).content
            if completed.get("type") != "order":
                cause = (completed.get("error") or {}).get("message") or "no reason given"
                raise ShopError(f"the cart did not become an order: {cause}")
            order = completed["order"]
            total = _money(order["total"], order["currency_code"])
            found.append(f"order {order['display_id']}, {total}")
        with session.stage("merchant's view") as found:
            path = f"/admin/orders/{order['id']}"
            seen = (await session.json(BACKEND, "GET", path, headers=merchant)).content["order"]
            found.append(f"order {seen['display_id']} is {seen['payment_status']}")
        with session.stage("clean-up"):
            await session.json(BACKEND, "POST", f"{path}/cancel", body={}, headers=merchant)
            await session.json(BACKEND, "POST", f"{path}/archive", body={}, headers=merchant)
        return Receipt(str(order["display_id"]), total)


DEFINITION = Medusa()


def _offers(product: Any, region: Any, shopper: dict[str, str]) -> list[Offer]:
    offers = []
    for variant in product.get("variants") or ():
        price = variant.get("calculated_price") or {}
        if price.get("calculated_amount"):
            item = {"variant": variant["id"], "region": region, "shopper": shopper}
            money = _money(price["calculated_amount"], price["currency_code"])
            offers.append(Offer(item, str(product["title"]), money))
    return offers


def _money(amount: float, currency: str) -> str:
    return f"{amount:.2f} {currency.upper()}"


async def _sign_in(session: ShopSession, email: str, password: str) -> dict[str, str]:
    """Return the headers that the Admin API accepts."""
    body = {"email": email, "password": password}
    reply = await session.json(BACKEND, "POST", "/auth/user/emailpass", body=body, expected=(200, 401))
    if reply.status == 401:
        raise ShopError(f"sign-in as {email!r} refused; was the password changed in the shop?")
    return {"Authorization": f"Bearer {reply.content['token']}"}


async def _fill_cart(session: ShopSession, shopper: dict[str, str], region: Any, variant: str) -> str:
    """Return the id of a new cart with one item and a shipping address in the region."""

    async def post(path: str, body: Any) -> Any:
        return (await session.json(BACKEND, "POST", path, body=body, headers=shopper)).content["cart"]

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


async def _choose_shipping(session: ShopSession, shopper: dict[str, str], cart: str) -> str:
    path = f"/store/shipping-options?cart_id={cart}"
    options = (await session.json(BACKEND, "GET", path, headers=shopper)).content["shipping_options"]
    if not options:
        raise ShopError("the shop has no shipping option for its own region")
    body = {"option_id": options[0]["id"]}
    await session.json(BACKEND, "POST", f"/store/carts/{cart}/shipping-methods", body=body, headers=shopper)
    return str(options[0]["name"])
