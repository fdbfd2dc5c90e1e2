"""A reverse proxy in front of the real API server that injects faults.

    client --http--> ApiProxy (loopback, its own thread and loop) --https--> kube-apiserver

It parses HTTP, so it distinguishes watches from lists and can answer, end, corrupt or delay only some calls. Each fault
is a context manager; several may be active at once, and the last one applies first. `only` selects the calls:
`everything`, `watches`, `lists`, or `of("configmaps", "watch", "list")`.

    with ApiProxy(cluster, tmp_path) as proxy:
        ServerProcess(proxy.cluster, ...)         # or Kube.connect(proxy.cluster.kubeconfig), helm --kubeconfig ...
        with proxy.black_hole():                  # a partition: no data passes, no connection is refused
            ...
        with proxy.black_hole(lasting=True):      # open connections stay dead afterwards
            ...
        with proxy.answering(429, headers={"Retry-After": "3"}, only=watches): ...
        with proxy.ending(after_lines=0): ...     # watches respond 200 and end cleanly
        with proxy.cutting(after_seconds=1.0): ...  # connections are reset; 0 is a server that is down
        with proxy.delaying(2.0, only=lists): ...
        with proxy.rewriting(lambda before, line: [line, line]): ...  # the lines that a watch sends for each line
        proxy.inject(b'{"type":"ERROR",...}')     # one more line to every open watch
        proxy.calls_of(watches)                   # every call so far, with time, verb, path and status

Connections to the API server are not tied to those of a client. The black hole accepts connections and then sends
nothing: it cannot drop the first packet of TCP. If the API server is down, the client's connection is reset.
"""

import asyncio
import contextlib
import json
import socket
import ssl
import struct
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

import aiohttp
from aiohttp import AddrInfoType, web
from yarl import URL

from cluster.local.cluster import ClusterInfo
from testing.faults.call import Call, Only, call_of, everything, watches
from testing.kubectl import Kubectl, wait_for

START_SECONDS = 10.0
MAX_BODY_BYTES = 16 * 1024 * 1024
# Headers of one connection, not of a call (RFC 9110, 7.6.1), and those that aiohttp sets.
HOP_HEADERS = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "content-length", "host"})

Rewrite = Callable[[list[bytes], bytes], list[bytes]]


@dataclass(eq=False)
class Fault:
    """A fault of the calls that `only` matches, while it is active."""

    only: Only
    over: asyncio.Event = field(default_factory=asyncio.Event)
    is_black_hole: bool = False
    is_lasting: bool = False
    answer: tuple[int, bytes, Mapping[str, str]] | None = None
    ends_after_lines: int | None = None
    cuts_after_seconds: float | None = None
    delay_seconds: float = 0.0
    rewrite: Rewrite | None = None


@dataclass(eq=False)
class Exchange:
    """A call on its way through the proxy."""

    call: Call
    request: web.Request
    stream: web.StreamResponse | None = None
    is_dead: bool = False
    lines: list[bytes] = field(default_factory=list)


class ApiProxy:
    """The proxy; use as a context manager, from any other thread."""

    def __init__(self, cluster: ClusterInfo, folder: Path) -> None:
        config = json.loads(Kubectl(cluster).run("config", "view", "--raw", "--minify", "-o", "json"))
        upstream = config["clusters"][0]["cluster"]
        self.calls: list[Call] = []
        self.token = str(config["users"][0]["user"]["token"])
        self.direct = cluster
        self.folder = folder
        self.cluster = replace(cluster, kubeconfig=folder / "proxy.kubeconfig")
        self._server = str(upstream["server"])
        self._authority = b64decode(upstream["certificate-authority-data"]).decode()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._upstreams: WeakSet[socket.socket] = WeakSet()
        self._faults: list[Fault] = []
        self._open: set[Exchange] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="api proxy", daemon=True)
        self._started = threading.Event()
        self._stopped = asyncio.Event()
        write_kubeconfig(self.cluster.kubeconfig, self.url, {"token": self.token})

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(START_SECONDS), "the proxy did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(START_SECONDS)
        assert not self._thread.is_alive(), "the proxy did not stop"

    def calls_of(self, only: Only = everything, since: float = 0.0) -> list[Call]:
        """Return the calls since a moment of time.monotonic()."""
        return [call for call in list(self.calls) if only(call) and call.at >= since]

    def wait_for_call(self, only: Only = everything, since: float = 0.0) -> Call:
        """Wait for such a call, and return it."""
        return wait_for(lambda: self.calls_of(only, since), "a call")[0]

    def black_hole(self, only: Only = everything, *, lasting: bool = False) -> contextlib.AbstractContextManager[None]:
        """Pass no data in either direction; with `lasting`, calls that are open now never receive data again."""
        return self._on(Fault(only, is_black_hole=True, is_lasting=lasting))

    def answering(
        self, status: int, body: bytes = b"", *, headers: Mapping[str, str] | None = None, only: Only = everything
    ) -> contextlib.AbstractContextManager[None]:
        """Respond to new calls instead of the API server, and reset the open watches."""
        return self._on(Fault(only, answer=(status, body, headers or {})), end_watches=True)

    def ending(self, only: Only = watches, *, after_lines: int = 0) -> contextlib.AbstractContextManager[None]:
        """End new watches cleanly after some lines, and reset the open ones."""
        return self._on(Fault(only, ends_after_lines=after_lines), end_watches=True)

    def cutting(
        self, only: Only = everything, *, after_seconds: float = 0.0
    ) -> contextlib.AbstractContextManager[None]:
        """Reset each new call after that time, open watches at once; with 0 no call reaches the API server."""
        return self._on(Fault(only, cuts_after_seconds=after_seconds), end_watches=True)

    def delaying(self, seconds: float, only: Only = everything) -> contextlib.AbstractContextManager[None]:
        """Pass new calls on after a delay."""
        return self._on(Fault(only, delay_seconds=seconds))

    def rewriting(self, rewrite: Rewrite, only: Only = watches) -> contextlib.AbstractContextManager[None]:
        """Send what `rewrite(lines so far, line)` returns in place of each line of a watch."""
        return self._on(Fault(only, rewrite=rewrite))

    def inject(self, line: bytes, only: Only = watches) -> int:
        """Send one more line to every open watch; return how many there are."""
        return asyncio.run_coroutine_threadsafe(self._inject(line, only), self._loop).result(START_SECONDS)

    def cut(self, only: Only = everything) -> None:
        """Reset the connections of all open watches, once."""
        with self.cutting(only):
            pass

    @contextlib.contextmanager
    def _on(self, fault: Fault, *, end_watches: bool = False) -> Iterator[None]:
        asyncio.run_coroutine_threadsafe(self._add(fault, end_watches), self._loop).result(START_SECONDS)
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(self._remove(fault), self._loop).result(START_SECONDS)

    async def _add(self, fault: Fault, end_watches: bool) -> None:
        self._faults.insert(0, fault)
        for exchange in [each for each in self._open if fault.only(each.call)]:
            exchange.is_dead |= fault.is_lasting
            if end_watches and exchange.stream is not None:
                _reset(exchange.request)

    async def _remove(self, fault: Fault) -> None:
        self._faults.remove(fault)
        fault.over.set()

    async def _inject(self, line: bytes, only: Only) -> int:
        streams = [each.stream for each in self._open if each.stream is not None and only(each.call)]
        for stream in streams:
            await stream.write(line.rstrip() + b"\n")
        return len(streams)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        context = ssl.create_default_context(cadata=self._authority)
        connector = aiohttp.TCPConnector(ssl=context, limit=0, socket_factory=self._socket)
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as session:
            self._session = session
            runner = web.AppRunner(self._app(), access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
            await runner.setup()
            site = web.SockSite(runner, self._listener)
            await site.start()
            self._started.set()
            await self._stopped.wait()
            await site.stop()
            await _until(self._has_ended_calls)
            await runner.cleanup()
        # aiohttp does not wait for the TLS close of a connection that was abandoned during a call.
        await _until(lambda: all(upstream.fileno() == -1 for upstream in self._upstreams))

    def _has_ended_calls(self) -> bool:
        # A call that was just accepted may still arrive.
        for exchange in self._open:
            _reset(exchange.request)
        return not self._open

    def _socket(self, address: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, _ = address
        upstream = socket.socket(family, kind, protocol)
        self._upstreams.add(upstream)
        return upstream

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        exchange = Exchange(call_of(request.method, request.path, request.query), request)
        self.calls.append(exchange.call)
        self._open.add(exchange)
        cuts = self._find(exchange, lambda fault: fault.cuts_after_seconds is not None)
        timer = self._loop.call_later(cuts.cuts_after_seconds or 0.0, _reset, request) if cuts else None
        try:
            answer = await self._answer(exchange)
        except aiohttp.ClientError:
            _reset(request)
            return web.Response()
        finally:
            self._open.discard(exchange)
            if timer is not None:
                timer.cancel()
        return answer

    async def _answer(self, exchange: Exchange) -> web.StreamResponse:
        await self._hold(exchange)
        body = await exchange.request.read()
        cuts = self._find(exchange, lambda fault: fault.cuts_after_seconds == 0.0)
        if cuts is not None:
            _reset(exchange.request)
            await cuts.over.wait()
        delay = self._find(exchange, lambda fault: fault.delay_seconds > 0)
        if delay is not None:
            await asyncio.sleep(delay.delay_seconds)
        instead = self._find(exchange, lambda fault: fault.answer is not None)
        if instead is not None and instead.answer is not None:
            exchange.call.status = instead.answer[0]
            return web.Response(status=instead.answer[0], body=instead.answer[1], headers=instead.answer[2])
        return await self._forward(exchange, body)

    async def _forward(self, exchange: Exchange, body: bytes) -> web.StreamResponse:
        request = exchange.request
        url = URL(self._server + request.raw_path, encoded=True)
        # Go clients send no token over plain HTTP, so calls without one get the cluster's token.
        headers = {"Authorization": f"Bearer {self.token}", **_kept(request.headers)}
        async with self._session.request(request.method, url, data=body or None, headers=headers) as upstream:
            exchange.call.status = upstream.status
            await self._hold(exchange)
            if watches(exchange.call) and upstream.status == 200:
                return await self._stream(exchange, upstream)
            data = await upstream.read()
            await self._hold(exchange)
            return web.Response(status=upstream.status, headers=_kept(upstream.headers), body=data)

    async def _stream(self, exchange: Exchange, upstream: aiohttp.ClientResponse) -> web.StreamResponse:
        stream = web.StreamResponse(status=upstream.status, headers=_kept(upstream.headers))
        await stream.prepare(exchange.request)
        exchange.stream = stream
        while not self._is_full(exchange):
            line = await upstream.content.readline()
            if not line:
                break
            await self._hold(exchange)
            rewrites = self._find(exchange, lambda fault: fault.rewrite is not None)
            sent = rewrites.rewrite(exchange.lines, line) if rewrites and rewrites.rewrite else [line]
            exchange.lines.append(line)
            for each in sent:
                await stream.write(each)
        return stream

    def _is_full(self, exchange: Exchange) -> bool:
        ends = self._find(exchange, lambda fault: fault.ends_after_lines is not None)
        return ends is not None and len(exchange.lines) >= (ends.ends_after_lines or 0)

    async def _hold(self, exchange: Exchange) -> None:
        """Wait while a black hole is active, indefinitely if the call was open in a lasting one."""
        while hole := self._find(exchange, lambda fault: fault.is_black_hole):
            exchange.is_dead |= hole.is_lasting
            await hole.over.wait()
        if exchange.is_dead:
            await asyncio.Event().wait()

    def _find(self, exchange: Exchange, is_kind: Callable[[Fault], bool]) -> Fault | None:
        return next((fault for fault in self._faults if is_kind(fault) and fault.only(exchange.call)), None)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(START_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


def write_kubeconfig(path: Path, server: str, user: Mapping[str, Any]) -> None:
    """Write a kubeconfig for a server; JSON is YAML too."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "proxy", "cluster": {"server": server}}],
        "users": [{"name": "proxy", "user": dict(user)}],
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
        "current-context": "proxy",
    }
    path.write_text(json.dumps(config))
    path.chmod(0o600)


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in HOP_HEADERS}


def _reset(request: web.Request) -> None:
    # Closing with a linger time of zero sends RST, not FIN.
    if request.transport is not None:
        peer = request.transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
