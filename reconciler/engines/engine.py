"""The protocol of an engine: everything that the platform reads about one shop software.

Each engine is one module of this package, named after its value in `urumi.store.Engine`, and assigns an instance of its
class to `DEFINITION`. The registry imports it from there. docs/engines.md explains how to write one.

    data      chart, workloads, databases, generated secrets, administration page: read by the steps of a reconcile
    actions   find_offer, buy: HTTP calls through a `ShopSession`, made by the storefront step and by `urumi verify`

An engine does not call the Kubernetes API and keeps no state, so one instance serves all stores at the same time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.engines.session import ShopSession
    from reconciler.kube.resources import Resource

# RFC 2606 reserves the domain, so that mail to the shopper of a test order is never delivered.
SHOPPER = {"first_name": "Urumi", "last_name": "Verification", "email": "verify@urumi.invalid", "phone": "0000000000"}


@dataclass(frozen=True, slots=True)
class Offer:
    """A product that can be ordered now; `item` is the engine's own reference, `price` is text such as "10.00 EUR"."""

    item: Any
    name: str
    price: str

    def sentence(self) -> str:
        """Return name and price, such as "Demo mug for 10.00 EUR"."""
        return f"{self.name} for {self.price}"


@dataclass(frozen=True, slots=True)
class Administrator:
    """The administrator account that the platform created in a store."""

    username: str
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A test order that was placed; `order` is the number that the merchant sees."""

    order: str
    total: str


class EngineDefinition(Protocol):
    """One engine; a module of this package subclasses it and sets every attribute.

    Attributes:
        chart: folder of the Helm chart, below the charts directory.
        admin_path: path of the administration page, below the URL of a store.
        signs_in_by_email: whether the administrator signs in with the e-mail address instead of the user name.
        workloads: resource and name of every workload of the chart, in the order in which health is reported.
        databases: component label and port of every workload that stores data. Network policies restrict them to pods
            of the same store.
        components_without_database: component labels of pods that open no connection to a database.
        generated_secrets: keys of the Secret `store-secrets`, each with a function that returns a new value. A value
            is generated once and never replaced.
    """

    chart: str
    admin_path: str
    signs_in_by_email: bool
    workloads: tuple[tuple[Resource, str], ...]
    databases: Mapping[str, int]
    components_without_database: tuple[str, ...]
    generated_secrets: Mapping[str, Callable[[], str]]

    def login(self, administrator: Administrator) -> str:
        """Return the name that the administrator types into the shop's sign-in form."""
        return administrator.email if self.signs_in_by_email else administrator.username

    async def find_offer(self, session: ShopSession) -> Offer | None:
        """Request the storefront and its catalogue and return the first product that can be ordered.

        Returns:
            None if the shop works and sells nothing.

        Raises:
            ShopError: a part of the shop does not work.
        """
        ...

    async def buy(self, session: ShopSession, offer: Offer, administrator: Administrator) -> Receipt:
        """Order the offer, paid cash on delivery, look the order up as the administrator, and remove it.

        Raises:
            ShopError: a part of the shop does not work; `session.stages` shows which one.
        """
        ...
