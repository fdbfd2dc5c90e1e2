"""A thousand WebSocket clients in one process at little cost: they record when bytes arrive and parse no frames.

Parsing frames in the client would add to the measured time; only the arrival of the bytes is measured.
"""

import asyncio
import base64
import json
import os
import struct
import time
from collections.abc import Callable

OPCODE_TEXT, FIN, MASKED = 0x1, 0x80, 0x80
# The header of a four-byte ping, as uvicorn and websockets send it, and the header of the pong.
PING, PONG = b"\x89\x04", b"\x8a\x84" + bytes(4)
PATIENCE_SECONDS = 120.0


class Client(asyncio.Protocol):
    """One client: connects, subscribes, and searches the received bytes for a marker."""

    def __init__(self, crowd: "Crowd") -> None:
        self.transport: asyncio.Transport | None = None
        self.is_subscribed = False
        self.received_at = 0.0
        self.received_bytes = 0
        self._crowd = crowd
        self._is_upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the upgrade request."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            "GET /ws HTTP/1.1",
            "Host: 127.0.0.1",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Protocol: urumi.v1",
            f"Authorization: Bearer {self._crowd.token}",
        ]
        transport.write("\r\n".join([*lines, "", ""]).encode())

    def data_received(self, data: bytes) -> None:
        """Subscribe once connected, then record when the marker arrives."""
        assert self.transport is not None
        self.received_bytes += len(data)
        if not self._is_upgraded:
            assert data.startswith(b"HTTP/1.1 101"), data[:200]
            self._is_upgraded = True
            self.transport.write(masked(json.dumps({"type": "subscribe", "stores": "all"})))
        elif (ping := data.find(PING)) >= 0:
            # The bytes of another frame may look like a ping; servers ignore a pong that they did not request.
            self.transport.write(PONG + data[ping + 2 : ping + 6].ljust(4, b"\0"))
        if self._crowd.hello in data:
            self.is_subscribed = True
        if self.received_at == 0.0 and self._crowd.word in data:
            self.received_at = time.monotonic()
            self._crowd.received += 1


class Crowd:
    """All clients.

    Args:
        port: the server's port on loopback.
        token: the bearer token.
        hello: a text in the last initial frame of a subscription.
        word: a text in every measured frame.
    """

    def __init__(self, port: int, token: str, *, hello: bytes, word: bytes) -> None:
        self.token = token
        self.hello = hello
        self.word = word
        self.received = 0
        self.clients: list[Client] = []
        self._port = port

    async def join(self, count: int) -> None:
        """Connect and subscribe, a few at a time."""
        for start in range(0, count, 50):
            for _ in range(min(50, count - start)):
                _, client = await asyncio.get_running_loop().create_connection(
                    lambda: Client(self), "127.0.0.1", self._port
                )
                self.clients.append(client)
            await self._until(lambda: all(client.is_subscribed for client in self.clients))

    async def latencies(self, began: float) -> list[float]:
        """Wait until every client has received the marker, and return the time of each."""
        await self._until(lambda: self.received == len(self.clients))
        return [client.received_at - began for client in self.clients]

    def listen_again(self) -> None:
        """Reset the clients."""
        self.received = 0
        for client in self.clients:
            client.received_at = 0.0

    def leave(self) -> None:
        """Close every connection."""
        for client in self.clients:
            if client.transport is not None:
                client.transport.abort()

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():  # noqa: ASYNC110 - a thousand callbacks change the condition
                await asyncio.sleep(0.005)


def masked(text: str) -> bytes:
    """Return a text as a frame of a client; a mask of zeros does not change it."""
    data = text.encode()
    length = bytes([MASKED | len(data)]) if len(data) < 126 else bytes([MASKED | 126]) + struct.pack("!H", len(data))
    return bytes([FIN | OPCODE_TEXT]) + length + bytes(4) + data
