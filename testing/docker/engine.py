"""A Docker engine in a machine of its own, as a user of a machine with Docker finds it.

`up` starts the machine (machine.py) and waits until Docker responds; `run` runs a command in it, with its network, its
ports and its default socket; `down` ends everything. The real machine keeps its ports, its iptables and its own Docker.
Images and the build cache stay in the cache, so a lock limits it to one engine at a time.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from cluster.folders import cache_root
from cluster.lock import file_lock
from cluster.node.cgroups import find_groups, remove_groups
from cluster.node.host import SEARCH
from testing.docker import host
from testing.docker.errors import DockerError
from testing.docker.machine import INTERFACE, START_SECONDS

ROOT = Path(__file__).resolve().parent.parent.parent
NAMESPACES = ("--mount", "--net", "--pid", "--ipc", "--uts")
UNSHARE = ("unshare", *NAMESPACES, "--fork", "--kill-child", "--mount-proc", "--propagation", "private")
# The signal is sent when the thread that started the process ends, which is pytest's main thread.
BOUND = ("setpriv", "--pdeathsig", "KILL")
DOWN_SECONDS = 30.0
RUN_SECONDS = 600.0

Say = Callable[[str], None]


def docker_cache() -> Path:
    """Return the folder that all engines share: Docker's data, programs, image archives."""
    return cache_root() / "docker"


class Engine:
    """One engine; use as a context manager, or call `up` and `down`. `folder` is deleted with it."""

    def __init__(self, folder: Path, say: Say) -> None:
        self.folder = folder
        self.home = folder / "home"
        self._say = say
        self._machine: subprocess.Popen[bytes] | None = None
        self._network: subprocess.Popen[bytes] | None = None
        self._held = ExitStack()

    def __enter__(self) -> "Engine":
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def up(self) -> None:
        """Start the machine and wait until Docker responds in it.

        Raises:
            DockerError: it cannot run here, or did not come up; quotes the end of the logs.
        """
        host.check()
        data = docker_cache() / "data"
        for path in (data, self.home, self.folder / "bin"):
            path.mkdir(parents=True, exist_ok=True)
        # Another client of Docker on the PATH may lack what Debian's contains.
        (self.folder / "bin" / "docker").symlink_to(host.CLIENT)
        waiting = "Waiting for another test run's Docker engine."
        self._held.enter_context(file_lock(docker_cache() / "engine.lock", lambda: self._say(waiting)))
        try:
            _remove_groups()
            self._start(data)
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """End every process of the machine, and delete everything except the cache."""
        try:
            if self._machine is not None and (self.folder / "started").exists():
                with suppress(DockerError):
                    self._clear()
            for process in (self._network, self._machine):
                if process is not None:
                    process.kill()
                    process.wait(DOWN_SECONDS)
            self._network = self._machine = None
            _remove_groups()
        finally:
            self._held.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, *words: str | Path, folder: Path = ROOT) -> list[str]:
        """Return the command line that runs a program in the machine."""
        return ["nsenter", "--target", str(self._pid()), *NAMESPACES, f"--wdns={folder}", "--", *map(str, words)]

    def environ(self, **more: str) -> dict[str, str]:
        """Return the environment of the machine's user: an own home, and the caches of the caller."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "KUBE", "URUMI_"))}
        caches = {
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
            "GOPATH": os.environ.get("GOPATH", str(Path.home() / "go")),
            "URUMI_CACHE_DIR": str(cache_root()),
        }
        return {**kept, **caches, "PATH": f"{self.folder / 'bin'}:{SEARCH}", "HOME": str(self.home), **more}

    def run(
        self,
        *words: str | Path,
        environ: Mapping[str, str] | None = None,
        folder: Path = ROOT,
        timeout_seconds: float = RUN_SECONDS,
        on_line: Say | None = None,
    ) -> str:
        """Run a command in the machine and return its output, standard error included.

        Raises:
            DockerError: it failed; quotes the end of its output.
        """
        lines: list[str] = []
        with subprocess.Popen(
            ["timeout", "--kill-after=10", str(timeout_seconds), *self.command(*words, folder=folder)],
            cwd=folder,
            env=self.environ(**(environ or {})),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if on_line is not None:
                    on_line(line.rstrip("\n"))
        if process.returncode != 0:
            last = "".join(lines[-30:])
            raise DockerError(f"{' '.join(map(str, words))[:200]} ended with {process.returncode}:\n{last}")
        return "".join(lines)

    def docker(self, *words: str | Path, timeout_seconds: float = RUN_SECONDS) -> str:
        """Run Docker's client."""
        return self.run("docker", *words, timeout_seconds=timeout_seconds)

    def has_image(self, name: str) -> bool:
        """Return whether an image exists in the engine."""
        return bool(self.docker("image", "ls", "--quiet", name).strip())

    def _start(self, data: Path) -> None:
        self._say("Starting a Docker engine.")
        with (self.folder / "machine.log").open("ab") as log:
            self._machine = subprocess.Popen(
                [*BOUND, *UNSHARE, sys.executable, "-m", "testing.docker.machine", self.folder, data, _group()],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait_for((self.folder / "namespaces").exists, "the machine's namespaces")
        with (self.folder / "network.log").open("ab") as log:
            slirp = (
                "slirp4netns",
                "--configure",
                "--mtu=65520",
                "--disable-host-loopback",
                str(self._pid()),
                INTERFACE,
            )
            self._network = subprocess.Popen(
                [*BOUND, *slirp], env={**os.environ, "PATH": SEARCH}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._wait_for((self.folder / "started").exists, "Docker")
        self._clear()

    def _clear(self) -> None:
        """Remove the containers, volumes and networks of an engine that was killed; images stay."""
        if left := self.docker("container", "ls", "--all", "--quiet").split():
            self.docker("container", "rm", "--force", "--volumes", *left)
        self.docker("volume", "prune", "--force")
        self.docker("network", "prune", "--force")

    def _wait_for(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            assert self._machine is not None
            if self._machine.poll() is not None or time.monotonic() > deadline:
                raise DockerError(f"The Docker engine did not start: waited for {what}. {self._log_ends()}")
            time.sleep(0.05)

    def _pid(self) -> int:
        if self._machine is None or self._machine.poll() is not None:
            raise DockerError(f"The Docker engine is not running. {self._log_ends()}")
        return int(Path(f"/proc/{self._machine.pid}/task/{self._machine.pid}/children").read_text().split()[0])

    def _log_ends(self) -> str:
        logs = sorted(self.folder.glob("*.log"))
        ends = [f"{log.name}:\n" + "\n".join(log.read_text(errors="replace").splitlines()[-5:]) for log in logs]
        return "The last lines of its logs:\n" + "\n".join(ends)


def _group() -> str:
    """Return the name of the control group of the containers: one per cache, because one engine at a time uses it."""
    return f"urumi-docker-{hashlib.sha256(str(docker_cache()).encode()).hexdigest()[:8]}"


def _remove_groups() -> None:
    """Remove the control groups of this engine's containers, or of one that was killed."""
    if left := remove_groups(find_groups(_group())):
        raise DockerError(f"These control groups of Docker cannot be removed: {', '.join(map(str, left))}.")
