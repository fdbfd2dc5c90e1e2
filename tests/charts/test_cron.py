"""The scheduler's sidecar: its script, as rendered, run by a real shell against a real HTTP server.

Excluded: what wp-cron.php does with the call.
"""

import os
import queue
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.charts.conftest import Manifest, Rendered

pytestmark = [
    pytest.mark.parametrize("engine", ["woocommerce"]),
    pytest.mark.skipif(shutil.which("curl") is None, reason="the sidecar calls curl, which is not on PATH"),
]


@dataclass(frozen=True, slots=True)
class Call:
    """One request that reached the server."""

    path: str
    host: str
    scheme: str


class Shop(ThreadingHTTPServer):
    """Returns one status to every request, as soon as it is allowed to, and records the requests."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), ShopHandler)
        self.status = status
        self.calls: queue.Queue[Call] = queue.Queue()
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def url(self) -> str:
        """Where wp-cron.php is."""
        return f"http://127.0.0.1:{self.server_port}/wp-cron.php?doing_wp_cron"


class ShopHandler(BaseHTTPRequestHandler):
    """One request."""

    server: Shop

    def do_GET(self) -> None:
        """Record the request, then respond."""
        self.server.calls.put(Call(self.path, self.headers.get("Host", ""), self.headers.get("X-Forwarded-Proto", "")))
        self.server.may_answer.wait(timeout=20)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Write no log."""


@contextmanager
def shop_answering(status: int) -> Iterator[Shop]:
    """A server that is up inside the block."""
    with Shop(status) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def sidecar(rendered: "Rendered") -> "Manifest":
    """The container as rendered."""
    return rendered.main_containers()["wordpress/cron"]


def environment_of(sidecar: "Manifest", url: str, alive_file: Path, interval_seconds: str) -> dict[str, str]:
    """The container's own variables, with the address, the file and the interval of the test."""
    variables = {variable["name"]: variable["value"] for variable in sidecar["env"]}
    test = {"CRON_URL": url, "CRON_ALIVE_FILE": str(alive_file), "CRON_INTERVAL_SECONDS": interval_seconds}
    assert test.keys() <= variables.keys()
    return variables | test | {"PATH": os.environ["PATH"]}


@contextmanager
def running(sidecar: "Manifest", environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The sidecar's command as a process in its own group, as in a container."""
    with subprocess.Popen(
        sidecar["command"], env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_wordpress_is_called_repeatedly_with_its_own_host_name(sidecar: "Manifest", tmp_path: Path) -> None:
    with shop_answering(200) as shop:
        environment = environment_of(sidecar, shop.url, tmp_path / "alive", "0.1")
        with running(sidecar, environment):
            calls = [shop.calls.get(timeout=20), shop.calls.get(timeout=20)]

    assert calls == [Call("/wp-cron.php?doing_wp_cron", "shop-a.127.0.0.1.nip.io", "http")] * 2


def test_a_failing_wordpress_is_reported_and_called_again(sidecar: "Manifest", tmp_path: Path) -> None:
    with shop_answering(503) as shop:
        environment = environment_of(sidecar, shop.url, tmp_path / "alive", "0.1")
        with running(sidecar, environment) as process:
            shop.calls.get(timeout=20)
            shop.calls.get(timeout=20)
            assert process.poll() is None
            assert process.stderr is not None
            complaints = [process.stderr.readline(), process.stderr.readline()]

    assert f"cron: {shop.url} failed; retrying in 0.1 s\n" in complaints


def test_the_sidecar_stops_immediately_on_a_signal_even_during_a_call(sidecar: "Manifest", tmp_path: Path) -> None:
    with shop_answering(200) as shop:
        shop.may_answer.clear()
        environment = environment_of(sidecar, shop.url, tmp_path / "alive", "0.1")
        with running(sidecar, environment) as process:
            shop.calls.get(timeout=20)
            process.send_signal(signal.SIGTERM)

            assert process.wait(timeout=10) == 0
        shop.may_answer.set()


def test_liveness_follows_the_loop(sidecar: "Manifest", tmp_path: Path) -> None:
    alive_file = tmp_path / "alive"
    environment = environment_of(sidecar, "http://127.0.0.1:9/", alive_file, "3600")
    probe = sidecar["livenessProbe"]["exec"]["command"]

    def is_alive() -> bool:
        return subprocess.run(probe, env=environment, capture_output=True, check=False).returncode == 0

    assert not is_alive()
    alive_file.touch()
    assert is_alive()
    os.utime(alive_file, (0, 0))
    assert not is_alive()
