"""The storefront step: requests what a shopper would, in a store whose workloads are healthy, before it is Ready.

With simulated containers, and with STOREFRONT_CHECK off, no check is made and the result is Unknown.
"""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING

from reconciler.engines.known import SHOPS
from reconciler.engines.session import ShopEndpoint, ShopSession
from reconciler.engines.shop import Administrator
from reconciler.kube.resources import SECRETS, Object
from reconciler.steps.storefront_checks import StorefrontResult
from reconciler.store.desired import ADMIN_SECRET, admin_email, desired_release
from urumi.errors import ShopError
from urumi.store import namespace_name

if TYPE_CHECKING:
    from reconciler.kube.client import Kube
    from reconciler.settings import Settings
    from reconciler.steps.context import Context
    from reconciler.steps.request import ReconcileRequest

SIMULATED = StorefrontResult("Unknown", "Simulated", "simulated containers: no shop is running")
NOT_CHECKED = StorefrontResult("Unknown", "NotChecked", "storefront not checked: STOREFRONT_CHECK is off")


def storefront_result(context: Context, request: ReconcileRequest) -> StorefrontResult | None:
    """Return the last result of the storefront check, None while the first is running."""
    if context.view.is_simulated():
        return SIMULATED
    if context.settings.storefront_check == "off":
        return NOT_CHECKED
    store = request.store
    result = context.storefront_checks.result(
        store.uid, store.store_id, request.desired.digest, lambda: check_storefront(context, request)
    )
    wait = context.storefront_checks.due_in_seconds(store.uid)
    if wait > 0:
        context.queue.add_later(store.store_id, wait)
    return result


async def check_storefront(context: Context, request: ReconcileRequest) -> StorefrontResult:
    """Find a product in the shop of a store, and with STOREFRONT_CHECK=order place a test order for it.

    Raises:
        ShopError: a part of the shop does not work.
    """
    settings, spec, shop = context.settings, request.store.spec, SHOPS[request.store.engine]
    visit = ShopSession(context.storefront_checks.http, shop_endpoint(settings, spec))
    began = time.monotonic()
    offer = await shop.find_offer(visit)
    if offer is None:
        return StorefrontResult("True", "CatalogueEmpty", "the storefront responds; its catalogue is empty")
    if settings.storefront_check == "order":
        receipt = await shop.buy(visit, offer, await administrator(context.kube, settings, spec))
        return StorefrontResult(
            "True", "OrderPlaced", f"test order {receipt.order} placed and cancelled, total {receipt.total}"
        )
    seconds = time.monotonic() - began
    return StorefrontResult("True", "ProductFound", f"{offer.sentence()} can be bought (found in {seconds:.1f} s)")


def shop_endpoint(settings: Settings, spec: Object) -> ShopEndpoint:
    """Return where the shop of a store is reached."""
    store = desired_release(settings, spec).values["store"]
    namespace = namespace_name(spec["storeId"])
    return ShopEndpoint(settings.storefront_address, spec["storeId"], namespace, store["host"], store["scheme"])


async def administrator(kube: Kube, settings: Settings, spec: Object) -> Administrator:
    """Return the account with which the platform looks after a store.

    Raises:
        ShopError: the Secret is not there.
        ClusterError: it cannot be read.
    """
    namespace = namespace_name(spec["storeId"])
    secret = await kube.get(SECRETS, ADMIN_SECRET, namespace)
    data = (secret or {}).get("data") or {}
    if not {"username", "password"} <= data.keys():
        raise ShopError(f"Secret {namespace}/{ADMIN_SECRET} should have a username and a password, it has not")
    username, password = (base64.b64decode(data[name]).decode() for name in ("username", "password"))
    return Administrator(username, admin_email(settings, spec), password)
