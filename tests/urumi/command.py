"""`urumi` as a process: run to completion, or read line by line."""

import json
import os
import pty
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

PATIENCE_SECONDS = 20.0
URUMI = [sys.executable, "-W", "error", "-m", "urumi.cli.main"]


@dataclass(frozen=True)
class Done:
    """The result of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


class Running:
    """A running command with its output line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        assert process.stderr is not None
        self._out = _Lines(process.stdout)
        self._err = _Lines(process.stderr)

    def out_line(self) -> str:
        """Return the next line of standard output."""
        return self._out.next()

    def err_line(self) -> str:
        """Return the next line of standard error."""
        return self._err.next()

    def interrupt(self) -> None:
        """Send SIGINT, as ctrl-c does."""
        self._process.send_signal(signal.SIGINT)

    def wait(self) -> int:
        """Return the exit code."""
        return self._process.wait(PATIENCE_SECONDS)

    def rest(self) -> tuple[list[str], list[str]]:
        """Wait for the end and return the remaining lines of standard output and of standard error."""
        self.wait()
        return self._out.rest(), self._err.rest()

    def end(self) -> None:
        """Kill it if it is still running, and close its pipes."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(PATIENCE_SECONDS)
        self._out.close()
        self._err.close()


class Command:
    """The command with its own environment."""

    def __init__(self, home: Path, **environ: str) -> None:
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(home), "URUMI_STATE_DIR": str(home / "state")}
        self.environ |= {"PYTHONIOENCODING": "utf-8", **environ}
        self._running: list[Running] = []

    def __call__(self, *arguments: str, given: str = "", **environ: str) -> Done:
        """Run to completion; standard input is not a terminal."""
        done = subprocess.run(
            [*URUMI, *arguments],
            env={**self.environ, **environ},
            input=given,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> Running:
        """Start without waiting for the end."""
        process = subprocess.Popen(
            [*URUMI, *arguments],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._running.append(Running(process))
        return self._running[-1]

    def typed(self, text: str, *arguments: str) -> Done:
        """Run with a terminal as standard input, and enter the text."""
        keyboard, terminal = pty.openpty()
        try:
            os.write(keyboard, text.encode())
            done = subprocess.run(
                [*URUMI, *arguments],
                env=self.environ,
                stdin=terminal,
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
                check=False,
            )
        finally:
            os.close(keyboard)
            os.close(terminal)
        return Done(done.returncode, done.stdout, done.stderr)

    def on_screen(self, columns: int, *arguments: str) -> str:
        """Run with a terminal as standard output, and return what it displays."""
        screen, terminal = pty.openpty()
        try:
            subprocess.run(
                [*URUMI, *arguments],
                env={**self.environ, "COLUMNS": str(columns)},
                stdin=subprocess.DEVNULL,
                stdout=terminal,
                stderr=subprocess.DEVNULL,
                timeout=PATIENCE_SECONDS,
                check=True,
            )
            return os.read(screen, 65536).decode().replace("\r\n", "\n")
        finally:
            os.close(screen)
            os.close(terminal)

    def end_all(self) -> None:
        """End every command that was started."""
        for running in self._running:
            running.end()


class _Lines:
    """The lines of a pipe, read in a thread so that a read can time out."""

    def __init__(self, pipe: IO[str]) -> None:
        self._pipe = pipe
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def next(self) -> str:
        """Return the next line."""
        line = self._lines.get(timeout=PATIENCE_SECONDS)
        assert line is not None, "the command ended"
        return line

    def rest(self) -> list[str]:
        """Return the remaining lines, to the end."""
        return list(iter(lambda: self._lines.get(timeout=PATIENCE_SECONDS), None))

    def close(self) -> None:
        """Close the pipe of a command that has ended."""
        self._thread.join(PATIENCE_SECONDS)
        self._pipe.close()

    def _read(self) -> None:
        for line in self._pipe:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)
