"""The live protocol: the latency with a thousand subscribers, the cost of one, and the effect of a burst.

The reference of the first two is a bare `websockets` server that broadcasts the same bytes to the same clients, one
after the other in the same run. For the product the clock starts before the PATCH to the Kubernetes API, so its
time includes the API server, etcd and the watch; for the bare server it starts with the command to send. The burst
is generated in the server's process, at the input of the hub: this API server cannot take 1,000 changes per second.
"""

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from benchmarks.bench import Bench, bench, cpu_seconds, rss_mib, say, store_object
from benchmarks.crowd import Crowd
from reconciler.kube.client import Kube
from reconciler.kube.resources import STORES
from testing.kubectl import wait_for
from testing.replica import TOKEN
from testing.serve import ServerProcess, free_port

DELTA, BOOKMARK = b'"type": "delta"', b'"type": "bookmark"'
STORE_ID = "live-1"
PAUSE_SECONDS = 0.3


@dataclass(frozen=True)
class Fanout:
    """The measurements of one server."""

    latencies_ms: list[float]
    socket_kib: float

    def at(self, share: float) -> float:
        """Return a percentile of the latency."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Peer:
    """A process of benchmarks.live_peers."""

    def __init__(self, *arguments: str) -> None:
        self.port = free_port()
        kind, *rest = arguments
        command = [sys.executable, "-m", "benchmarks.live_peers", kind, str(self.port), *rest]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self._process.pid
        assert self.answer() == "ready"

    def send(self, line: str) -> None:
        """Send it a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        """Return its next line."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def end(self) -> None:
        """Stop it."""
        self._process.kill()
        self._process.communicate()


@contextlib.contextmanager
def peer(*arguments: str) -> Iterator[Peer]:
    """Run a peer inside the block."""
    found = Peer(*arguments)
    try:
        yield found
    finally:
        found.end()


async def measure(
    pid: int, crowd: Crowd, subscribers: int, changes: int, change: Callable[[int], Awaitable[None]]
) -> Fanout:
    """Connect the subscribers, make some changes, and return the latency of each."""
    before = rss_mib(pid)
    await crowd.join(subscribers)
    await asyncio.sleep(2.0)
    socket_kib = (rss_mib(pid) - before) * 1024 / subscribers
    latencies: list[float] = []
    for number in range(changes):
        crowd.listen_again()
        began = time.monotonic()
        await change(number)
        latencies += await crowd.latencies(began)
        await asyncio.sleep(PAUSE_SECONDS)
    crowd.leave()
    return Fanout([seconds * 1000 for seconds in latencies], socket_kib)


async def product(bench: Bench, server: ServerProcess, subscribers: int, changes: int) -> Fanout:
    """Measure the server, each change an annotation on a store."""
    kube = await Kube.connect(bench.cluster.kubeconfig)

    async def change(number: int) -> None:
        patch = {"metadata": {"annotations": {"benchmark": str(number)}}}
        await kube.merge(STORES, STORE_ID, patch, server.namespace)

    crowd = Crowd(server.port, server.token, hello=BOOKMARK, word=DELTA)
    try:
        return await measure(server.pid, crowd, subscribers, changes, change)
    finally:
        await kube.close()


async def stop(server: ServerProcess, subscribers: int) -> float:
    """Return how long the server takes from SIGTERM to its exit, including a goodbye to every subscriber."""
    crowd = Crowd(server.port, server.token, hello=BOOKMARK, word=b'"type": "goodbye"')
    await crowd.join(subscribers)
    began = time.monotonic()
    stopping = asyncio.create_task(asyncio.to_thread(server.stop))
    await crowd.latencies(began)
    assert await stopping == 0
    return time.monotonic() - began


async def reference(frame: str, subscribers: int, changes: int) -> Fanout:
    """Measure the bare server with the same frame."""
    with peer("bare", frame) as found:

        async def change(number: int) -> None:
            found.send("go")

        crowd = Crowd(found.port, "", hello=b"hello", word=DELTA)
        return await measure(found.pid, crowd, subscribers, changes, change)


async def burst(subscribers: int, rate: int, seconds: float) -> None:
    """Measure and print what a burst does to a server."""
    with peer("burst") as found:
        crowd = Crowd(found.port, TOKEN, hello=BOOKMARK, word=b"the-last-one")
        await crowd.join(subscribers)
        # The first burst fills the allocator and the ring buffer; the second one shows whether memory grows.
        await _one_burst(found, crowd, rate, seconds)
        crowd.listen_again()
        memory, cpu, received = rss_mib(found.pid), cpu_seconds(found.pid), sum(c.received_bytes for c in crowd.clients)
        made, waiting, lag = await _one_burst(found, crowd, rate, seconds)
        cores = (cpu_seconds(found.pid) - cpu) / seconds
        mebibytes = (sum(c.received_bytes for c in crowd.clients) - received) / seconds / 1024**2
        say(
            f"burst: {subscribers} subscribers, {seconds:.0f} s", f"{made / seconds:.0f} changes/s", f"{rate} asked for"
        )
        say("burst: memory before / after", f"{memory:.1f} / {rss_mib(found.pid):.1f} MiB", "promised: no growth")
        say("burst: waiting in the fullest outbox", f"{waiting} stores", "of 200")
        say("burst: everybody has the last change after", f"{lag * 1000:.0f} ms", "")
        say("burst: cores, sent", f"{cores:.2f}, {mebibytes:.0f} MiB/s", "")


async def _one_burst(found: Peer, crowd: Crowd, rate: int, seconds: float) -> tuple[int, int, float]:
    found.send(f"{rate} {seconds}")
    made, waiting = map(int, (await asyncio.to_thread(found.answer)).split())
    return made, waiting, max(await crowd.latencies(time.monotonic()))


def frame_of_change(server: ServerProcess) -> str:
    """Return the frame of a change of the store."""
    store = server.store(STORE_ID)
    frame = {"type": "delta", "seq": 100, "op": "upsert", "storeId": STORE_ID, "uid": store["uid"], "store": store}
    return json.dumps(frame)


def make_store(bench: Bench, server: ServerProcess) -> None:
    """Create one Ready store, and wait until no more changes are sent."""
    bench.kubectl.run("create", "-f", "-", given=store_object(server.namespace, STORE_ID, {}))
    wait_for(lambda: server.store(STORE_ID)["phase"] == "Ready", f"{STORE_ID} to be Ready")
    time.sleep(5.0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--changes", type=int, default=30)
    parser.add_argument("--burst-seconds", type=float, default=20.0)
    args = parser.parse_args()
    with bench() as found, found.server() as server:
        make_store(found, server)
        frame = frame_of_change(server)
        bare = asyncio.run(reference(frame, args.subscribers, args.changes))
        ours = asyncio.run(product(found, server, args.subscribers, args.changes))
        stopped = asyncio.run(stop(server, args.subscribers))
    count = args.subscribers
    say(f"bare broadcast to {count}, p50 / p99", f"{bare.at(0.5):.0f} / {bare.at(0.99):.0f} ms", f"{len(frame)} bytes")
    say(f"a change to {count} subscribers, p50 / p99", f"{ours.at(0.5):.0f} / {ours.at(0.99):.0f} ms", "<= 250 ms")
    say("p99 against the bare one", f"{ours.at(0.99) / bare.at(0.99):.2f}x", "promised <= 2x")
    say("memory of an idle socket, bare", f"{bare.socket_kib:.1f} KiB")
    ratio = ours.socket_kib / bare.socket_kib
    say("memory of an idle socket", f"{ours.socket_kib:.1f} KiB", f"{ratio:.2f}x the bare one")
    say(f"SIGTERM with {count} open sockets", f"{stopped:.1f} s", "everybody told; 40 s are given")
    asyncio.run(burst(200, 1000, args.burst_seconds))


if __name__ == "__main__":
    main()
