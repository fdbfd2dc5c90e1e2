"""The socket options of the server's port."""

import asyncio
import socket

import pytest

from server.main import _listener
from server.settings import ServerSettings
from testing.serve import free_port


@pytest.mark.anyio
async def test_a_part_of_a_response_is_sent_before_the_previous_one_is_acknowledged() -> None:
    port = free_port()
    connected: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = writer.get_extra_info("socket")
        connected.set_result(line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listener = _listener(ServerSettings(port=port))
    async with await asyncio.start_server(take, sock=listener):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(connected, 30) == 1
        writer.close()
        await writer.wait_closed()
