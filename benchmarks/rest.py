"""GET /stores: the whole list against a handler that lists from the API server, and "not modified" against a hello.

Both references are Starlette applications on uvicorn with the product's settings, in a separate process of the same
run. Product and reference are called alternately, over one connection each, so that other load affects both equally.
The latency and the processor time are measured; other load affects the processor time less.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from benchmarks.bench import ROOT, bench, cpu_seconds, say, wait_until
from benchmarks.ten_thousand import fill, hold_lease, ready_status
from reconciler.kube.client import Kube
from reconciler.kube.resources import STORES
from reconciler.store.object import StoreObject
from server.stores.representation import store_view
from testing.serve import ServerProcess, free_port

ROUNDS = 5


@dataclass
class Subject:
    """A process that handles the same request repeatedly, and the measurements."""

    port: int
    pid: int
    request: bytes
    status: bytes
    waits: list[float] = field(default_factory=list)
    cpu: float = 0.0

    def send_requests(self, times: int) -> None:
        """Send the request several times over one connection and record the latencies."""
        before = cpu_seconds(self.pid)
        with socket.create_connection(("127.0.0.1", self.port), timeout=120) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(times):
                began = time.perf_counter()
                line.sendall(self.request)
                assert self._answer(line).startswith(b"HTTP/1.1 " + self.status), "unexpected response"
                self.waits.append(time.perf_counter() - began)
        self.cpu += cpu_seconds(self.pid) - before

    def _answer(self, line: socket.socket) -> bytes:
        data = bytearray()
        while b"\r\n\r\n" not in data:
            data += line.recv(1 << 20)
        head, _, body = bytes(data).partition(b"\r\n\r\n")
        fields = head.lower()
        if b"transfer-encoding: chunked" in fields:
            tail = body[-5:]
            while not tail.endswith(b"0\r\n\r\n"):
                tail = (tail + line.recv(1 << 20))[-5:]
        elif b"content-length:" in fields:
            rest = int(fields.split(b"content-length:")[1].split(b"\r\n")[0]) - len(body)
            while rest > 0:
                rest -= len(line.recv(1 << 20))
        return head

    def median_ms(self) -> float:
        """Return the median latency."""
        return statistics.median(self.waits) * 1000

    def cpu_ms(self) -> float:
        """Return the processor time of one request."""
        return self.cpu / len(self.waits) * 1000


def request_for(path: str, **headers: str) -> bytes:
    """Return a GET request as bytes."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        *(f"{name.replace('_', '-')}: {headers[name]}" for name in headers),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def compare(product: Subject, reference: Subject, times: int, reference_times: int) -> None:
    """Call both alternately."""
    for _ in range(ROUNDS):
        product.send_requests(times)
        reference.send_requests(reference_times)


@contextlib.contextmanager
def reference_app(kubeconfig: Path, namespace: str) -> Iterator[tuple[int, int]]:
    """Run the references in a separate process; yield its port and pid."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.rest", "--reference", str(port), str(kubeconfig), namespace]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        wait_until(lambda: is_open(port), 30.0, 0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


def is_open(port: int) -> bool:
    """Return whether a server listens."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


async def serve_reference(port: int, kubeconfig: Path, namespace: str) -> None:
    """Serve a hello, and a list that is read from the API server on each call."""
    kube = await Kube.connect(kubeconfig)

    async def hello(request: Request) -> Response:
        return PlainTextResponse("hello")

    async def stores(request: Request) -> Response:
        page = await kube.list_page(STORES, namespace, {}, metadata_only=False)
        items = sorted(page["items"], key=lambda item: str(item["metadata"]["creationTimestamp"]), reverse=True)
        return JSONResponse({"items": [store_view(StoreObject(item)) for item in items]})

    app = Starlette(routes=[Route("/hello", hello), Route("/stores", stores)])
    config = uvicorn.Config(app, port=port, log_config=None, access_log=False, server_header=False, proxy_headers=False)
    await uvicorn.Server(config).serve()
    await kube.close()


def etag(server: ServerProcess) -> str:
    """Return the current ETag of the list."""
    request = urllib.request.Request(
        f"{server.url}/stores?limit=1", headers={"Authorization": f"Bearer {server.token}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.headers["ETag"])


def measure(count: int, lists: int, hellos: int) -> None:
    """Measure and print."""
    with bench() as found:
        server = found.server()
        hold_lease(found, server.namespace)
        fill(found, server.namespace, count, ready_status(found, server.namespace))
        with server, reference_app(found.cluster.kubeconfig, server.namespace) as (port, pid):
            known = server.call("GET", "/stores")[1]["items"]
            assert len(known) == count, f"expected {count} stores, got {len(known)}"
            token = f"Bearer {server.token}"
            listing = Subject(server.port, server.pid, request_for("/stores", Authorization=token), b"200")
            direct = Subject(port, pid, request_for("/stores"), b"200")
            compare(listing, direct, lists, max(1, lists // 20))
            say(
                f"{count} stores, list from the API server",
                f"{direct.median_ms():.1f} ms, {direct.cpu_ms():.1f} ms CPU",
            )
            say(
                f"{count} stores, GET /stores",
                f"{listing.median_ms():.2f} ms, {listing.cpu_ms():.2f} ms CPU",
                f"{direct.median_ms() / listing.median_ms():.0f}x faster, promised >= 50x",
            )
            conditional = request_for("/stores", Authorization=token, If_None_Match=etag(server))
            unchanged = Subject(server.port, server.pid, conditional, b"304")
            hello = Subject(port, pid, request_for("/hello"), b"200")
            compare(unchanged, hello, hellos, hellos)
            say("Starlette hello", f"{hello.median_ms():.3f} ms, {hello.cpu_ms():.3f} ms CPU")
            say(
                "GET /stores, unchanged (304)",
                f"{unchanged.median_ms():.3f} ms, {unchanged.cpu_ms():.3f} ms CPU",
                f"{hello.median_ms() / unchanged.median_ms():.2f}x the speed, promised >= 0.7x",
            )


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=int, default=1000)
    parser.add_argument("--lists", type=int, default=40, help="lists a round; the reference is asked for a twentieth")
    parser.add_argument("--hellos", type=int, default=1000, help="unchanged answers and hellos a round")
    parser.add_argument("--reference", nargs=3, metavar=("PORT", "KUBECONFIG", "NAMESPACE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.reference:
        port, kubeconfig, namespace = args.reference
        asyncio.run(serve_reference(int(port), Path(kubeconfig), namespace))
    else:
        measure(args.stores, args.lists, args.hellos)


if __name__ == "__main__":
    main()
