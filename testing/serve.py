"""A server as a separate process, with its own platform namespace, token and port."""

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
from typing import Self

from cluster.local.cluster import ClusterInfo
from testing.caller import Caller
from testing.kubectl import Kubectl, wait_for


class ServerProcess(Caller):
    """`urumi serve` against the test cluster; use as a context manager, or call `start` and `stop`."""

    python: tuple[str, ...] = (sys.executable,)

    def __init__(
        self, cluster: ClusterInfo, kubectl: Kubectl, folder: Path, *, namespace: str = "", **environ: str
    ) -> None:
        self.port = free_port()
        platform_namespace = namespace or f"platform-{secrets.token_hex(3)}"
        super().__init__(f"http://127.0.0.1:{self.port}", secrets.token_urlsafe(16), platform_namespace)
        self.cluster = cluster
        self.kubectl = kubectl
        self.log = folder / "server.log"
        self._folder = folder
        self.environ = environ
        self._process: subprocess.Popen[bytes] | None = None
        if not namespace:
            kubectl.run("create", "namespace", self.namespace)

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
            "URUMI_PLATFORM_NAMESPACE": self.namespace,
            "URUMI_HELM": str(self.cluster.helm),
            "URUMI_CREATE_RATE_LIMIT": "0",
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
        """Whether the server was started and not stopped."""
        return self._process is not None

    def stop(self, seconds: float = 60.0) -> int:
        """Stop the server with SIGTERM within that many seconds, and return its exit code."""
        return self._end(signal.SIGTERM, seconds)

    def kill(self) -> None:
        """Kill the server with SIGKILL."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Suspend the server's process, as a debugger or a hypervisor would."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume a frozen server."""
        os.kill(self.pid, signal.SIGCONT)

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the server exited during startup: {self.log.read_text()[-2000:]}"
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as error:
            error.close()
            return False
        except OSError:
            return False

    def _end(self, number: signal.Signals, seconds: float = 60.0) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        code = self._process.wait(timeout=seconds)
        self._process = None
        return code


def free_port() -> int:
    """Return a port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
