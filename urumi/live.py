"""The live feed: a WebSocket that reconnects until it is closed, as a stream of plain values.

    connect -> subscribe(resume?) -> StoreSnapshot, or the missed changes -> Change, Heartbeat, ... -> lost -> connect

The feed keeps the last position that it received (epoch, seq) and resumes from there. Every failure (no server, a
rejected token, a frame that is not part of the protocol) becomes a `ConnectionState` with a message, followed by
another attempt after a jittered delay; the iterator does not raise. Not guaranteed: every intermediate state of a
store. The server merges changes for slow readers; the newest state always arrives.
"""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from urumi.proxies import proxy_for, without_password
from urumi.text import cause_text
from urumi.wire import (
    FRAMES,
    SUBPROTOCOL,
    Bookmark,
    Delta,
    Goodbye,
    Resume,
    Resync,
    Snapshot,
    Subscribe,
    dump,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from urumi.config import Target
    from urumi.wire import Store

SILENCE_SECONDS = 35.0  # the server sends a bookmark every 10 s; after three missed ones the connection is dead
OPEN_SECONDS = 10.0
WAIT_FIRST_SECONDS = 0.5
WAIT_MOST_SECONDS = 30.0
MAX_FRAME_BYTES = 16 * 1024 * 1024
_REFUSALS = {401: "the token was not accepted", 403: "permission denied"}
INVALID_FRAME = f"the server sent a frame that is not valid {SUBPROTOCOL}; upgrade this program or the server"

AnyFrame = Snapshot | Delta | Bookmark | Resync | Goodbye


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """The state of the connection; `retry_seconds` is the delay before the next attempt."""

    state: Literal["connecting", "live", "reconnecting", "refused"]
    detail: str = ""
    attempt: int = 0
    retry_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class StoreSnapshot:
    """The current state of all stores; it replaces the previous state."""

    stores: tuple[Store, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One store was added or changed (`store`), or deleted (`store` is None)."""

    store_id: str
    uid: str
    store: Store | None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The connection works and nothing changed.

    Args:
        age_seconds: the time since the server's last response from the cluster.
        cluster_error: why the server cannot reach the cluster; empty if it can.
    """

    age_seconds: float
    cluster_error: str = ""


FeedEvent = ConnectionState | StoreSnapshot | Change | Heartbeat


class _ConnectionLost(Exception):
    """Raised inside the feed when a connection ends, with the cause as text."""

    def __init__(self, detail: str, *, refused: bool = False, retry_seconds: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.refused = refused
        self.retry_seconds = retry_seconds


class LiveFeed:
    """A subscription to all stores, or to some by id, that reconnects indefinitely.

    Args:
        target: the server.
        store_ids: the stores to subscribe to; None for all.
        silence_seconds: after this time without a frame the connection is considered dead.
    """

    def __init__(
        self, target: Target, *, store_ids: tuple[str, ...] | None = None, silence_seconds: float = SILENCE_SECONDS
    ) -> None:
        self.target = target
        self._silence_seconds = silence_seconds
        self._stores: Literal["all"] | tuple[str, ...] = "all" if store_ids is None else store_ids
        self._position: Resume | None = None
        self._retry_requested = asyncio.Event()
        self._attempt = 0

    def reconnect_now(self) -> None:
        """Skip the delay before the next attempt."""
        self._retry_requested.set()

    async def events(self) -> AsyncGenerator[FeedEvent, None]:
        """Yield events until the iterator is closed, which closes the socket."""
        while True:
            yield ConnectionState("connecting", attempt=self._attempt)
            try:
                async with aclosing(self._one_connection()) as events:
                    async for event in events:
                        yield event
            except _ConnectionLost as lost:
                self._attempt += 1
                wait = self._wait_seconds(lost)
                state: Literal["refused", "reconnecting"] = "refused" if lost.refused else "reconnecting"
                self._retry_requested.clear()
                yield ConnectionState(state, lost.detail, self._attempt, wait)
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._retry_requested.wait()

    def _wait_seconds(self, lost: _ConnectionLost) -> float:
        if lost.retry_seconds is not None:
            return lost.retry_seconds * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
        if lost.refused:
            return WAIT_MOST_SECONDS
        most = min(WAIT_MOST_SECONDS, WAIT_FIRST_SECONDS * 2 ** min(self._attempt, 10))
        return random.uniform(WAIT_FIRST_SECONDS / 2, most)  # noqa: S311 - jitter

    async def _one_connection(self) -> AsyncGenerator[FeedEvent, None]:
        socket = await self._open()
        parts: list[Store] = []
        live = False
        try:
            await socket.send(json.dumps(dump(Subscribe(resume=self._position, stores=self._stores))))
            while True:
                frame = await self._receive(socket)
                if not live:
                    live = True
                    self._attempt = 0
                    yield ConnectionState("live")
                match frame:
                    case Snapshot():
                        parts.extend(frame.stores)
                        if frame.last:
                            self._position = Resume(epoch=frame.epoch, seq=frame.seq)
                            yield StoreSnapshot(tuple(parts))
                            parts = []
                    case Delta():
                        if self._position is not None:
                            self._position = Resume(epoch=self._position.epoch, seq=frame.seq)
                        yield Change(frame.store_id, frame.uid, frame.store if frame.op == "upsert" else None)
                    case Bookmark():
                        self._position = Resume(epoch=frame.epoch, seq=frame.seq)
                        yield Heartbeat(frame.age_seconds, frame.cluster_error)
                    case Resync():
                        self._position, parts = None, []
                    case Goodbye():
                        detail = f"the server closed the connection: {frame.reason}"
                        raise _ConnectionLost(detail, retry_seconds=frame.retry_ms / 1000)
        except ConnectionClosed as error:
            detail = "connection lost"
            if error.rcvd is not None:
                code, reason = error.rcvd.code, error.rcvd.reason
                detail = f"the server closed the connection ({' '.join(filter(None, (str(code), reason)))})"
                if code == 1013:
                    detail = "the server closed the connection: this client reads too slowly"
            raise _ConnectionLost(detail) from error
        finally:
            # The close handshake is limited: a dead connection must not delay the next attempt.
            try:
                async with asyncio.timeout(1.5):
                    await socket.close()
            except (TimeoutError, OSError):
                socket.transport.abort()

    async def _open(self) -> ClientConnection:
        headers = {"Authorization": f"Bearer {self.target.token}"} if self.target.token else {}
        proxy = proxy_for(self.target.url)
        try:
            return await connect(
                "ws" + self.target.url.removeprefix("http") + "/ws",
                subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]  # Subprotocol is a NewType of str
                additional_headers=headers,
                open_timeout=OPEN_SECONDS,
                close_timeout=1,
                max_size=MAX_FRAME_BYTES,
                proxy=proxy,
            )
        except InvalidStatus as error:
            status = error.response.status_code
            cause = _REFUSALS.get(status, "the server refused the live connection")
            raise _ConnectionLost(f"{cause} (HTTP {status})", refused=status in _REFUSALS) from error
        except (OSError, TimeoutError, WebSocketException) as error:
            way = f" through the proxy {without_password(proxy)}" if proxy else ""
            raise _ConnectionLost(f"server {self.target.url} unreachable{way}: {cause_text(error)}") from error

    async def _receive(self, socket: ClientConnection) -> AnyFrame:
        try:
            async with asyncio.timeout(self._silence_seconds):
                text = await socket.recv()
        except TimeoutError as error:
            raise _ConnectionLost(f"no frame received for {self._silence_seconds:g} s") from error
        try:
            frame = FRAMES.validate_json(text)
        except ValidationError as error:
            raise _ConnectionLost(INVALID_FRAME) from error
        if isinstance(frame, Delta) and frame.op == "upsert" and frame.store is None:
            raise _ConnectionLost(INVALID_FRAME)
        return frame
