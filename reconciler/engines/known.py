"""Which shop belongs to which engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.engines.medusa import MedusaShop
from reconciler.engines.woocommerce import WooCommerceShop
from urumi.store import Engine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.engines.engine import Shop

SHOPS: Mapping[Engine, Shop] = {Engine.WOOCOMMERCE: WooCommerceShop(), Engine.MEDUSA: MedusaShop()}
