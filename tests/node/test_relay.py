"""The port forwarder: responses, ends and resets of a connection are forwarded."""

import asyncio
import contextlib
import socket
import struct

import pytest

from cluster.node.outside.relay import join

pytestmark = pytest.mark.anyio


async def response_to(behaviour: str) -> bytes:
    """Send a request through a relay to a server with this behaviour, and return the whole response."""
    answered = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        if behaviour == "reset":
            # A close with a linger time of zero is a reset, as when a process is killed.
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
    """Close a connection that may already be closed."""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def test_a_response_and_its_end_are_forwarded() -> None:
    assert await response_to("answer") == b"hello"


async def test_a_reset_is_forwarded() -> None:
    with contextlib.suppress(ConnectionResetError):
        assert await response_to("reset") == b""
