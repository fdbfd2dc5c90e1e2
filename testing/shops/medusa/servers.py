"""The servers of a shop as processes on the loopback interface, each with a folder, a port and a log.

`Server` is their base: it starts and waits for a response, stops and waits for the exit. Nothing is left after the run.
"""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from testing.kubectl import wait_for
from testing.serve import free_port

PATIENCE_SECONDS = 120
STOP_SECONDS = 45


def program(name: str, package: str, *folders: Path) -> str:
    """Return the path of a program; the test fails with a hint if it is not installed."""
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", *map(str, folders)])
    found = shutil.which(name, path=path)
    if found is None:
        pytest.fail(f"{name} not found. Run `apt-get install {package}`; `./setup.sh test` does.")
    return found


def other_user(name: str) -> str | None:
    """Return the user as whom a server has to run that must not run as root; None if this is not root."""
    return name if os.geteuid() == 0 else None


@dataclass(slots=True)
class Server:
    """One program that listens; `answers` checks whether it is ready. It runs in `home`, by default in `folder`."""

    name: str
    command: Sequence[str]
    folder: Path
    answers: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    home: Path | None = None
    stop_signal: int = signal.SIGTERM
    _process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Its output."""
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is running."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it is ready."""
        assert not self.is_running
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                env={"PATH": os.environ["PATH"]} | dict(self.environment),
                cwd=self.home or self.folder,
                stdout=log,
                stderr=log,
                user=self.user,
                group=pwd.getpwnam(self.user).pw_gid if self.user else None,
                extra_groups=[] if self.user else None,
            )
        wait_for(self._has_answered, f"{self.name} to answer", PATIENCE_SECONDS)

    def stop(self) -> None:
        """Stop it as Kubernetes does, and wait until it has exited."""
        if self._process is None:
            return
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it inside the block; a test may stop and start it there."""
        try:
            self.start()
            yield
        finally:
            self.stop()

    def _has_answered(self) -> bool:
        assert self.is_running, f"{self.name} ended at its start: {self.log.read_text()[-4000:]}"
        return self.answers()


@dataclass(slots=True)
class Postgres:
    """Debian's Postgres in a separate folder, with one superuser without a password."""

    folder: Path
    port: int = field(default_factory=free_port)
    server: Server = field(init=False)

    def __post_init__(self) -> None:
        """Create the data folder; for root it belongs to another user, because Postgres refuses to run as root."""
        user = other_user("postgres")
        if user:
            shutil.chown(self.folder, user)
        data = str(self.folder / "data")
        settings = ["fsync=off", "shared_buffers=64MB", "max_connections=60", "unix_socket_directories="]
        options = [part for setting in settings for part in ("-c", setting)]
        command = [self.tool("postgres"), "-D", data, "-p", str(self.port), *options]
        # On SIGTERM it waits for its clients to disconnect; the official image is stopped with SIGINT too.
        self.server = Server(
            "postgres", command, self.folder, self._answers, {"LC_ALL": "C.UTF-8"}, user, stop_signal=signal.SIGINT
        )
        made = subprocess.run(
            [self.tool("initdb"), "-D", data, "-U", "medusa", "--auth=trust", "--encoding=UTF8", "--no-sync"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            user=user,
            check=False,
        )
        assert made.returncode == 0, made.stderr

    def url(self, database: str) -> str:
        """The address of a database, as the chart writes it."""
        return f"postgres://medusa@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def query(self, statement: str, database: str = "medusa") -> str:
        """Run SQL and return its output, without headings."""
        return self.run("psql", "-v", "ON_ERROR_STOP=1", "-qAtc", statement, self.url(database)).strip()

    def run(self, name: str, *arguments: str, stdin: str | None = None) -> str:
        """Run a program of Postgres and return its output; the test fails if it fails."""
        done = subprocess.run(
            [self.tool(name), *arguments], input=stdin, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def tool(self, name: str) -> str:
        """Return the path of a program of Postgres, of the newest version that is installed."""
        versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: float(each.parent.name))
        return program(name, "postgresql", *reversed(versions))

    def _answers(self) -> bool:
        command = [self.tool("psql"), "-qAtc", "select 1", self.url("postgres")]
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0


def redis_server(folder: Path, port: int) -> Server:
    """Return a Redis with the chart's arguments."""
    command = [program("redis-server", "redis-server"), "--bind", "127.0.0.1", "--port", str(port)]
    command += ["--save", "", "--appendonly", "no", "--maxmemory", "40mb", "--maxmemory-policy", "noeviction"]

    def answers() -> bool:
        ping = [program("redis-cli", "redis-server"), "-p", str(port), "ping"]
        return subprocess.run(ping, capture_output=True, timeout=30, check=False).stdout == b"PONG\n"

    return Server("redis", command, folder, answers)
