"""What every engine's shop can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from reconciler.engines.session import ShopSession

# Goes nowhere by RFC 2606, whatever a shop does with it.
SHOPPER = {"first_name": "Urumi", "last_name": "Verification", "email": "verify@urumi.invalid", "phone": "0000000000"}


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that can be bought now; `price` is in words, such as "10.00 EUR"."""

    item: Any
    name: str
    price: str

    def sentence(self) -> str:
        """Return the offer in words."""
        return f"{self.name} for {self.price}"


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who may look after the shop's orders; WordPress knows them by name, Medusa by e-mail address."""

    username: str
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """An order that was placed; `order` is the number that the merchant sees."""

    order: str
    total: str


class Shop(Protocol):
    """One engine's shop.

    Raises from every call:
        ShopError: what did not work, in words.
    """

    async def find_offer(self, visit: ShopSession) -> Offer | None:
        """Walk to something that can be bought; None where the shop answers and its catalogue is empty."""
        ...

    async def buy(self, visit: ShopSession, offer: Offer, administrator: Administrator) -> Receipt:
        """Order it, paid cash on delivery, look it up as the merchant does and take it out of the books."""
        ...
