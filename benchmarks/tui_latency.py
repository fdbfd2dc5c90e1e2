"""The latency of the dashboard at the keyboard: 10,000 stores, 200 changes a second, a real terminal.

    .venv/bin/python benchmarks/tui_latency.py [--stores 10000] [--rate 200] [--keys 200]

A server in a separate process implements the protocol and changes stores; `urumi-tui` runs in a pseudo-terminal of
120x40. A key is `j`; it is painted when the terminal receives the colour of the cursor's line. The reference, in the
same run, is a Textual DataTable with the same columns, rows and changes, updated efficiently (fixed widths, Text cells,
update_cell without widths). The ratio depends less on other load of the machine than the numbers.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import itertools
import json
import os
import pty
import random
import signal
import socket
import statistics
import struct
import subprocess
import sys
import termios
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

ROOT = Path(__file__).resolve().parent.parent
COLUMNS, LINES = 120, 40
CURSOR = (1, 2, 3)  # a colour that only the cursor's line has
CURSOR_SEQUENCE = "48;2;{};{};{}".format(*CURSOR).encode()
START = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
IDLE_SECONDS = 5.0
LOAD = random.Random(7)  # noqa: S311 - the same load in every run


# --- The stores, and a server that changes them


def store(number: int, turn: int = 0) -> dict[str, object]:
    """Return a store in wire format; each turn has another state."""
    name = f"shop-{number:05}"
    made = START + timedelta(seconds=number)
    event = {"message": "waiting for the pods", "timestamp": made.isoformat(), "level": "info", "count": turn + 1}
    return {
        "storeId": name,
        "uid": f"uid-of-{name}",
        "engine": ("woocommerce", "medusa")[number % 2],
        "phase": ("Ready", "Provisioning", "Degraded")[turn % 3],
        "namespace": f"store-{name}",
        "url": f"http://{name}.127.0.0.1.nip.io",
        "createdAt": made.isoformat(),
        "progress": {"step": "health", "index": 5, "total": 6, "message": f"waiting for wordpress 0/1, look {turn}"},
        "events": [{"type": kind, **event} for kind in ("NamespaceReady", "HelmInstalled", "WaitingForWorkloads")],
    }


def serve(port: int, stores: int, rate: int) -> None:
    """Serve the live protocol."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.routing import WebSocketRoute
    from starlette.websockets import WebSocket, WebSocketDisconnect

    async def live(socket: WebSocket) -> None:
        await socket.accept("urumi.v1")
        await socket.receive_text()
        items = [store(number) for number in range(stores)]
        try:
            for start in range(0, stores, 100):
                part = {"type": "snapshot", "epoch": "e", "seq": 1, "stores": items[start : start + 100]}
                await socket.send_text(json.dumps({**part, "last": start + 100 >= stores}))
            async for delta in deltas(stores, rate):
                await socket.send_text(json.dumps(delta))
        except WebSocketDisconnect:
            return

    app = Starlette(routes=[WebSocketRoute("/ws", live)])
    uvicorn.run(app, port=port, ws="websockets-sansio", log_level="critical")


async def deltas(stores: int, rate: int) -> AsyncIterator[dict[str, object]]:
    """Yield changes of random stores at that rate; only bookmarks if it is 0."""
    begun = time.monotonic()
    for turn in itertools.count(1):
        if not rate:
            await asyncio.sleep(1.0)
            yield {"type": "bookmark", "epoch": "e", "seq": 1}
            continue
        await asyncio.sleep(max(0.0, begun + turn / rate - time.monotonic()))
        changed = store(LOAD.randrange(stores), turn)
        identity = {"storeId": changed["storeId"], "uid": changed["uid"]}
        yield {"type": "delta", "seq": turn + 1, "op": "upsert", "store": changed, **identity}


# --- The reference: the same list as a DataTable


def reference(stores: int, rate: int) -> None:
    """Run a DataTable with the same rows and changes."""
    from rich.text import Text
    from textual.app import App, ComposeResult
    from textual.widgets import DataTable

    widths = {"NAME": 22, "PHASE": 14, "PROGRESS": 30, "ENGINE": 11, "AGE": 5, "EVENT": 24}

    def cells(item: dict[str, object]) -> list[Text]:
        row = (item["storeId"], item["phase"], str(item["progress"])[:30], item["engine"], "1h", "1h Waiting")
        return [Text(str(each)) for each in row]

    class Reference(App[None]):
        CSS = f"DataTable:focus > .datatable--cursor {{ background: rgb{CURSOR}; }}"
        BINDINGS = [("j", "down", "down")]  # noqa: RUF012 - Textual's declaration

        def compose(self) -> ComposeResult:
            yield DataTable(cursor_type="row")

        def on_mount(self) -> None:
            self.table = self.query_one(DataTable)
            for title, width in widths.items():
                self.table.add_column(title, key=title, width=width)
            for number in range(stores):
                self.table.add_row(*cells(store(number)), key=str(number))
            self.turns = itertools.count(1)
            self.set_interval(0.1, self.change)

        def change(self) -> None:
            for turn in itertools.islice(self.turns, rate // 10):
                number = LOAD.randrange(stores)
                changed = cells(store(number, turn))
                self.table.update_cell(str(number), "PHASE", changed[1])
                self.table.update_cell(str(number), "PROGRESS", changed[2])

        def action_down(self) -> None:
            self.table.action_cursor_down()

    Reference().run()


# --- A terminal


class Terminal:
    """A program in a pseudo-terminal, whose output is read as it arrives."""

    def __init__(self, arguments: list[str]) -> None:
        self.started = time.perf_counter()
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            os.execve(arguments[0], arguments, environ())  # noqa: S606 - without a shell
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self._seen = b""
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._descriptor, keys)

    def forget(self) -> None:
        """Discard the output so far."""
        with self._changed:
            self._seen = b""

    def wait_for(self, text: bytes, seconds: float = 60.0) -> float:
        """Wait until the text is written, and return the time."""
        with self._changed:
            found = self._changed.wait_for(lambda: text in self._seen, seconds)
        assert found, f"waited {seconds:g} s for {text!r}; last seen: {self._seen[-1000:]!r}"
        return time.perf_counter()

    def cpu_seconds(self) -> float:
        """Return the processor time of the program so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mib(self) -> float:
        """Return the resident memory of the program."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def end(self) -> None:
        """Stop the program."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._descriptor, 65536)
            except OSError:
                return
            with self._changed:
                self._seen += data
                self._changed.notify_all()


def environ() -> dict[str, str]:
    """Return the environment of a program in the terminal."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    nowhere = {"URUMI_STATE_DIR": "/nonexistent", "URUMI_CONFIG": "/nonexistent/config.toml"}
    return {**kept, **nowhere, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": str(ROOT)}


@contextmanager
def server(stores: int, rate: int) -> Iterator[str]:
    """Run the server in a separate process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    part = [sys.executable, __file__, "--part", "server", "--port", str(port)]
    process = subprocess.Popen([*part, "--stores", str(stores), "--rate", str(rate)], env=environ())
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, "the server exited during startup"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@contextmanager
def dashboard(url: str) -> Iterator[Terminal]:
    """Run the dashboard with a cursor of a distinct colour."""
    code = (
        "import sys; from tui.widgets import themes;"
        f"themes.DARK.variables['block-cursor-background'] = 'rgb{CURSOR}';"
        "from tui.main import main; sys.exit(main())"
    )
    terminal = Terminal([sys.executable, "-c", code, "--url", url, "--token", "benchmark"])
    try:
        yield terminal
    finally:
        terminal.end()


# --- Measurements


def key_to_paint(terminal: Terminal, keys: int) -> list[float]:
    """Return the time from each key to its paint, in milliseconds."""
    waits = []
    for _ in range(keys):
        time.sleep(LOAD.uniform(0.03, 0.09))  # typing speed
        terminal.forget()
        begun = time.perf_counter()
        terminal.press(b"j")
        waits.append((terminal.wait_for(CURSOR_SEQUENCE) - begun) * 1000)
    return waits


def p95(values: list[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(values, n=20)[-1]


def first_paints(url: str, runs: int = 5) -> tuple[float, float]:
    """Return how long Python alone and the dashboard take to start, in seconds, medians."""
    bare, painted = [], []
    for _ in range(runs):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], env=environ(), check=True)
        bare.append(time.perf_counter() - begun)
        with dashboard(url) as terminal:
            painted.append(terminal.wait_for(b"Urumi") - terminal.started)
    return statistics.median(bare), statistics.median(painted)


def under_load(stores: int, rate: int, keys: int) -> float:
    """Measure the dashboard under changes, and return its 95th percentile in milliseconds."""
    with server(stores, rate) as url, dashboard(url) as terminal:
        terminal.wait_for(f"{stores:,} stores".encode())
        loaded = time.perf_counter() - terminal.started
        time.sleep(1.0)
        cpu, begun = terminal.cpu_seconds(), time.perf_counter()
        waits = key_to_paint(terminal, keys)
        share = (terminal.cpu_seconds() - cpu) / (time.perf_counter() - begun)
        print(f"start to {stores:,} stores shown        {loaded:7.2f} s")
        print(f"key to paint, median                 {statistics.median(waits):7.1f} ms")
        print(f"key to paint, p95                    {p95(waits):7.1f} ms   goal <= 50")
        print(f"processor, {rate:>4} changes/s and keys   {share:7.2f} cores")
        print(f"memory                               {terminal.rss_mib():7.0f} MiB")
    return p95(waits)


def idle(stores: int) -> None:
    """Measure the idle dashboard."""
    with server(stores, 0) as url, dashboard(url) as terminal:
        terminal.wait_for(f"{stores:,} stores".encode())
        time.sleep(3.0)
        begun = terminal.cpu_seconds()
        time.sleep(IDLE_SECONDS)
        print(f"idle                                 {(terminal.cpu_seconds() - begun) / IDLE_SECONDS:7.3f} cores")


def data_table(stores: int, rate: int, keys: int) -> float:
    """Measure the reference, and return its 95th percentile in milliseconds."""
    part = [sys.executable, __file__, "--part", "reference", "--stores", str(stores), "--rate", str(rate)]
    terminal = Terminal(part)
    try:
        terminal.wait_for(b"shop-00000")
        time.sleep(1.0)
        waits = key_to_paint(terminal, keys)
        print(f"DataTable: key to paint, median      {statistics.median(waits):7.1f} ms")
        print(f"DataTable: key to paint, p95         {p95(waits):7.1f} ms")
    finally:
        terminal.end()
    return p95(waits)


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=200, help="changes a second")
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--part", choices=("server", "reference"), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part == "server":
        serve(args.port, args.stores, args.rate)
    elif args.part == "reference":
        reference(args.stores, args.rate)
    else:
        measure(args.stores, args.rate, args.keys)


def measure(stores: int, rate: int, keys: int) -> None:
    """Measure the dashboard and the reference."""
    with server(stores, 0) as url:
        bare, painted = first_paints(url)
    print(f"python -c pass                       {bare:7.2f} s")
    print(f"start to first paint after that      {painted - bare:7.2f} s    goal <= 0.50")
    idle(stores)
    ours, theirs = under_load(stores, rate, keys), data_table(stores, rate, keys)
    print(f"p95, dashboard / DataTable           {ours / theirs:7.2f}x")


if __name__ == "__main__":
    main()
