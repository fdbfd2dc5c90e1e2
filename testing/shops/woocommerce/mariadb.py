"""Debian's MariaDB in a separate folder, on a free port, started and stopped by a test.

Not guaranteed: that it is the version of the chart. Debian 12 has 10.11 where the chart has 11.8.
"""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DEADLINE_SECONDS = 90
IS_INSTALLED = all(shutil.which(name) for name in ("mariadbd", "mariadb-install-db", "mariadb"))


def free_port() -> int:
    """Return a free port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class MariaDb:
    """One data folder, and the server that uses it while it is running."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket_path(self) -> Path:
        """The socket on which root signs in without a password."""
        return self.folder / "sock"

    def prepare(self) -> None:
        """Create the data folder."""
        command = ["mariadb-install-db", "--no-defaults", f"--datadir={self.folder / 'data'}", "--skip-test-db"]
        command += ["--auth-root-authentication-method=normal", f"--user={_user()}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        """Start the server and wait until root can sign in."""
        command = ["mariadbd", "--no-defaults", f"--datadir={self.folder / 'data'}", f"--socket={self.socket_path}"]
        command += [f"--port={self.port}", "--bind-address=127.0.0.1", f"--user={_user()}", f"--tmpdir={self.folder}"]
        command += ["--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve"]
        log = (self.folder / "log").open("ab")
        with log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self._client("SELECT 1").returncode != 0:
            assert self.process.poll() is None, (self.folder / "log").read_text(errors="replace")
            assert time.monotonic() < deadline, (self.folder / "log").read_text(errors="replace")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop the server, if it is running; the data is kept."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=DEADLINE_SECONDS)
            self.process = None

    def query(self, statements: str, database: str = "") -> str:
        """Run statements as root and return their output with tabs between columns; the test fails if one fails."""
        done = self._client(statements, database)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def make_shop_database(self, name: str, password: str) -> None:
        """Create an empty database, and a user of the same name for it."""
        self.query(f"CREATE DATABASE {name} CHARACTER SET utf8mb4;")
        self.make_shop_user(name, password)

    def make_shop_user(self, name: str, password: str) -> None:
        """Create the user of a database."""
        self.query(
            f"CREATE USER {name}@'127.0.0.1' IDENTIFIED BY '{password}'; GRANT ALL ON {name}.* TO {name}@'127.0.0.1';"
        )

    def _client(self, statements: str, database: str = "") -> subprocess.CompletedProcess[str]:
        command = ["mariadb", "--no-defaults", f"--socket={self.socket_path}", "--user=root", "--batch", "-N"]
        command += ["--connect-timeout=5", *([database] if database else [])]
        return subprocess.run(
            command, input=statements, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
        )


@contextmanager
def running(folder: Path) -> Iterator[MariaDb]:
    """Run a new, empty server inside the block."""
    database = MariaDb(folder, free_port())
    database.prepare()
    database.start()
    try:
        yield database
    finally:
        database.stop()


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name
