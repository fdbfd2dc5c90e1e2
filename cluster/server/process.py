"""`urumi serve` as a process of this machine: started, restarted when its code or settings changed, stopped.

Its pid and the digest of what it was started from are files in the state folder, so every run of setup.sh finds it. It
has its own session: neither ctrl-c nor a closed terminal stops it.
"""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from cluster.errors import SetupError
from cluster.local.component import command_line, is_alive, wait_until
from cluster.place import Place
from cluster.server.code import code_digest

HOST = "127.0.0.1"
READY_SECONDS = 60.0
STOP_SECONDS = 20.0
CALL_SECONDS = 5.0
POLL_SECONDS = 0.2
REPORT_SECONDS = 5.0
LOG_LINES = 5
# The shell has its own session, so ctrl-c cannot prevent it from recording the pid.
DETACH = '"$@" & echo $! >"$0"'
NOTHING: Mapping[str, str] = MappingProxyType({})


class ServerProcess:
    """The server of one state folder; `environ` is added to its environment."""

    def __init__(
        self, place: Place, environ: Mapping[str, str] = NOTHING, ready_seconds: float = READY_SECONDS
    ) -> None:
        self._place = place
        self._environ = environ
        self._ready_seconds = ready_seconds
        self._pid_file = place.state / "server.pid"
        self._digest_file = place.state / "server.code"
        self._checkout_file = place.state / "server.checkout"
        self.log = place.state / "server.log"

    def pid(self) -> int | None:
        """Return its pid if it is running. The command line is compared too, because pids are reused."""
        pid = self._recorded_pid()
        words = command_line(pid)
        # The line is empty for a moment during exec, and while the process exits but still holds its port.
        return pid if "urumi serve" in words or (not words and is_alive(pid)) else None

    def port(self) -> int | None:
        """Return the port on which it listens or last listened, also if the file that clients read is lost."""
        recorded = self._recorded_port()
        return self._port_of_process() if recorded is None else recorded

    def checkout(self) -> Path | None:
        """Return the checkout from which it was started, None if that is unknown or was deleted."""
        folder = _text(self._checkout_file).strip()
        return Path(folder) if folder and Path(folder, "setup.sh").exists() else None

    def is_ready(self, port: int) -> bool:
        """Return whether it responds that it is ready."""
        return _readyz(port)[0] == 200

    def missing(self, port: int) -> str:
        """Return why it is not ready, as it reports it."""
        return " ".join(_readyz(port)[1].split()) or "it does not respond."

    def ensure(self, port: int, kubeconfig: Path, helm: Path) -> None:
        """Start it, or restart it if its code or settings changed or it is not ready.

        Raises:
            SetupError: it exited or did not become ready; states why.
        """
        digest = f"{code_digest(self._place.root)} {kubeconfig} {helm} {sorted(self._environ.items())}\n"
        if self.pid() is not None:
            if self._recorded_port() == port and _text(self._digest_file) == digest and self.is_ready(port):
                self._place.console.say("      The server is already running.")
                return
            self._place.console.say(
                "      The running server has other code or settings, or is not ready. Restarting it."
            )
            self.stop()
        self._start(port, kubeconfig, helm)
        self._digest_file.write_text(digest)

    def stop(self) -> bool:
        """Stop it, and return whether it was running."""
        pid = self.pid()
        if pid is not None:
            _signal(pid, signal.SIGTERM)
            while not wait_until(lambda: self.pid() is None, STOP_SECONDS, POLL_SECONDS):
                _signal(pid, signal.SIGKILL)
        self._pid_file.unlink(missing_ok=True)
        return pid is not None

    def delete_files(self) -> None:
        """Delete its logs and settings."""
        files = (self.log, _older(self.log), self._digest_file, self._checkout_file, self._place.server_file)
        for path in files:
            path.unlink(missing_ok=True)

    def _recorded_port(self) -> int | None:
        try:
            return urlsplit(str(json.loads(self._place.server_file.read_text())["url"])).port
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _port_of_process(self) -> int | None:
        pid = self.pid()
        _, _, rest = (command_line(pid) if pid is not None else "").partition(" --port ")
        port = rest.partition(" ")[0]
        return int(port) if port.isdigit() else None

    def _start(self, port: int, kubeconfig: Path, helm: Path) -> None:
        # Keeps one older log, so that neither grows without limit.
        if self.log.exists():
            self.log.replace(_older(self.log))
        command = [str(self._place.program("urumi")), "serve", "--host", HOST, "--port", str(port)]
        command += ["--kubeconfig", str(kubeconfig), "--helm", str(helm)]
        output = os.open(self.log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            subprocess.run(
                ["/bin/sh", "-c", DETACH, str(self._pid_file), *command],
                cwd=self._place.root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self._environ},
                start_new_session=True,
                check=True,
            )
        finally:
            os.close(output)
        self._checkout_file.write_text(f"{self._place.root}\n")
        self._wait_until_ready(port)

    def _recorded_pid(self) -> int:
        """Return the pid in its file, -1 without a valid one."""
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return -1
        return pid if pid < 2**31 else -1

    def _wait_until_ready(self, port: int) -> None:
        started = reported = time.monotonic()
        while not self.is_ready(port):
            now = time.monotonic()
            if not is_alive(self._recorded_pid()):
                lines = "\n".join(f"      {line}" for line in _text(self.log).splitlines()[-LOG_LINES:])
                raise SetupError(f"The server exited during startup. The end of {self.log}:\n{lines}")
            if now - started >= self._ready_seconds:
                raise SetupError(
                    f"The server is not ready after {self._ready_seconds:.0f} s: {self.missing(port)}",
                    hint=f"See {self.log}",
                )
            if now - reported >= REPORT_SECONDS:
                reported = now
                self._place.console.say(f"      waiting for the server, {now - started:.0f} s")
            time.sleep(POLL_SECONDS)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _readyz(port: int) -> tuple[int, str]:
    """Return the status and the body of /readyz; 0 and nothing if nothing responds. No proxy is involved."""
    connection = http.client.HTTPConnection(HOST, port, timeout=CALL_SECONDS)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def _older(log: Path) -> Path:
    return log.with_name(f"{log.name}.1")


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
