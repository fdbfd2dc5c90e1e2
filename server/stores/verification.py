"""The call that proves that a store sells: an order placed in its shop, seen by the merchant, and taken back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from reconciler.engines.known import SHOPS
from reconciler.engines.session import ShopSession, Stage, session
from reconciler.kube.resources import Object, is_deleting
from reconciler.steps.storefront import administrator, shop_endpoint
from reconciler.store.object import StoreObject, status_of
from server.auth.audit_log import note
from server.http.problems import ProblemError
from urumi.errors import ShopError
from urumi.store import Engine
from urumi.wire import Verification, VerificationStage, dump

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from reconciler.kube.client import Kube
    from reconciler.settings import Settings
    from reconciler.view import ClusterView

VERIFY_SECONDS = 120.0


class VerificationCall:
    """The endpoint /stores/{id}/verify; one order at a time in a store."""

    def __init__(
        self, kube: Kube, view: ClusterView, settings: Settings, find: Callable[[Request], StoreObject]
    ) -> None:
        self._kube = kube
        self._view = view
        self._settings = settings
        self._find = find
        self._busy: set[str] = set()

    async def verify(self, request: Request) -> Response:
        """POST /stores/{id}/verify."""
        store = self._find(request).raw
        store_id = store["metadata"]["name"]
        self._check(store, store_id)
        self._busy.add(store_id)
        try:
            verification = await self._order(store)
        finally:
            self._busy.discard(store_id)
        note(request, outcome=verification.message)
        return JSONResponse(dump(verification))

    def _check(self, store: Object, store_id: str) -> None:
        if self._view.is_simulated():
            raise ProblemError(
                "conflict",
                f"Store {store_id} runs on simulated containers: there is no shop that could take an order.",
                hint="Bring the platform up where containers run, such as kind: ./setup.sh --cluster kind",
            )
        if is_deleting(store):
            raise ProblemError("conflict", f"Store {store_id} is being deleted; it sells no more.")
        if "release" not in status_of(store):
            raise ProblemError(
                "conflict",
                f"Store {store_id} is not installed yet.",
                hint=f"Follow it: urumi events {store_id} --follow",
            )
        if store_id in self._busy:
            raise ProblemError(
                "conflict", f"Store {store_id} is being verified just now.", hint="Ask again in a minute."
            )

    async def _order(self, store: Object) -> Verification:
        spec, settings = store["spec"], self._settings
        shop = SHOPS[Engine(spec["engine"])]
        async with session() as http:
            visit = ShopSession(http, shop_endpoint(settings, spec))
            try:
                async with asyncio.timeout(VERIFY_SECONDS):
                    offer = await shop.find_offer(visit)
                    if offer is None:
                        return _failed(spec["storeId"], visit.stages, "the shop answers, but nothing is for sale")
                    receipt = await shop.buy(visit, offer, await administrator(self._kube, settings, spec))
            except ShopError as error:
                return _failed(spec["storeId"], visit.stages, error.message)
            except TimeoutError:
                return _failed(spec["storeId"], visit.stages, f"it took longer than {VERIFY_SECONDS:.0f} s")
        message = (
            f"Store {spec['storeId']} sells: order {receipt.order} over {receipt.total} was placed and taken back."
        )
        return Verification(
            store_id=spec["storeId"],
            ok=True,
            order=receipt.order,
            total=receipt.total,
            message=message,
            stages=_told(visit.stages),
        )


def _failed(store_id: str, stages: list[Stage], why: str) -> Verification:
    placed = next((stage.message for stage in stages if stage.name == "checkout" and stage.ok), "")
    left = f" Left in its books: {placed}." if placed else ""
    message = f"Store {store_id} could not be verified: {why}.{left}"
    return Verification(store_id=store_id, ok=False, message=message, stages=_told(stages))


def _told(stages: list[Stage]) -> tuple[VerificationStage, ...]:
    return tuple(
        VerificationStage(name=stage.name, ok=stage.ok, seconds=round(stage.seconds, 3), message=stage.message)
        for stage in stages
    )
