"""The watchdog: a separate small process that kills Helm if the leader cannot, because it is frozen or hangs.

    leader -- seconds, with every renewal --> standard input of watchdog_process.py -- SIGKILL --> Helm's process groups

When the time that the last line allowed is over, the watchdog kills every process group that a child of the leader
leads. It uses no API, no file and no state, and ends when its standard input is closed, which the end of the leader
does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

END_SECONDS = 2.0
SCRIPT = Path(__file__).resolve().with_name("watchdog_process.py")

log = logging.getLogger(__name__)


class Watchdog:
    """The leader's side: starts the process and sends it how long Helm may run."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        """Start the process."""
        await self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        if self._process is None or self._process.returncode is not None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    @property
    def pid(self) -> int:
        """Return the pid of the process, 0 before it was started."""
        return 0 if self._process is None else self._process.pid

    async def allow(self, seconds: float) -> None:
        """Allow Helm to run for this long from now; restart the process if it has ended."""
        if self._process is None or self._process.returncode is not None:
            log.error("watchdog ended unexpectedly, restarting it")
            await self._start()
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._process.stdin.write(f"{max(0.0, seconds):.3f}\n".encode())

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(SCRIPT),
            str(os.getpid()),
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
