"""Leadership: of all replicas one acts, and it stops before another can begin.

    campaign (look at the Lease until it is free) -> lead under a new epoch, renew -> lost or told to stop -> campaign

The time line of a lease of 15 s, counted from the start of the last renewal that succeeded:

    every 2 s  renewed           10 s  the holder stops leading by itself, Helm is killed
    12 s       the warden kills Helm where the holder could not     15 s  others may take the lease

Nothing here trusts a wall clock, and a process that was frozen finds its term over before it does anything. Not
guaranteed: fencing of a whole machine that sleeps through its lease; Helm then runs on for the instant that the warden
needs to see the time. Status writes of such a holder fail on the version they were based on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from typing import TYPE_CHECKING

from reconciler.leaderelection.identity import is_dead, new_identity
from reconciler.leaderelection.lease import Lease, LeaseRecord
from reconciler.leaderelection.watchdog import Warden
from urumi.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reconciler.kube.client import Kube

RELEASE_SECONDS = 3.0

log = logging.getLogger(__name__)


class Mandate:
    """The right to act for one term; it ends by the clock, whatever else happens."""

    def __init__(self, epoch: int, deadline_seconds: float, kill_seconds: float, warden: Warden) -> None:
        self.epoch = epoch
        self._deadline_seconds = deadline_seconds
        self._kill_seconds = kill_seconds
        self._warden = warden
        self._ends_at = 0.0

    def is_valid(self) -> bool:
        """Return whether this process may still act."""
        return time.monotonic() < self._ends_at

    def seconds_left(self) -> float:
        """Return how long the mandate lasts without another renewal."""
        return max(0.0, self._ends_at - time.monotonic())

    async def extend(self, asked_at: float) -> None:
        """Count anew from the moment at which a renewal that succeeded was asked for."""
        self._ends_at = asked_at + self._deadline_seconds
        await self._warden.allow(asked_at + self._kill_seconds - time.monotonic())

    def end(self) -> None:
        """Take the right away now."""
        self._ends_at = 0.0


class Leadership:
    """Campaigns for the Lease and leads while it holds; use `run` once."""

    def __init__(self, kube: Kube, namespace: str, lease_seconds: float) -> None:
        self.identity = new_identity()
        self.mandate: Mandate | None = None
        self.seen = LeaseRecord()
        self._lease = Lease(kube, namespace)
        self._lease_seconds = lease_seconds
        self._seen_at = time.monotonic()

    @property
    def is_leading(self) -> bool:
        """Return whether this process may act now."""
        return self.mandate is not None and self.mandate.is_valid()

    async def run(self, lead: Callable[[Mandate], Awaitable[None]]) -> None:
        """Campaign and lead in turns, until cancelled; an error of `lead` ends it."""
        async with Warden() as warden:
            while True:
                mandate = await self._campaign(warden)
                log.info("leading", extra={"epoch": mandate.epoch, "identity": self.identity})
                try:
                    await self._hold(mandate, lead)
                finally:
                    self.mandate = None
                log.warning("no longer leading", extra={"epoch": mandate.epoch})

    async def _campaign(self, warden: Warden) -> Mandate:
        while True:
            asked_at = time.monotonic()
            try:
                epoch = await self._taken()
            except ClusterError as error:
                log.warning("the lease cannot be looked at", extra={"error": error.message})
                epoch = None
            if epoch is not None:
                mandate = self._new_mandate(epoch, warden)
                await mandate.extend(asked_at)
                return mandate
            await asyncio.sleep(self._renew_seconds * random.uniform(0.8, 1.2))  # noqa: S311 - jitter

    def _new_mandate(self, epoch: int, warden: Warden) -> Mandate:
        self.mandate = Mandate(epoch, self._lease_seconds * 2 / 3, self._lease_seconds * 0.8, warden)
        return self.mandate

    @property
    def _renew_seconds(self) -> float:
        return self._lease_seconds / 7.5

    async def _taken(self) -> int | None:
        """Return the epoch of our new term, None where the lease is not to be had."""
        await self._look()
        if not self._is_free():
            return None
        epoch = self.seen.epoch + 1
        written = await self._lease.write(self.seen, holder=self.identity, epoch=epoch, seconds=self._lease_seconds)
        if written is None:
            return None
        self.seen = written
        return epoch

    async def _look(self) -> None:
        found = await self._lease.read()
        if found != self.seen:
            self.seen, self._seen_at = found, time.monotonic()

    def _is_free(self) -> bool:
        held = self.seen
        if not held.holder or held.holder == self.identity or is_dead(held.holder):
            return True
        return time.monotonic() - self._seen_at > max(held.seconds, self._lease_seconds)

    async def _hold(self, mandate: Mandate, lead: Callable[[Mandate], Awaitable[None]]) -> None:
        """Lead and renew side by side until either ends; then stop leading, and give the lease back if it is ours."""
        leading = asyncio.ensure_future(lead(mandate))
        renewing = asyncio.create_task(self._renew_until_lost(mandate), name="renew the lease")
        try:
            await asyncio.wait([leading, renewing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            if renewing.done():
                mandate.end()
            leading.cancel()
            await asyncio.wait([leading])
            renewing.cancel()
            await asyncio.wait([renewing])
            mandate.end()
            with contextlib.suppress(ClusterError, TimeoutError):
                async with asyncio.timeout(RELEASE_SECONDS):
                    await self._give_back()
        for task in (leading, renewing):
            if not task.cancelled():
                task.result()

    async def _renew_until_lost(self, mandate: Mandate) -> None:
        while True:
            await asyncio.sleep(min(self._renew_seconds, mandate.seconds_left()))
            if not mandate.is_valid():
                log.error("the lease could not be renewed in time")
                return
            asked_at = time.monotonic()
            try:
                async with asyncio.timeout(mandate.seconds_left()):
                    renewed = await self._renewed(mandate.epoch)
            except (ClusterError, TimeoutError) as error:
                log.warning("the lease was not renewed", extra={"error": str(error) or "no answer in time"})
                continue
            if not renewed:
                log.error("another process holds the lease", extra={"holder": self.seen.holder})
                return
            await mandate.extend(asked_at)

    async def _renewed(self, epoch: int) -> bool:
        written = await self._lease.write(self.seen, holder=self.identity, epoch=epoch, seconds=self._lease_seconds)
        if written is None:
            # Either another took it, or our own last write came through though its answer did not.
            await self._look()
            return self.seen.holder == self.identity and self.seen.epoch == epoch
        self.seen = written
        return True

    async def _give_back(self) -> None:
        await self._look()
        if self.seen.holder == self.identity:
            await self._lease.write(self.seen, holder="", epoch=self.seen.epoch, seconds=1.0)
