"""The call `POST /stores/{id}/verify`: refuses stores that cannot be verified and runs the operation "verify"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from reconciler.kube.resources import Object, is_deleting
from reconciler.operations.verify import verify
from reconciler.store.object import StoreObject, status_of
from server.auth.audit_log import note
from server.http.problems import ProblemError
from urumi.wire import Verification, VerificationStage, dump

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from reconciler.kube.client import Kube
    from reconciler.settings import Settings
    from reconciler.view import ClusterView


class VerificationCall:
    """The endpoint /stores/{id}/verify; each replica runs at most one verification of a store at a time."""

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
            result = await verify(self._kube, self._settings, store["spec"])
        finally:
            self._busy.discard(store_id)
        note(request, outcome=result.message)
        verification = Verification(
            store_id=store_id,
            ok=result.ok,
            order=result.order,
            total=result.total,
            message=result.message,
            stages=tuple(
                VerificationStage(name=stage.name, ok=stage.ok, seconds=round(stage.seconds, 3), message=stage.message)
                for stage in result.stages
            ),
        )
        return JSONResponse(dump(verification))

    def _check(self, store: Object, store_id: str) -> None:
        if self._view.is_simulated():
            raise ProblemError(
                "conflict",
                f"Store {store_id} has simulated containers: no shop is running.",
                hint="Use a cluster that runs containers, such as kind: ./setup.sh --cluster kind",
            )
        if is_deleting(store):
            raise ProblemError("conflict", f"Store {store_id} is being deleted.")
        if "release" not in status_of(store):
            raise ProblemError(
                "conflict",
                f"Store {store_id} is not installed yet.",
                hint=f"Follow its progress with: urumi events {store_id} --follow",
            )
        if store_id in self._busy:
            raise ProblemError("conflict", f"Store {store_id} is already being verified.", hint="Retry in a minute.")
