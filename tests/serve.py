"""A server as a process of its own, with a platform namespace, a token and a port of its own."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cluster.local import ClusterInfo
from tests.kubectl import Kubectl, wait_for
from urumi.config import Target


class ServerProcess:
    """`urumi serve` against the test cluster; use as a context manager, or start and stop by hand."""

    python: tuple[str, ...] = (sys.executable,)

    def __init__(
        self, cluster: ClusterInfo, kubectl: Kubectl, folder: Path, *, namespace: str = "", **environ: str
    ) -> None:
        self.cluster = cluster
        self.kubectl = kubectl
        self.namespace = namespace or f"platform-{secrets.token_hex(3)}"
        self.port = free_port()
        self.token = secrets.token_urlsafe(16)
        self.log = folder / "server.log"
        self._folder = folder
        self.environ = environ
        self._process: subprocess.Popen[bytes] | None = None
        if not namespace:
            kubectl.run("create", "namespace", self.namespace)

    @property
    def url(self) -> str:
        """The server's URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def target(self) -> Target:
        """The server and its token, as clients take them."""
        return Target(self.url, self.token)

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.stop()

    def start(self) -> None:
        """Start the server and wait until it is ready."""
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "URUMI_STATE_DIR": str(self._folder / "state"),
            "URUMI_TOKEN": self.token,
            "PLATFORM_NAMESPACE": self.namespace,
            "URUMI_HELM": str(self.cluster.helm),
            "CREATE_RATE_LIMIT": "0",
            **self.environ,
        }
        arguments = ["serve", "--port", str(self.port), "--kubeconfig", str(self.cluster.kubeconfig)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.python, "-m", "urumi.cli.main", *arguments],
                env=environ,
                stdout=log,
                stderr=log,
            )
        wait_for(self._is_ready, f"the server at {self.url}; its log: {self.log}", seconds=60)

    @property
    def running(self) -> bool:
        """Whether the server was started and not ended."""
        return self._process is not None

    def stop(self, seconds: float = 60.0) -> int:
        """End the server with SIGTERM, in so many seconds, and return its exit code."""
        return self._end(signal.SIGTERM, seconds)

    def kill(self) -> None:
        """End the server with SIGKILL."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop the server's process as a debugger or a hypervisor would: it does not know."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        os.kill(self.pid, signal.SIGCONT)

    def is_leading(self) -> bool:
        """Return whether this server says that it is the one that acts."""
        return bool(self.call("GET", "/healthz")[1]["leader"]["isThis"])

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Call the API with the token; return the status and the parsed answer."""
        data = None if body is None else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
        request = urllib.request.Request(self.url + path, data, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def create(self, store_id: str, engine: str = "woocommerce") -> Any:
        """Ask for a store."""
        status, store = self.call("POST", "/stores", {"storeId": store_id, "engine": engine})
        assert status in (200, 202), store
        return store

    def store(self, store_id: str) -> Any:
        """Return a store, None where there is none."""
        status, store = self.call("GET", f"/stores/{store_id}")
        return store if status == 200 else None

    def wait_for_phase(self, store_id: str, phase: str, seconds: float = 90.0) -> Any:
        """Wait until a store has a phase, and return it."""

        def look() -> Any:
            store = self.store(store_id)
            return store if store and store["phase"] == phase else None

        return wait_for(look, f"store {store_id} to be {phase}; it is {self.store(store_id)}", seconds)

    def wait_until_gone(self, store_id: str) -> None:
        """Wait until a store is gone."""
        wait_for(lambda: self.store(store_id) is None, f"store {store_id} to be gone")

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the server ended at its start: {self.log.read_text()[-2000:]}"
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _end(self, number: signal.Signals, seconds: float = 60.0) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        code = self._process.wait(timeout=seconds)
        self._process = None
        return code


def free_port() -> int:
    """Return a port of the loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
