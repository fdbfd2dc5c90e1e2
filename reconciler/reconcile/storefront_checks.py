"""The storefront checks that are running, and the last result of each store.

    step storefront --> StorefrontChecks.result --> task (HTTP calls to one shop) --> result kept, store queued again

A check runs beside the reconciles, so a slow shop delays no other store: a reconcile reads the last result, gets None
while there is none, and the end of the check queues the store. A result is valid for one digest of one store until the
store is Ready; then it is dropped, so a store that recovers from Degraded is checked again. At most `MAX_CHECKS` run at
a time, and the pause between two checks of one store doubles.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.backoff import Backoff
from reconciler.engines.session import session
from urumi.errors import UrumiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reconciler.store.conditions import ConditionStatus

MAX_CHECKS = 8
CHECK_SECONDS = 60.0
PAUSE = Backoff(first_seconds=2.0, longest_seconds=30.0)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StorefrontResult:
    """The result of a storefront check: status and reason of the condition, and its message."""

    status: ConditionStatus
    reason: str
    message: str


@dataclass(slots=True)
class _Check:
    digest: str
    result: StorefrontResult | None = None
    task: asyncio.Task[None] | None = None
    runs: int = 0
    next_at: float = 0.0


class StorefrontChecks:
    """The checks of all stores, by the uid of the store; use from one event loop and close it."""

    def __init__(self, wake: Callable[[str], None]) -> None:
        self.http = session()
        self._wake = wake
        self._checks: dict[str, _Check] = {}
        self._running = asyncio.Semaphore(MAX_CHECKS)

    def result(
        self, uid: str, store_id: str, digest: str, check: Callable[[], Awaitable[StorefrontResult]]
    ) -> StorefrontResult | None:
        """Return the last result for a digest, None before the first; start a check if the next one is due."""
        known = self._checks.get(uid)
        if known is None or known.digest != digest:
            self.forget(uid)
            known = self._checks[uid] = _Check(digest)
        if known.task is None and time.monotonic() >= known.next_at:
            known.task = asyncio.create_task(self._run(known, store_id, check), name=f"storefront check {store_id}")
        return known.result

    def due_in_seconds(self, uid: str) -> float:
        """Return how long until the next check may start, 0 while one runs: its end queues the store."""
        known = self._checks.get(uid)
        return max(0.0, known.next_at - time.monotonic()) if known and known.task is None else 0.0

    def forget(self, uid: str) -> None:
        """Drop the result of a store and cancel its running check."""
        known = self._checks.pop(uid, None)
        if known is not None and known.task is not None:
            known.task.cancel()

    async def close(self) -> None:
        """Cancel every check and wait for its end."""
        tasks = [known.task for known in self._checks.values() if known.task is not None]
        for uid in list(self._checks):
            self.forget(uid)
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.http.close()

    async def _run(self, known: _Check, store_id: str, check: Callable[[], Awaitable[StorefrontResult]]) -> None:
        try:
            async with self._running, asyncio.timeout(CHECK_SECONDS):
                known.result = await check()
        except TimeoutError:
            known.result = _no_answer(f"storefront check did not finish within {CHECK_SECONDS:.0f} s")
        except UrumiError as error:
            known.result = _no_answer(error.message)
        except Exception:
            # A defect in a check must not leave the store waiting without a cause.
            log.exception("storefront check failed", extra={"store": store_id})
            known.result = _no_answer("storefront check failed with an internal error; see the log of the platform")
        known.task = None
        known.runs += 1
        known.next_at = time.monotonic() + PAUSE.wait_seconds(known.runs - 1)
        self._wake(store_id)


def _no_answer(message: str) -> StorefrontResult:
    return StorefrontResult("False", "NoAnswer", message)
