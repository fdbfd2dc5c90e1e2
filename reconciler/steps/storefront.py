"""The storefront step: a shopper's walk through a store whose workloads are healthy, before it is called Ready.

Walks run beside the reconciles, so that a shop that takes its time holds up nobody else's: a reconcile asks for the
answer, is told that there is none yet, and is woken when there is. What was found counts for one digest of one store
and until the store is Ready; then it is forgotten, so that a store that comes back from Degraded is visited again.

Where the containers are simulated there is no shop, and none is claimed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.engines.administrator import read_administrator
from reconciler.engines.registry import ENGINES
from reconciler.engines.session import ShopEndpoint, ShopSession, session
from reconciler.kube.resources import Object, uid_of
from reconciler.store.desired import admin_email, desired_release
from urumi.errors import UrumiError
from urumi.store import namespace_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reconciler.settings import Settings
    from reconciler.steps.context import Context
    from reconciler.steps.request import Attempt

AT_ONCE = 8
WALK_SECONDS = 60.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 2.0, 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a storefront said; `status` is the condition's: True, False, or Unknown where nobody asked it."""

    status: str
    reason: str
    sentence: str


SIMULATED = Answer("Unknown", "Simulated", "simulated containers: no shop answers")
NOT_CHECKED = Answer("Unknown", "NotChecked", "storefront not looked at: STOREFRONT_CHECK is off")


@dataclass(slots=True)
class _Known:
    digest: str
    answer: Answer | None = None
    task: asyncio.Task[None] | None = None
    failures: int = 0
    again_at: float = 0.0


class StorefrontChecks:
    """The walks that are under way and what the last ones found, a store by its uid."""

    def __init__(self, wake: Callable[[str], None]) -> None:
        self.http = session()
        self._wake = wake
        self._known: dict[str, _Known] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    def answer(self, uid: str, store_id: str, digest: str, walk: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """Return what the storefront last said for a digest, None where no walk has ended yet; walk where it is due."""
        known = self._known.get(uid)
        if known is None or known.digest != digest:
            self.forget(uid)
            known = self._known[uid] = _Known(digest)
        if known.task is None and time.monotonic() >= known.again_at:
            known.task = asyncio.create_task(self._run(known, store_id, walk), name=f"visit {store_id}")
        return known.answer

    def due_in_seconds(self, uid: str) -> float:
        """Return how long until the next walk may begin, 0 while one is under way: its end wakes the store."""
        known = self._known.get(uid)
        return max(0.0, known.again_at - time.monotonic()) if known and known.task is None else 0.0

    def forget(self, uid: str) -> None:
        """Forget what a storefront said, and end a walk that is under way."""
        known = self._known.pop(uid, None)
        if known is not None and known.task is not None:
            known.task.cancel()

    async def close(self) -> None:
        """End every walk."""
        tasks = [known.task for known in self._known.values() if known.task is not None]
        for uid in list(self._known):
            self.forget(uid)
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.http.close()

    async def _run(self, known: _Known, store_id: str, walk: Callable[[], Awaitable[Answer]]) -> None:
        try:
            async with self._places, asyncio.timeout(WALK_SECONDS):
                known.answer = await walk()
        except TimeoutError:
            known.answer = _silent(f"the walk through the shop took longer than {WALK_SECONDS:.0f} s")
        except UrumiError as error:
            known.answer = _silent(error.message)
        except Exception:
            # A defect in a walk must not leave the store waiting without a word.
            log.exception("visit failed", extra={"store": store_id})
            known.answer = _silent("the visit met a defect of the platform; see its log")
        known.task = None
        known.failures += 1
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(known.failures - 1, 10))
        known.again_at = time.monotonic() + pause
        self._wake(store_id)


def storefront_answer(context: Context, attempt: Attempt) -> Answer | None:
    """Return what a store's shop says, None where the answer is on its way."""
    if context.view.is_simulated():
        return SIMULATED
    if context.settings.storefront_check == "off":
        return NOT_CHECKED
    uid = uid_of(attempt.store)
    answer = context.visits.answer(uid, attempt.store_id, attempt.desired.digest, lambda: _walk(context, attempt))
    wait = context.visits.due_in_seconds(uid)
    if wait > 0:
        context.queue.add_later(attempt.store_id, wait)
    return answer


async def _walk(context: Context, attempt: Attempt) -> Answer:
    settings, spec, shop = context.settings, attempt.store["spec"], ENGINES[attempt.engine]
    visit = ShopSession(context.visits.http, shop_endpoint(settings, spec))
    began = time.monotonic()
    offer = await shop.find_offer(visit)
    if offer is None:
        return Answer("True", "CatalogueEmpty", "the storefront answers, nothing is for sale yet")
    if settings.storefront_check == "order":
        administrator = await read_administrator(context.kube, attempt.store_id, admin_email(settings, spec))
        receipt = await shop.buy(visit, offer, administrator)
        return Answer("True", "OrderPlaced", f"order {receipt.order} was placed, {receipt.total}, and cancelled")
    seconds = time.monotonic() - began
    return Answer("True", "ProductFound", f"{offer.sentence()} can be bought (found in {seconds:.1f} s)")


def shop_endpoint(settings: Settings, spec: Object) -> ShopEndpoint:
    """Return where the shop of a store is."""
    store = desired_release(settings, spec).values["store"]
    namespace = namespace_name(spec["storeId"])
    return ShopEndpoint(settings.storefront_address, spec["storeId"], namespace, store["host"], store["scheme"])


def _silent(sentence: str) -> Answer:
    return Answer("False", "NoAnswer", sentence)
