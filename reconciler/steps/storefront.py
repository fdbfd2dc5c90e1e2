"""The storefront step: requests what a shopper would, in a store whose workloads are healthy, before it is Ready.

With simulated containers, and with URUMI_STOREFRONT_CHECK off, no check is made and the result is Unknown.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reconciler.engines.administrator import read_administrator
from reconciler.engines.registry import ENGINES
from reconciler.engines.session import ShopEndpoint, ShopSession
from reconciler.reconcile.storefront_checks import StorefrontResult
from reconciler.store.desired import admin_email, desired_release, store_authority
from urumi.store import namespace_name

if TYPE_CHECKING:
    from reconciler.kube.resources import Object
    from reconciler.reconcile.context import Context
    from reconciler.reconcile.request import ReconcileRequest
    from reconciler.settings import Settings

SIMULATED = StorefrontResult("Unknown", "Simulated", "simulated containers: no shop is running")
NOT_CHECKED = StorefrontResult("Unknown", "NotChecked", "storefront not checked: URUMI_STOREFRONT_CHECK is off")


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
    """Find a product in the shop of a store, and with URUMI_STOREFRONT_CHECK=order place a test order for it.

    Raises:
        ShopError: a part of the shop does not work.
    """
    settings, store, engine = context.settings, request.store, ENGINES[request.store.engine]
    shop_session = ShopSession(context.storefront_checks.http, shop_endpoint(settings, store.spec))
    began = time.monotonic()
    offer = await engine.find_offer(shop_session)
    if offer is None:
        return StorefrontResult("True", "CatalogueEmpty", "the storefront responds; its catalogue is empty")
    if settings.storefront_check == "order":
        administrator = await read_administrator(context.kube, store.store_id, admin_email(settings, store.spec))
        receipt = await engine.buy(shop_session, offer, administrator)
        return StorefrontResult(
            "True", "OrderPlaced", f"test order {receipt.order} ({receipt.total}) was placed and removed"
        )
    seconds = time.monotonic() - began
    return StorefrontResult("True", "ProductFound", f"{offer.sentence()} can be bought (found in {seconds:.1f} s)")


def shop_endpoint(settings: Settings, spec: Object) -> ShopEndpoint:
    """Return where the shop of a store is reached."""
    store = desired_release(settings, spec).values["store"]
    namespace = namespace_name(spec["storeId"])
    return ShopEndpoint(
        settings.storefront_address, spec["storeId"], namespace, store_authority(store), store["scheme"]
    )
