"""The door into the node: what the other side does to a connection, this side hears of."""

import asyncio
import contextlib
import socket
import struct

import pytest

from tests.node.relay import join

pytestmark = pytest.mark.anyio


async def ask(behaviour: str) -> bytes:
    """Ask a server through a relay, and return its whole answer."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        if behaviour == "reset":
            # A close without lingering is a reset, as the death of a process may be.
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        else:
            writer.write(b"hello")
        writer.close()

    async def enter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await join(reader, writer, "127.0.0.1", port_of(server))

    async with (
        await asyncio.start_server(answer, "127.0.0.1") as server,
        await asyncio.start_server(enter, "127.0.0.1") as relay,
        asyncio.timeout(30),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(relay))
        writer.write(b"well?\n")
        try:
            return await reader.read()
        finally:
            writer.close()


def port_of(server: asyncio.Server) -> int:
    """Return the port that a server listens on."""
    return int(server.sockets[0].getsockname()[1])


async def test_an_answer_and_its_end_come_through() -> None:
    assert await ask("answer") == b"hello"


async def test_a_connection_that_breaks_is_not_left_waiting() -> None:
    with contextlib.suppress(ConnectionResetError):
        assert await ask("reset") == b""
