"""The operation "verify": proves that a store sells, with a test order that is removed afterwards.

    Store -> engine.find_offer -> Secret store-admin -> engine.buy (order, look it up, remove it) -> VerifyResult

It does not change the Store object and needs no leadership, so every replica runs it. Not guaranteed: that the order is
removed. If a part after the checkout fails, the message names the order that is left in the shop.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.engines.administrator import read_administrator
from reconciler.engines.registry import ENGINES
from reconciler.engines.session import ShopSession, Stage, session
from reconciler.steps.storefront import shop_endpoint
from reconciler.store.desired import admin_email
from urumi.errors import ShopError
from urumi.store import Engine

if TYPE_CHECKING:
    from reconciler.kube.client import Kube
    from reconciler.kube.resources import Object
    from reconciler.settings import Settings

VERIFY_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """Whether a store sells; `order` and `total` are empty if it does not."""

    ok: bool
    message: str
    stages: tuple[Stage, ...]
    order: str = ""
    total: str = ""


async def verify(kube: Kube, settings: Settings, spec: Object) -> VerifyResult:
    """Place a test order in the shop of a store and remove it.

    Raises:
        ClusterError: the administrator's Secret cannot be read.
    """
    store_id, engine = spec["storeId"], ENGINES[Engine(spec["engine"])]
    async with session() as http:
        visitor = ShopSession(http, shop_endpoint(settings, spec))
        try:
            async with asyncio.timeout(VERIFY_SECONDS):
                offer = await engine.find_offer(visitor)
                if offer is None:
                    raise ShopError("the shop works but has no product for sale")
                administrator = await read_administrator(kube, store_id, admin_email(settings, spec))
                receipt = await engine.buy(visitor, offer, administrator)
        except ShopError as error:
            return _failed(store_id, visitor.stages, error.message)
        except TimeoutError:
            return _failed(store_id, visitor.stages, f"timed out after {VERIFY_SECONDS:.0f} s")
    message = f"Store {store_id} sells: test order {receipt.order} ({receipt.total}) was placed and removed."
    return VerifyResult(True, message, tuple(visitor.stages), receipt.order, receipt.total)


def _failed(store_id: str, stages: list[Stage], cause: str) -> VerifyResult:
    placed = next((stage.message for stage in stages if stage.name == "checkout" and stage.ok), "")
    left = f" The test order was not removed: {placed}." if placed else ""
    return VerifyResult(False, f"Verification of store {store_id} failed: {cause.rstrip('.')}.{left}", tuple(stages))
