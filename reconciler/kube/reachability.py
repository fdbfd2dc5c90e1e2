"""Whether the API server can be reached, as all calls of this process find it together.

    a call without an answer -> begun -> any call with an answer, a refusal included -> over

The lease is looked at every 2 s, so both are known within seconds; a call that still waits while no other is answered
is known before it is given up. Who waits long before it asks again is called by the end. An API server that answers
with errors is within reach; its errors are told where they are met.
"""

from __future__ import annotations

import asyncio
import time

# A connection that breaks is replaced within two seconds, which is nothing to tell people of.
TOLD_AFTER_SECONDS = 3.0
# Longer than an API server takes that is merely busy.
UNHEARD_SECONDS = 6.0


class Outage:
    """One outage after another; use from one event loop.

    Args:
        host: the API server, as people know it.
    """

    def __init__(self, host: str) -> None:
        self.reason = ""
        self._host = host
        self._began_at = 0.0
        self._asked_at: float | None = None
        self._over = asyncio.Event()
        self._over.set()

    def told(self) -> str:
        """Return what is to be told of an outage; empty where there is none, or none to speak of."""
        now = time.monotonic()
        if self._asked_at is not None and now - self._asked_at >= UNHEARD_SECONDS:
            silence = f"nothing for {now - self._asked_at:.0f} s"
            return self.reason or f"The Kubernetes API at {self._host} does not answer: {silence}."
        return self.reason if now - self._began_at >= TOLD_AFTER_SECONDS else ""

    def asked(self) -> None:
        """Take the beginning of a call; only an answer makes its wait forgotten, not that it is given up."""
        if self._asked_at is None:
            self._asked_at = time.monotonic()

    def unanswered(self, reason: str) -> None:
        """Take a call that got no answer."""
        if not self.reason:
            self._began_at = time.monotonic()
            self._over.clear()
        self.reason = reason

    def answered(self) -> None:
        """Take a call that got one."""
        self._asked_at = None
        self.reason = ""
        self._over.set()

    async def over(self) -> None:
        """Wait until the API server answers."""
        await self._over.wait()
