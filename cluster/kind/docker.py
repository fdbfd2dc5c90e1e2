"""Calls of Docker's command line, which knows contexts, sockets and credentials.

The platform of `DOCKER_DEFAULT_PLATFORM` is not passed on: a node and its images must be of the engine's own one. A
Docker that was installed as a snap reads and writes no file outside the home folder, so temporary files go to the one
folder that it shares with its user.
"""

import os
import shutil
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from cluster.errors import KindError
from cluster.kind.engine import Engine, Silence, is_remote, reported_errors

ANSWER_SECONDS = 10.0
# kind prefers Docker unless the second variable names another engine, of which the rest of the setup knows nothing.
IGNORED = {"DOCKER_DEFAULT_PLATFORM", "KIND_EXPERIMENTAL_PROVIDER"}


class Docker:
    """The program `docker` and the engine that it calls."""

    def __init__(self) -> None:
        self._program = shutil.which("docker")

    @property
    def is_snap(self) -> bool:
        """Whether it was installed as a snap."""
        # Programs of snaps are links to the program that starts them.
        return self._program is not None and Path(self._program).resolve().name == "snap"

    def environ(self) -> dict[str, str]:
        """Return the variables for Docker and for programs that call it."""
        environ = {name: value for name, value in os.environ.items() if name not in IGNORED}
        if self.is_snap:
            folder = Path.home() / "snap" / "docker" / "common" / "urumi"
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            environ["TMPDIR"] = str(folder)
        return environ

    def engine(self) -> Engine | Silence:
        """Return what the engine reports, or why it does not; an engine of another machine is not asked."""
        if self._program is None:
            return Silence(False, "Docker is not installed, and kind needs it.")
        endpoint = self._endpoint()
        if is_remote(endpoint):
            return Silence(
                True,
                f"Docker's engine is at {endpoint}, not on this machine: the shops would be on the loopback address of"
                " that machine.",
                "Run ./setup.sh there, or select an engine of this machine: unset DOCKER_HOST, or docker context use"
                " default.",
            )
        info = self.attempt("info", "--format", "{{json .}}")
        if info is None:
            sentence = f"Docker does not respond within {ANSWER_SECONDS:.0f} s, and kind needs it."
            return Silence(True, sentence, "Wait until its engine has started.")
        version = self.attempt("version", "--format", "{{json .}}")
        engine = Engine.read(endpoint, info.stdout, version.stdout if version else "")
        return engine or _silence(endpoint, reported_errors(info.stdout) or info.stderr)

    def container_publishing(self, port: int) -> str:
        """Return the name of a container that publishes the port; empty if none does."""
        listed = self.attempt("ps", "--filter", f"publish={port}", "--format", "{{.Names}}")
        return listed.stdout.partition("\n")[0].strip() if listed and listed.returncode == 0 else ""

    def attempt(self, *words: str) -> "subprocess.CompletedProcess[str] | None":
        """Run it and keep what it prints; None if it does not end in time."""
        try:
            return subprocess.run(
                [self._program or "docker", *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=ANSWER_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None

    def run(self, failure: str, *words: str) -> None:
        """Run it with its messages on the terminal.

        Raises:
            KindError: it failed, with this sentence.
        """
        command = [self._program or "docker", *words]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=self.environ(), check=False
        )
        if done.returncode != 0:
            raise KindError(failure)

    def _endpoint(self) -> str:
        """Return the address of the engine: DOCKER_HOST, or the one of the current context."""
        if host := os.environ.get("DOCKER_HOST"):
            return host
        shown = self.attempt("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
        return shown.stdout.strip() if shown and shown.returncode == 0 else ""


def _silence(endpoint: str, message: str) -> Silence:
    """Return why the engine at the address did not respond: from its socket if it has one, otherwise in its words."""
    cause = _state_of_socket(urlsplit(endpoint).path) if endpoint.startswith("unix:") else ""
    if cause == "denied":
        return Silence(
            True,
            f"Docker's engine runs, but you may not use its socket {urlsplit(endpoint).path}.",
            "Add yourself to the group docker (sudo usermod -aG docker $USER), then sign in again.",
        )
    if cause == "closed":
        return Silence(
            True,
            f"Docker is installed, but no engine listens at {endpoint}, and kind needs one.",
            "Start it: sudo systemctl start docker, or Docker Desktop.",
        )
    words = " ".join(message.split()).rstrip(".") or "it printed nothing"
    at = f" at {endpoint}" if endpoint else ""
    return Silence(True, f"Docker does not respond{at}, and kind needs it: {words}.")


def _state_of_socket(path: str) -> str:
    """Return `closed` if no program listens, `denied` if this user may not connect, otherwise nothing."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(ANSWER_SECONDS)
        try:
            probe.connect(path)
        except PermissionError:
            return "denied"
        except (FileNotFoundError, ConnectionRefusedError):
            return "closed"
        except OSError:
            return ""
    return ""
