"""The watchdog: a small process of its own that kills Helm where this process cannot, because it is frozen or hangs.

The leader tells it with every renewal for how long Helm may run; when that time is over without another word, it kills
every process group that is a child of the leader. It knows nothing else: no API, no file, no state. It ends when its
standard input does, which is when the leader ends. What it runs is `watchdog_process.py`.
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
    """The leader's half: starts the process, tells it how long Helm may run."""

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

    async def allow(self, seconds: float) -> None:
        """Let Helm run for this long from now."""
        if self._process is None or self._process.returncode is not None:
            log.error("the watchdog is gone and is started anew")
            await self._start()
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._process.stdin.write(f"{max(0.0, seconds):.3f}\n".encode())

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            str(SCRIPT),
            str(os.getpid()),
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
