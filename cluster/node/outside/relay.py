"""A port forwarder into the node's network: `python -m cluster.node.outside.relay PID [LISTEN_PORT ADDRESS PORT]...`.

The process first listens on this machine's loopback interface, then enters the network of the process PID, because a
socket stays in the network in which it was created. So the machine's own network is unchanged, and clients of the node
need no privileges.
"""

import asyncio
import ctypes
import os
import socket
import sys

CLONE_NEWNET = 0x40000000
CHUNK = 1 << 16


def enter_network(pid: int) -> None:
    """Move this process into the network of another one."""
    descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    # os.setns exists since Python 3.12.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        sys.exit(f"relay: cannot enter the network of process {pid}: {os.strerror(ctypes.get_errno())}")
    os.close(descriptor)


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction until its end, and forward the end: a close as a close, a reset as a reset."""
    try:
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        # Without a reset the other side would wait for a response that never comes.
        writer.transport.abort()


async def join(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str, port: int, first: bytes = b""
) -> None:
    """Connect to an address and copy both directions until both have ended."""
    try:
        there_reader, there_writer = await asyncio.open_connection(address, port)
    except OSError:
        writer.transport.abort()
        return
    there_writer.write(first)
    await asyncio.gather(copy(reader, there_writer), copy(there_reader, writer))
    for each in (writer, there_writer):
        each.close()


async def _serve(ports: list[tuple[socket.socket, str, int]]) -> None:
    for listener, address, port in ports:

        async def forward(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str = address, port: int = port
        ) -> None:
            await join(reader, writer, address, port)

        await asyncio.start_server(forward, sock=listener)
    await asyncio.Event().wait()


def main() -> None:
    """Listen, enter the network, and forward until killed."""
    pid, *rest = sys.argv[1:]
    ports = []
    for index in range(0, len(rest), 3):
        listener = socket.create_server(("127.0.0.1", int(rest[index])))
        ports.append((listener, rest[index + 1], int(rest[index + 2])))
    enter_network(int(pid))
    asyncio.run(_serve(ports))


if __name__ == "__main__":
    main()
