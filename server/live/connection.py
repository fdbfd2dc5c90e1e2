"""The line to one live subscriber: uvicorn's WebSocket, with a way past it for frames that are the same for everybody.

What a server sends is not masked, so the bytes of a frame are the same on every line: the hub makes them once and each
line writes them as they are. uvicorn would encode a text for each line anew, and hold a task for ever whose peer stops
reading; its `transport.close()` then waits for that same peer. So here is also what ends a line at once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode

if TYPE_CHECKING:
    from starlette.websockets import WebSocket
    from websockets.http11 import Request

EXTENSION = "urumi.line"
SWITCHING = 101


class LineClosed(Exception):
    """Raised when there is nobody any more to write to."""


class Line(WebSocketsSansIOProtocol):
    """uvicorn's protocol; an endpoint finds it by `line_of`."""

    def handle_connect(self, event: Request) -> None:
        """Begin the application's task, which may find this line in its scope."""
        super().handle_connect(event)
        if self.response.status_code == SWITCHING:
            self.scope["extensions"] = {**(self.scope.get("extensions") or {}), EXTENSION: {"line": self}}

    def write(self, frames: bytes) -> bool:
        """Write whole frames; False where the peer is behind and `drained` is to be waited for.

        Raises:
            LineClosed: the line is closed or about to be.
        """
        if self.disconnected or self.close_sent or self.transport.is_closing():
            raise LineClosed
        self.transport.write(frames)
        return self.writable.is_set()

    async def drained(self) -> None:
        """Wait until the peer has read nearly everything."""
        await self.writable.wait()

    async def drop(self, code: int, reason: str, seconds: float) -> None:
        """Close without being held up: the peer has some seconds to read why, then the line is cut."""
        if not (self.disconnected or self.close_sent or self.transport.is_closing()):
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
        try:
            async with asyncio.timeout(seconds):
                await self.drained()
        except TimeoutError:
            self.transport.abort()


def line_of(socket: WebSocket) -> Line:
    """Return the line that a socket goes over.

    Raises:
        RuntimeError: the application runs in a server that was not told to use `Line`.
    """
    line = socket.scope.get("extensions", {}).get(EXTENSION, {}).get("line")
    if not isinstance(line, Line):
        raise RuntimeError("live sockets need uvicorn with ws=server.line.Line")
    return line


def text_frame(text: str) -> bytes:
    """Return a text as the bytes of a whole WebSocket frame from a server."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
