"""One live socket: a reader that notices the end, a writer that never waits long.

Both run side by side and either one's end ends the other. The reader matters even though clients have nothing to say:
without somebody in `receive`, neither a disconnect nor the server's own shutdown would be noticed. Every send has a
deadline, because a peer that stops reading would otherwise hold its task for ever; closing has one for the same reason.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import anyio
from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from server.hub import Outbox
from server.metrics import WS_DROPPED, WS_SEND_SECONDS
from server.problems import ProblemError, problem_response
from urumi.wire import SUBPROTOCOL, Subscribe

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.hub import Hub
    from server.identity import Gate

FIRST_FRAME_SECONDS = 10.0
SEND_SECONDS = 5.0
CLOSE_SECONDS = 1.0
BOOKMARK_SECONDS = 10.0
GOODBYE_RETRY_MS = 1000
TOO_SLOW, BAD_FRAME, RESTART = 1013, 1008, 1012

log = logging.getLogger(__name__)


class _TooSlow(Exception):
    """Raised when a subscriber did not take a frame in time."""


class LiveSocket:
    """The WebSocket endpoint."""

    def __init__(self, hub: Hub, gate: Gate, max_sockets: int, silence_seconds: Callable[[], float]) -> None:
        self._hub = hub
        self._gate = gate
        self._max_sockets = max_sockets
        self._silence_seconds = silence_seconds

    async def __call__(self, socket: WebSocket) -> None:
        """Admit, listen for `subscribe`, then tell until either side ends."""
        try:
            self._admit(socket)
        except ProblemError as problem:
            await socket.send_denial_response(problem_response(socket, problem))
            return
        offered = socket.scope.get("subprotocols") or []
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        subscription = await _first_frame(socket)
        if subscription is None:
            await _close(socket, BAD_FRAME, "the first frame must be subscribe")
        else:
            await self._serve(socket, subscription)

    def _admit(self, socket: WebSocket) -> None:
        self._gate.admit(socket)
        if len(self._hub.outboxes) >= self._max_sockets:
            raise ProblemError(
                "busy", f"{self._max_sockets} live connections are open already.", hint="Try again soon."
            )

    async def _serve(self, socket: WebSocket, subscription: Subscribe) -> None:
        store_ids = None if subscription.stores == "all" else frozenset(subscription.stores)
        outbox = Outbox(store_ids)
        code, reason = 1000, ""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_read_until_gone, socket, group.cancel_scope)
                await self._tell(socket, outbox, subscription)
                code, reason = RESTART, "the server restarts"
                group.cancel_scope.cancel()
        except* _TooSlow:
            code, reason = TOO_SLOW, "too slow"
            log.warning("a live subscriber was dropped", extra={"reason": "too slow"})
        except* WebSocketDisconnect:
            pass
        finally:
            self._hub.outboxes.discard(outbox)
        await _close(socket, code, reason)

    async def _tell(self, socket: WebSocket, outbox: Outbox, subscription: Subscribe) -> None:
        """Send what the subscriber lacks and then every change, until the server stops."""
        place = subscription.resume
        if self._hub.subscribe(outbox, place.epoch if place else "", place.seq if place else 0):
            await self._tell_changes(socket, await outbox.drain(0))
        else:
            if place:
                await _send(socket, json.dumps({"type": "resync", "reason": "that place is no longer known"}))
            for frame in list(self._hub.snapshot(outbox)):
                await _send(socket, frame)
        await _send(socket, self._bookmark(outbox))
        while not outbox.goodbye:
            store_ids = await outbox.drain(BOOKMARK_SECONDS)
            await self._tell_changes(socket, store_ids)
            if not store_ids:
                await _send(socket, self._bookmark(outbox))
        farewell = {"type": "goodbye", "reason": "the server stops", "retryMs": GOODBYE_RETRY_MS}
        await _send(socket, json.dumps(farewell))

    async def _tell_changes(self, socket: WebSocket, store_ids: list[str]) -> None:
        for store_id in store_ids:
            frame = self._hub.delta(store_id)
            if frame is None:
                WS_DROPPED.labels("forgotten").inc()
                raise _TooSlow
            await _send(socket, frame)

    def _bookmark(self, outbox: Outbox) -> str:
        frame = {
            "type": "bookmark",
            "epoch": self._hub.epoch,
            "seq": self._hub.reached(outbox),
            "ageSeconds": round(self._silence_seconds(), 1),
        }
        return json.dumps(frame)


async def _first_frame(socket: WebSocket) -> Subscribe | None:
    try:
        with anyio.fail_after(FIRST_FRAME_SECONDS):
            return Subscribe.model_validate_json(await socket.receive_text())
    except (TimeoutError, ValidationError, WebSocketDisconnect, KeyError):
        return None


async def _read_until_gone(socket: WebSocket, scope: anyio.CancelScope) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    scope.cancel()


async def _send(socket: WebSocket, frame: str) -> None:
    with WS_SEND_SECONDS.time(), anyio.move_on_after(SEND_SECONDS):
        await socket.send_text(frame)
        return
    WS_DROPPED.labels("slow").inc()
    raise _TooSlow


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    if socket.client_state is not WebSocketState.CONNECTED or socket.application_state is not WebSocketState.CONNECTED:
        return
    with anyio.move_on_after(CLOSE_SECONDS):
        try:
            await socket.close(code, reason)
        except (RuntimeError, WebSocketDisconnect):
            return
