"""Which shop belongs to which engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.shops.medusa import MedusaShop
from reconciler.shops.woocommerce import WooCommerceShop
from urumi.store import Engine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.shops.shop import Shop

SHOPS: Mapping[Engine, Shop] = {Engine.WOOCOMMERCE: WooCommerceShop(), Engine.MEDUSA: MedusaShop()}
