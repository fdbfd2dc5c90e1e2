"""One live socket: a reader that notices the end, a writer that never waits long, an eye on the caller's rights.

All run side by side and the end of any ends the others. The reader matters even though clients have nothing to say:
without somebody in `receive`, neither a disconnect nor the server's own shutdown would be noticed. Every write has a
deadline, because a peer that stops reading would otherwise hold its task for ever; closing has one for the same reason.

Whoever loses a right, or whose session or token ends, loses the socket within `review_seconds`. While the Kubernetes
API cannot be asked the socket stays: nothing new comes over it either, and it says how old what it told is.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import anyio
from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from server.http.problems import ProblemError, as_problem, problem_response
from server.live.connection import LineClosed, line_of, text_frame
from server.live.hub import Forgotten, Outbox
from server.ops.metrics import WS_DROPPED, WS_SEND_SECONDS
from urumi.errors import ClusterError, UrumiError
from urumi.wire import SUBPROTOCOL, Subscribe

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.auth.identity import Gate
    from server.live.connection import Line
    from server.live.hub import Hub

FIRST_FRAME_SECONDS = 10.0
SEND_SECONDS = 5.0
CLOSE_SECONDS = 1.0
BOOKMARK_SECONDS = 10.0
GOODBYE_RETRY_MS = 1000
OK, BAD_FRAME, RESTART, DROPPED, SIGN_IN, NOT_ALLOWED = 1000, 1008, 1012, 1013, 4401, 4403
LOST_RIGHTS = {"unauthorized": SIGN_IN, "not-allowed": NOT_ALLOWED}

log = logging.getLogger(__name__)


class _End(Exception):
    """Raised by what ends a socket, with what the subscriber is told."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class LiveSocket:
    """The WebSocket endpoint."""

    def __init__(
        self,
        hub: Hub,
        gate: Gate,
        silence_seconds: Callable[[], float],
        trouble: Callable[[], str],
        *,
        max_sockets: int,
        review_seconds: float,
    ) -> None:
        self._hub = hub
        self._gate = gate
        self._silence_seconds = silence_seconds
        self._trouble = trouble
        self._max_sockets = max_sockets
        self._review_seconds = review_seconds
        self._open = 0

    async def __call__(self, socket: WebSocket) -> None:
        """Admit, listen for `subscribe`, then tell until either side ends."""
        # Counted from the handshake on: who never subscribes takes a place too.
        self._open += 1
        try:
            await self._admit(socket)
        except UrumiError as error:
            await socket.send_denial_response(problem_response(socket, as_problem(error)))
        else:
            await self._answer(socket)
        finally:
            self._open -= 1

    async def _admit(self, socket: WebSocket) -> None:
        await self._gate.enter(socket, "watch")
        if self._open > self._max_sockets:
            raise ProblemError(
                "busy",
                f"{self._max_sockets} live connections are open already.",
                hint="Try again soon.",
                headers={"Retry-After": "5"},
            )

    async def _answer(self, socket: WebSocket) -> None:
        offered = socket.scope.get("subprotocols") or []
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        subscription = await _first_frame(socket)
        if subscription is None:
            await _close(socket, BAD_FRAME, "the first frame must be subscribe")
        else:
            await self._serve(socket, subscription)

    async def _serve(self, socket: WebSocket, subscription: Subscribe) -> None:
        line = line_of(socket)
        outbox = Outbox(None if subscription.stores == "all" else frozenset(subscription.stores), line.write)
        end = _End(OK, "")
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_read_until_gone, socket)
                group.start_soon(self._review, socket)
                await self._tell(line, outbox, subscription)
        except* _End as ends:
            end = next(each for each in _leaves(ends))
        except* Forgotten:
            WS_DROPPED.labels("forgotten").inc()
            end = _End(DROPPED, "too far behind")
        except* (LineClosed, WebSocketDisconnect):
            pass
        finally:
            self._hub.outboxes.discard(outbox)
        if end.code == DROPPED:
            log.warning("a live subscriber was dropped", extra={"reason": end.reason})
            await line.drop(end.code, end.reason, CLOSE_SECONDS)
        else:
            await _close(socket, end.code, end.reason)

    async def _tell(self, line: Line, outbox: Outbox, subscription: Subscribe) -> None:
        """Send what the subscriber lacks and then every change, until the server stops."""
        place = subscription.resume
        if not self._hub.subscribe(outbox, place.epoch if place else "", place.seq if place else 0):
            if place:
                resync = {"type": "resync", "reason": "that place is no longer known"}
                await _send(line, text_frame(json.dumps(resync)))
            for frame in self._hub.snapshot(outbox):
                await _send(line, frame)
        await self._tell_changes(line, outbox)
        await _send(line, self._bookmark(outbox))
        while not outbox.goodbye:
            if await outbox.wait(BOOKMARK_SECONDS):
                await self._tell_changes(line, outbox)
            else:
                await _send(line, self._bookmark(outbox))
        farewell = {"type": "goodbye", "reason": "the server stops", "retryMs": GOODBYE_RETRY_MS}
        await _send(line, text_frame(json.dumps(farewell)))
        raise _End(RESTART, "the server restarts")

    async def _tell_changes(self, line: Line, outbox: Outbox) -> None:
        if outbox.is_behind:
            outbox.is_behind = False
            with WS_SEND_SECONDS.time():
                await _drain(line)
        while not outbox.goodbye and (frames := self._hub.next_frames(outbox)):
            await _send(line, frames)

    def _bookmark(self, outbox: Outbox) -> bytes:
        frame = {
            "type": "bookmark",
            "epoch": self._hub.epoch,
            "seq": self._hub.reached(outbox),
            "ageSeconds": round(self._silence_seconds(), 1),
            "clusterError": self._trouble(),
        }
        return text_frame(json.dumps(frame))

    async def _review(self, socket: WebSocket) -> None:
        while True:
            await anyio.sleep(self._review_seconds)
            try:
                await self._gate.enter(socket, "watch")
            except ProblemError as problem:
                raise _End(LOST_RIGHTS.get(problem.name, BAD_FRAME), problem.message[:100]) from problem
            except ClusterError:
                continue


async def _first_frame(socket: WebSocket) -> Subscribe | None:
    try:
        with anyio.fail_after(FIRST_FRAME_SECONDS):
            frame = Subscribe.model_validate_json(await socket.receive_text())
    except (TimeoutError, ValidationError, WebSocketDisconnect, KeyError):
        return None
    return frame if "type" in frame.model_fields_set else None


async def _read_until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    raise LineClosed


async def _send(line: Line, frames: bytes) -> None:
    with WS_SEND_SECONDS.time():
        if not line.write(frames):
            await _drain(line)


async def _drain(line: Line) -> None:
    with anyio.move_on_after(SEND_SECONDS):
        await line.drained()
        return
    WS_DROPPED.labels("slow").inc()
    raise _End(DROPPED, "too slow")


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    if socket.client_state is not WebSocketState.CONNECTED or socket.application_state is not WebSocketState.CONNECTED:
        return
    with anyio.move_on_after(CLOSE_SECONDS):
        try:
            await socket.close(code, reason)
        except (RuntimeError, WebSocketDisconnect):
            return


def _leaves(group: BaseExceptionGroup[_End]) -> list[_End]:
    return [leaf for each in group.exceptions for leaf in ([each] if isinstance(each, _End) else _leaves(each))]
