"""Health for machines: /livez (the loop answers), /readyz (fit to serve, or why not), /healthz (both, for people)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, PlainTextResponse, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from reconciler.leaderelection.elector import Elector
    from reconciler.view import ClusterView

SILENCE_LIMIT_SECONDS = 150.0


class Probes:
    """The health endpoints; none of them tells anything about stores.

    /livez and /readyz are for everybody, as a kubelet has no identity; without `says_why` the reasons are left out.
    """

    def __init__(
        self, view: ClusterView, leadership: Elector, is_stopping: Callable[[], bool], *, says_why: bool
    ) -> None:
        self._view = view
        self._elector = leadership
        self._is_stopping = is_stopping
        self._says_why = says_why

    async def livez(self, request: Request) -> Response:
        """GET /livez."""
        return PlainTextResponse("ok\n")

    async def readyz(self, request: Request) -> Response:
        """GET /readyz."""
        wrong = self._wrong()
        if wrong and not self._says_why:
            wrong = ["not ready"]
        return PlainTextResponse("\n".join(wrong) + "\n" if wrong else "ok\n", 503 if wrong else 200)

    async def healthz(self, request: Request) -> Response:
        """GET /healthz."""
        wrong = self._wrong()
        checks = {
            "informers": {informer.resource.plural: informer.synced.is_set() for informer in self._view.informers},
            "silenceSeconds": round(self._view.seconds_since_last_response(), 1),
        }
        body = {
            "status": "failing" if wrong else "ok",
            "wrong": wrong,
            "checks": checks,
            "simulated": self._view.is_simulated(),
            "leader": {
                "holder": self._elector.lease_record.holder,
                "epoch": self._elector.lease_record.fencing_token,
                "isThis": self._elector.is_leading,
            },
        }
        return JSONResponse(body, 503 if wrong else 200)

    def _wrong(self) -> list[str]:
        wrong = ["the server is stopping"] if self._is_stopping() else []
        for informer in self._view.informers:
            plural = informer.resource.plural
            if not informer.synced.is_set():
                wrong.append(f"{plural} are not listed yet: {informer.last_error or 'just started'}")
            elif (silence := informer.seconds_since_last_response()) > SILENCE_LIMIT_SECONDS:
                wrong.append(f"{plural} not heard of for {silence:.0f} s: {informer.last_error}")
        return wrong
