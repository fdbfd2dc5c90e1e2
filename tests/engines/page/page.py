"""The smallest engine: nginx with one page, which sells nothing. docs/engines.md walks through it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from reconciler.engines.engine import Administrator, EngineDefinition, Offer, Receipt
from reconciler.engines.secret_values import new_key
from reconciler.engines.session import Service
from reconciler.kube.resources import DEPLOYMENTS
from urumi.errors import ShopError

if TYPE_CHECKING:
    from reconciler.engines.session import ShopSession

WEB = Service("web", 80)


class Page(EngineDefinition):
    """The engine Page."""

    chart = "page"
    admin_path = "/admin"
    signs_in_by_email = True
    workloads = ((DEPLOYMENTS, "web"),)
    databases = MappingProxyType({})
    components_without_database = ()
    generated_secrets = MappingProxyType({"page-key": new_key})

    async def find_offer(self, session: ShopSession) -> Offer | None:
        """Request the page; it has no products."""
        with session.stage("page"):
            await session.page(WEB, "/")
        return None

    async def buy(self, session: ShopSession, offer: Offer, administrator: Administrator) -> Receipt:
        """Fail: there is nothing to order."""
        raise ShopError("a page sells nothing")


DEFINITION = Page()
