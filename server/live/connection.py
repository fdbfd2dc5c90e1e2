"""The connection of one live subscriber: uvicorn's WebSocket protocol, with direct writes of encoded frames.

A server does not mask its frames, so the bytes of a frame are the same on every connection: the hub encodes a frame
once and each connection writes these bytes. uvicorn's own path would encode the text for each connection, would keep a
task for a peer that stopped reading, and its `transport.close()` would wait for that peer. So the connection also has
`drop`, which ends it within a given time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode

if TYPE_CHECKING:
    from starlette.websockets import WebSocket
    from websockets.http11 import Request

EXTENSION = "urumi.connection"
SWITCHING_PROTOCOLS = 101


class ConnectionEnded(Exception):
    """Raised by a write to a connection that is closed or closing."""


class Connection(WebSocketsSansIOProtocol):
    """uvicorn's protocol; an endpoint gets it from `connection_of`."""

    def handle_connect(self, event: Request) -> None:
        """Start the application's task with this connection in its scope."""
        super().handle_connect(event)
        if self.response.status_code == SWITCHING_PROTOCOLS:
            self.scope["extensions"] = {**(self.scope.get("extensions") or {}), EXTENSION: {"connection": self}}

    def write(self, frames: bytes) -> bool:
        """Write whole frames; return False if the peer is behind and the caller must wait for `drained`.

        Raises:
            ConnectionEnded: the connection is closed or closing.
        """
        if self._is_ending():
            raise ConnectionEnded
        self.transport.write(frames)
        return self.writable.is_set()

    async def drained(self) -> None:
        """Wait until the peer has read nearly everything."""
        await self.writable.wait()

    async def drop(self, code: int, reason: str, seconds: float) -> None:
        """Close with a code and a reason; abort if the peer does not read them in time."""
        if not self._is_ending():
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
        try:
            async with asyncio.timeout(seconds):
                await self.drained()
        except TimeoutError:
            self.transport.abort()

    def _is_ending(self) -> bool:
        return bool(self.disconnected or self.close_sent or self.transport.is_closing())


def connection_of(socket: WebSocket) -> Connection:
    """Return the connection of a socket.

    Raises:
        RuntimeError: uvicorn does not run with `Connection` as its WebSocket protocol.
    """
    connection = socket.scope.get("extensions", {}).get(EXTENSION, {}).get("connection")
    if not isinstance(connection, Connection):
        raise RuntimeError("live sockets need uvicorn with ws=server.live.connection.Connection")
    return connection


def text_frame(text: str) -> bytes:
    """Return a text as the bytes of one WebSocket frame from a server."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
