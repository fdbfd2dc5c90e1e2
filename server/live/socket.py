"""The WebSocket endpoint: a reader that notices the end, a writer with deadlines, and a periodic check of the rights.

All three run side by side, and the end of any ends the others. The reader is needed although clients send nothing after
`subscribe`: without a pending `receive`, neither a disconnect nor the shutdown of the server would be noticed. Every
write has a deadline, because a peer that stops reading would otherwise block its task; closing has one for the same
reason.

A caller that loses the right or the token is disconnected within `review_seconds`, one that signs out at once. While
the Kubernetes API cannot be asked, the socket stays open: it receives no new data either, and its bookmarks show the
age of the data.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import anyio
from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from server.http.problems import ProblemError, as_problem, problem_response
from server.live.connection import ConnectionEnded, connection_of, text_frame
from server.live.hub import TooFarBehind
from server.live.metrics import DROPPED, SEND_SECONDS
from server.live.outbox import Outbox
from urumi.errors import ClusterError, UrumiError
from urumi.wire import SUBPROTOCOL, Subscribe

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.auth.identity import Gate
    from server.live.connection import Connection
    from server.live.hub import Hub

FIRST_FRAME_SECONDS = 10.0
SEND_TIMEOUT_SECONDS = 5.0
CLOSE_SECONDS = 1.0
BOOKMARK_SECONDS = 10.0
GOODBYE_RETRY_MS = 1000
NORMAL, POLICY_VIOLATION, SERVICE_RESTART, TRY_AGAIN_LATER, UNAUTHORIZED, NOT_ALLOWED = (
    1000,
    1008,
    1012,
    1013,
    4401,
    4403,
)
CLOSE_CODES = {"unauthorized": UNAUTHORIZED, "not-allowed": NOT_ALLOWED}

log = logging.getLogger(__name__)


class _Close(Exception):
    """Raised to close the socket with a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class LiveSocket:
    """The endpoint /ws.

    Args:
        hub: the source of the frames.
        gate: the check of the rights.
        age_seconds: returns the time since the last response of the cluster.
        cluster_error: returns why the cluster cannot be seen, empty while it can.
        max_sockets: how many sockets may be open at once.
        review_seconds: the interval of the check of the rights.
    """

    def __init__(
        self,
        hub: Hub,
        gate: Gate,
        age_seconds: Callable[[], float],
        cluster_error: Callable[[], str],
        *,
        max_sockets: int,
        review_seconds: float,
    ) -> None:
        self._hub = hub
        self._gate = gate
        self._age_seconds = age_seconds
        self._cluster_error = cluster_error
        self._max_sockets = max_sockets
        self._review_seconds = review_seconds
        self._open = 0

    async def __call__(self, socket: WebSocket) -> None:
        """Authorize, wait for `subscribe`, then send changes until either side ends."""
        # Counted from the handshake on: a client that never subscribes uses a place too.
        self._open += 1
        try:
            await self._gate.authorize(socket, "watch")
            if self._open > self._max_sockets:
                raise ProblemError(
                    "busy",
                    f"Limit of live connections reached: {self._max_sockets} are open.",
                    hint="Try again in a few seconds.",
                    headers={"Retry-After": "5"},
                )
        except UrumiError as error:
            await socket.send_denial_response(problem_response(socket, as_problem(error)))
        else:
            offered = socket.scope.get("subprotocols") or []
            await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
            subscription = await _first_frame(socket)
            if subscription is None:
                await _close(socket, POLICY_VIOLATION, "the first frame must be subscribe")
            else:
                await self._serve(socket, subscription)
        finally:
            self._open -= 1

    async def _serve(self, socket: WebSocket, subscription: Subscribe) -> None:
        connection = connection_of(socket)
        outbox = Outbox(None if subscription.stores == "all" else frozenset(subscription.stores), connection.write)
        end = _Close(NORMAL, "")
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_read_until_disconnect, socket)
                group.start_soon(self._review, socket)
                await self._send_all(connection, outbox, subscription)
        except* _Close as closes:
            end = next(each for each in _leaves(closes))
        except* TooFarBehind:
            DROPPED.labels("forgotten").inc()
            end = _Close(TRY_AGAIN_LATER, "too far behind")
        except* (ConnectionEnded, WebSocketDisconnect):
            pass
        finally:
            self._hub.outboxes.discard(outbox)
        if end.code == TRY_AGAIN_LATER:
            log.warning("live subscriber dropped", extra={"reason": end.reason})
            await connection.drop(end.code, end.reason, CLOSE_SECONDS)
        else:
            await _close(socket, end.code, end.reason)

    async def _send_all(self, connection: Connection, outbox: Outbox, subscription: Subscribe) -> None:
        """Send what the subscriber lacks and then every change, until the server stops."""
        resume = subscription.resume
        if not self._hub.subscribe(outbox, resume.epoch if resume else "", resume.seq if resume else 0):
            if resume:
                resync = {"type": "resync", "reason": "the position to resume from is no longer known"}
                await _send(connection, text_frame(json.dumps(resync)))
            for frame in self._hub.snapshot(outbox):
                await _send(connection, frame)
        await self._send_changes(connection, outbox)
        await _send(connection, self._bookmark(outbox))
        while not outbox.goodbye:
            if await outbox.wait(BOOKMARK_SECONDS):
                await self._send_changes(connection, outbox)
            else:
                await _send(connection, self._bookmark(outbox))
        goodbye = {"type": "goodbye", "reason": "the server is stopping", "retryMs": GOODBYE_RETRY_MS}
        await _send(connection, text_frame(json.dumps(goodbye)))
        raise _Close(SERVICE_RESTART, "the server is restarting")

    async def _send_changes(self, connection: Connection, outbox: Outbox) -> None:
        if outbox.is_behind:
            outbox.is_behind = False
            with SEND_SECONDS.time():
                await _drain(connection)
        while not outbox.goodbye and (frames := self._hub.next_frames(outbox)):
            await _send(connection, frames)

    def _bookmark(self, outbox: Outbox) -> bytes:
        frame = {
            "type": "bookmark",
            "epoch": self._hub.epoch,
            "seq": self._hub.position(outbox),
            "ageSeconds": round(self._age_seconds(), 1),
            "clusterError": self._cluster_error(),
        }
        return text_frame(json.dumps(frame))

    async def _review(self, socket: WebSocket) -> None:
        while True:
            with anyio.move_on_after(self._review_seconds):
                await self._gate.session_ended(socket)
            try:
                await self._gate.authorize(socket, "watch")
            except ProblemError as problem:
                code = CLOSE_CODES.get(problem.name, POLICY_VIOLATION)
                raise _Close(code, problem.message[:100]) from problem
            except ClusterError:
                continue


async def _first_frame(socket: WebSocket) -> Subscribe | None:
    try:
        with anyio.fail_after(FIRST_FRAME_SECONDS):
            frame = Subscribe.model_validate_json(await socket.receive_text())
    except (TimeoutError, ValidationError, WebSocketDisconnect, KeyError):
        return None
    return frame if "type" in frame.model_fields_set else None


async def _read_until_disconnect(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    raise ConnectionEnded


async def _send(connection: Connection, frames: bytes) -> None:
    with SEND_SECONDS.time():
        if not connection.write(frames):
            await _drain(connection)


async def _drain(connection: Connection) -> None:
    with anyio.move_on_after(SEND_TIMEOUT_SECONDS):
        await connection.drained()
        return
    DROPPED.labels("slow").inc()
    raise _Close(TRY_AGAIN_LATER, "too slow")


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    if socket.client_state is not WebSocketState.CONNECTED or socket.application_state is not WebSocketState.CONNECTED:
        return
    with anyio.move_on_after(CLOSE_SECONDS):
        try:
            await socket.close(code, reason)
        except (RuntimeError, WebSocketDisconnect):
            return


def _leaves(group: BaseExceptionGroup[_Close]) -> list[_Close]:
    return [leaf for each in group.exceptions for leaf in ([each] if isinstance(each, _Close) else _leaves(each))]
