"""The door into the node: what the other side does to a connection, this side hears of."""

import asyncio
import contextlib
import socket
import struct

import pytest

from testing.node.relay import join

pytestmark = pytest.mark.anyio


async def ask(behaviour: str) -> bytes:
    """Ask a server through a relay, and return its whole answer."""
    answered = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        if behaviour == "reset":
            # A close without lingering is a reset, as the death of a process may be.
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            writer.write(b"hello")
        await end(writer)
        answered.set()

    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    relay_reader, relay_writer = await asyncio.open_connection(sock=theirs)
    async with asyncio.timeout(30), await asyncio.start_server(answer, "127.0.0.1") as server:
        port = int(server.sockets[0].getsockname()[1])
        relay = asyncio.create_task(join(relay_reader, relay_writer, "127.0.0.1", port))
        writer.write(b"well?\n")
        try:
            return await reader.read()
        finally:
            await end(writer)
            await relay
            await end(relay_writer)
            await answered.wait()


async def end(writer: asyncio.StreamWriter) -> None:
    """Close a connection that may be gone already."""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def test_an_answer_and_its_end_come_through() -> None:
    assert await ask("answer") == b"hello"


async def test_a_connection_that_breaks_is_not_left_waiting() -> None:
    with contextlib.suppress(ConnectionResetError):
        assert await ask("reset") == b""
