"""Health: /livez (the event loop runs), /readyz (ready to serve, or why not), /healthz (details for operators)."""

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
    """The health endpoints; none of them shows anything about stores.

    /livez and /readyz are public, because a kubelet has no identity; without `shows_reasons` the reasons are omitted.
    """

    def __init__(
        self, view: ClusterView, elector: Elector, is_stopping: Callable[[], bool], *, shows_reasons: bool
    ) -> None:
        self._view = view
        self._elector = elector
        self._is_stopping = is_stopping
        self._shows_reasons = shows_reasons

    async def livez(self, request: Request) -> Response:
        """GET /livez."""
        return PlainTextResponse("ok\n")

    async def readyz(self, request: Request) -> Response:
        """GET /readyz."""
        failures = self._failures()
        if failures and not self._shows_reasons:
            failures = ["not ready"]
        return PlainTextResponse("\n".join(failures or ["ok"]) + "\n", 503 if failures else 200)

    async def healthz(self, request: Request) -> Response:
        """GET /healthz."""
        failures = self._failures()
        checks = {
            "informers": {informer.resource.plural: informer.synced.is_set() for informer in self._view.informers},
            "silenceSeconds": round(self._view.seconds_since_last_response(), 1),
        }
        body = {
            "status": "failing" if failures else "ok",
            "wrong": failures,
            "checks": checks,
            "simulated": self._view.is_simulated(),
            "leader": {
                "holder": self._elector.lease_record.holder,
                "epoch": self._elector.lease_record.fencing_token,
                "isThis": self._elector.is_leading,
            },
        }
        return JSONResponse(body, 503 if failures else 200)

    def _failures(self) -> list[str]:
        failures = ["the server is stopping"] if self._is_stopping() else []
        for informer in self._view.informers:
            plural = informer.resource.plural
            if not informer.synced.is_set():
                failures.append(f"{plural} not listed yet: {informer.last_error or 'the server has just started'}")
            elif (age := informer.seconds_since_last_response()) > SILENCE_LIMIT_SECONDS:
                failures.append(f"{plural} without a response for {age:.0f} s: {informer.last_error}")
        return failures
