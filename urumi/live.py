"""The live feed: one WebSocket that never gives up, as a stream of plain values for a face to show.

    connect -> subscribe(resume?) -> StoreSnapshot, or the missed changes -> Change, Heartbeat, ... -> lost -> connect

The feed remembers the last position it has seen (epoch, seq) and asks to resume from there. Any failure (no server, a
wrong token, a frame that is not part of the protocol) becomes a `ConnectionState` with a message, followed by another
attempt after a jittered wait; iterating never raises by itself. Not guaranteed: that every intermediate state of a
store is seen. The server folds changes for slow readers; the newest state always arrives.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

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

SILENCE_SECONDS = 35.0  # the server bookmarks every 10 s; three missed ones mean the line is dead
OPEN_SECONDS = 10.0
WAIT_FIRST_SECONDS = 0.5
WAIT_MOST_SECONDS = 30.0
MAX_FRAME_BYTES = 16 * 1024 * 1024
NOT_OF_PROTOCOL = f"the server sent a frame that is not of {SUBPROTOCOL}; upgrade this program or the server"

AnyFrame = Snapshot | Delta | Bookmark | Resync | Goodbye


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """The state of the connection, in words; `retry_seconds` is the wait before the next attempt."""

    state: Literal["connecting", "live", "reconnecting", "refused"]
    detail: str = ""
    attempt: int = 0
    retry_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class StoreSnapshot:
    """All stores as they are now; replaces whatever was known."""

    stores: tuple[Store, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One store is new or different (`store`), or gone (`store` is None)."""

    store_id: str
    uid: str
    store: Store | None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The server is there and nothing changed.

    Args:
        age_seconds: how long the cluster has been silent to it.
        cluster_error: why the cluster is out of its sight; empty where nothing is known against it.
    """

    age_seconds: float
    cluster_error: str = ""


FeedEvent = ConnectionState | StoreSnapshot | Change | Heartbeat


class _Lost(Exception):
    """Raised inside the feed when a connection is over, with the reason for a person."""

    def __init__(self, detail: str, *, refused: bool = False, retry_seconds: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.refused = refused
        self.retry_seconds = retry_seconds


class LiveFeed:
    """A subscription to all stores, or to some by id, that reconnects for ever.

    Args:
        target: the server.
        store_ids: the stores to hear of; None for all.
        silence_seconds: how long nothing may be heard before the line is taken for dead.
    """

    def __init__(
        self, target: Target, *, store_ids: tuple[str, ...] | None = None, silence_seconds: float = SILENCE_SECONDS
    ) -> None:
        self.target = target
        self._silence_seconds = silence_seconds
        self._stores: Literal["all"] | tuple[str, ...] = "all" if store_ids is None else store_ids
        self._place: Resume | None = None
        self._hurry = asyncio.Event()
        self._attempt = 0

    def reconnect_now(self) -> None:
        """End the wait before the next attempt."""
        self._hurry.set()

    async def events(self) -> AsyncGenerator[FeedEvent, None]:
        """Yield what happens, for ever; close the iterator to close the socket."""
        while True:
            yield ConnectionState("connecting", attempt=self._attempt)
            try:
                async with aclosing(self._one_connection()) as events:
                    async for event in events:
                        yield event
            except _Lost as lost:
                self._attempt += 1
                wait = self._wait_seconds(lost)
                state: Literal["refused", "reconnecting"] = "refused" if lost.refused else "reconnecting"
                self._hurry.clear()
                yield ConnectionState(state, lost.detail, self._attempt, wait)
                await self._pause(wait)

    def _wait_seconds(self, lost: _Lost) -> float:
        if lost.retry_seconds is not None:
            return lost.retry_seconds * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
        if lost.refused:
            return WAIT_MOST_SECONDS
        most = min(WAIT_MOST_SECONDS, WAIT_FIRST_SECONDS * 2 ** min(self._attempt, 10))
        return random.uniform(WAIT_FIRST_SECONDS / 2, most)  # noqa: S311 - jitter

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        except TimeoutError:
            return

    async def _one_connection(self) -> AsyncGenerator[FeedEvent, None]:
        socket = await self._open()
        try:
            await socket.send(_text(Subscribe(resume=self._place, stores=self._stores)))
            async with aclosing(self._read(socket)) as events:
                async for event in events:
                    yield event
        except ConnectionClosed as error:
            raise _Lost(_close_reason(error)) from error
        finally:
            # The close handshake is given a moment only: a dead line must not hold the next attempt up.
            await _close(socket)

    async def _open(self) -> ClientConnection:
        headers = {"Authorization": f"Bearer {self.target.token}"} if self.target.token else {}
        try:
            return await connect(
                "ws" + self.target.url.removeprefix("http") + "/ws",
                subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]  # Subprotocol is a NewType of str
                additional_headers=headers,
                open_timeout=OPEN_SECONDS,
                close_timeout=1,
                max_size=MAX_FRAME_BYTES,
            )
        except InvalidStatus as error:
            raise _denied(error.response.status_code) from error
        except (OSError, TimeoutError, WebSocketException, ImportError) as error:
            # ImportError: the environment names a SOCKS proxy, which needs a package of its own.
            raise _Lost(f"no answer from {self.target.url}: {_reason(error)}") from error

    async def _read(self, socket: ClientConnection) -> AsyncGenerator[FeedEvent, None]:
        parts: list[Store] = []
        live = False
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
                        self._place = Resume(epoch=frame.epoch, seq=frame.seq)
                        yield StoreSnapshot(tuple(parts))
                        parts = []
                case Delta():
                    self._advance(frame.seq)
                    yield Change(frame.store_id, frame.uid, frame.store if frame.op == "upsert" else None)
                case Bookmark():
                    self._place = Resume(epoch=frame.epoch, seq=frame.seq)
                    yield Heartbeat(frame.age_seconds, frame.cluster_error)
                case Resync():
                    self._place, parts = None, []
                case Goodbye():
                    raise _Lost(f"the server says goodbye: {frame.reason}", retry_seconds=frame.retry_ms / 1000)

    async def _receive(self, socket: ClientConnection) -> AnyFrame:
        try:
            async with asyncio.timeout(self._silence_seconds):
                text = await socket.recv()
        except TimeoutError as error:
            raise _Lost(f"nothing heard for {self._silence_seconds:g} s") from error
        try:
            frame = FRAMES.validate_json(text)
        except ValidationError as error:
            raise _Lost(NOT_OF_PROTOCOL) from error
        if isinstance(frame, Delta) and frame.op == "upsert" and frame.store is None:
            raise _Lost(NOT_OF_PROTOCOL)
        return frame

    def _advance(self, seq: int) -> None:
        if self._place is not None:
            self._place = Resume(epoch=self._place.epoch, seq=seq)


async def _close(socket: ClientConnection) -> None:
    try:
        async with asyncio.timeout(1.5):
            await socket.close()
    except (TimeoutError, OSError):
        socket.transport.abort()


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__


def _denied(status: int) -> _Lost:
    if status in (401, 403):
        return _Lost(f"the token was not accepted (HTTP {status})", refused=True)
    return _Lost(f"the server refused the live connection (HTTP {status})")


def _close_reason(error: ConnectionClosed) -> str:
    close = error.rcvd
    if close is None:
        return "the connection broke"
    if close.code == 1013:
        return "the server dropped this connection: it did not keep up"
    return f"the server closed the connection ({close.code}{' ' + close.reason if close.reason else ''})"


def _text(frame: Subscribe) -> str:
    return json.dumps(dump(frame))
