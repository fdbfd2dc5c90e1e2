"""The servers of benchmarks.live as separate processes, so that memory and processor time are measured separately.

    python -m benchmarks.live_peers bare PORT FRAME   a bare `websockets` server that broadcasts FRAME for each "go"
    python -m benchmarks.live_peers burst PORT        the product's hub and sockets, with generated changes

Each reads commands as lines from its standard input, and writes results as lines to its standard output.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator

from websockets.asyncio.server import ServerConnection, broadcast, serve

from testing.replica import Replica, store_object

BURST_STORES = 200
STEP_SECONDS = 0.02


async def bare(port: int, frame: str) -> None:
    """Broadcast the same bytes for each line."""
    lines: set[ServerConnection] = set()

    async def handle(line: ServerConnection) -> None:
        lines.add(line)
        await line.send("hello")
        try:
            await line.wait_closed()
        finally:
            lines.discard(line)

    async with serve(handle, "127.0.0.1", port, compression=None, subprotocols=["urumi.v1"]):  # type: ignore[list-item]
        say("ready")
        async for _ in commands():
            broadcast(lines, frame)


async def burst(port: int) -> None:
    """For each line `RATE SECONDS`, change stores at that rate, and print the number of changes."""
    async with Replica(port=port) as replica:
        version = 0
        for number in range(BURST_STORES):
            replica.put(store_object(f"shop-{number}", version, text="x" * 500))
        say("ready")
        async for command in commands():
            rate, seconds = map(float, command.split())
            began, made = time.monotonic(), 0
            while (passed := time.monotonic() - began) < seconds:
                while made < rate * passed:
                    version += 1
                    replica.put(store_object(f"shop-{version % BURST_STORES}", version, text="x" * 500))
                    made += 1
                await asyncio.sleep(STEP_SECONDS)
            replica.put(store_object("the-last-one", version + 1))
            say(f"{made} {max(map(len, replica.hub.outboxes), default=0)}")


async def commands() -> AsyncIterator[str]:
    """Yield the lines of standard input until it ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode().strip()


def say(line: str) -> None:
    """Print a line."""
    print(line, flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "bare":
        asyncio.run(bare(int(sys.argv[2]), sys.argv[3]))
    else:
        asyncio.run(burst(int(sys.argv[2])))
