"""Elector: of all replicas one acts, and it stops before another can begin.

    campaign (look at the Lease until it is free) -> lead under a new epoch, renew -> lost or told to stop -> campaign

The time line of a lease of 15 s, counted from the start of the last renewal that succeeded:

    every 2 s  renewed           10 s  the holder stops leading by itself, Helm is killed
    12 s       the watchdog kills Helm where the holder could not     15 s  others may take the lease

Nothing here trusts a wall clock, and a process that was frozen finds its term over before it does anything. Not
guaranteed: fencing of a whole machine that sleeps through its lease; Helm then runs on for the instant that the
watchdog needs to see the time. Status writes of such a holder fail on the version they were based on.
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
from reconciler.leaderelection.watchdog import Watchdog
from urumi.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reconciler.kube.client import Kube

RELEASE_SECONDS = 3.0

log = logging.getLogger(__name__)


class LeaderTerm:
    """The right to act for one term; it ends by the clock, whatever else happens."""

    def __init__(self, epoch: int, deadline_seconds: float, kill_seconds: float, watchdog: Watchdog) -> None:
        self.epoch = epoch
        self._deadline_seconds = deadline_seconds
        self._kill_seconds = kill_seconds
        self._watchdog = watchdog
        self._ends_at = 0.0

    def is_valid(self) -> bool:
        """Return whether this process may still act."""
        return time.monotonic() < self._ends_at

    def seconds_left(self) -> float:
        """Return how long the leader_term lasts without another renewal."""
        return max(0.0, self._ends_at - time.monotonic())

    async def extend(self, asked_at: float) -> None:
        """Count anew from the moment at which a renewal that succeeded was asked for."""
        self._ends_at = asked_at + self._deadline_seconds
        await self._watchdog.allow(asked_at + self._kill_seconds - time.monotonic())

    def end(self) -> None:
        """Take the right away now."""
        self._ends_at = 0.0


class Elector:
    """Campaigns for the Lease and leads while it holds; use `run` once."""

    def __init__(self, kube: Kube, namespace: str, lease_seconds: float) -> None:
        self.identity = new_identity()
        self.leader_term: LeaderTerm | None = None
        self.seen = LeaseRecord()
        self._lease = Lease(kube, namespace)
        self._lease_seconds = lease_seconds
        self._seen_at = time.monotonic()

    @property
    def is_leading(self) -> bool:
        """Return whether this process may act now."""
        return self.leader_term is not None and self.leader_term.is_valid()

    async def run(self, lead: Callable[[LeaderTerm], Awaitable[None]]) -> None:
        """Campaign and lead in turns, until cancelled; an error of `lead` ends it."""
        async with Watchdog() as watchdog:
            while True:
                leader_term = await self._campaign(watchdog)
                log.info("leading", extra={"epoch": leader_term.epoch, "identity": self.identity})
                try:
                    await self._hold(leader_term, lead)
                finally:
                    self.leader_term = None
                log.warning("no longer leading", extra={"epoch": leader_term.epoch})

    async def _campaign(self, watchdog: Watchdog) -> LeaderTerm:
        while True:
            asked_at = time.monotonic()
            try:
                epoch = await self._taken()
            except ClusterError as error:
                log.warning("the lease cannot be looked at", extra={"error": error.message})
                epoch = None
            if epoch is not None:
                leader_term = self._new_leader_term(epoch, watchdog)
                await leader_term.extend(asked_at)
                return leader_term
            await asyncio.sleep(self._renew_seconds * random.uniform(0.8, 1.2))  # noqa: S311 - jitter

    def _new_leader_term(self, epoch: int, watchdog: Watchdog) -> LeaderTerm:
        self.leader_term = LeaderTerm(epoch, self._lease_seconds * 2 / 3, self._lease_seconds * 0.8, watchdog)
        return self.leader_term

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

    async def _hold(self, leader_term: LeaderTerm, lead: Callable[[LeaderTerm], Awaitable[None]]) -> None:
        """Lead and renew side by side until either ends; then stop leading, and give the lease back if it is ours."""
        leading = asyncio.ensure_future(lead(leader_term))
        renewing = asyncio.create_task(self._renew_until_lost(leader_term), name="renew the lease")
        try:
            await asyncio.wait([leading, renewing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            if renewing.done():
                leader_term.end()
            leading.cancel()
            await asyncio.wait([leading])
            renewing.cancel()
            await asyncio.wait([renewing])
            leader_term.end()
            with contextlib.suppress(ClusterError, TimeoutError):
                async with asyncio.timeout(RELEASE_SECONDS):
                    await self._give_back()
        for task in (leading, renewing):
            if not task.cancelled():
                task.result()

    async def _renew_until_lost(self, leader_term: LeaderTerm) -> None:
        while True:
            await asyncio.sleep(min(self._renew_seconds, leader_term.seconds_left()))
            if not leader_term.is_valid():
                log.error("the lease could not be renewed in time")
                return
            asked_at = time.monotonic()
            try:
                async with asyncio.timeout(leader_term.seconds_left()):
                    renewed = await self._renewed(leader_term.epoch)
            except (ClusterError, TimeoutError) as error:
                log.warning("the lease was not renewed", extra={"error": str(error) or "no answer in time"})
                continue
            if not renewed:
                log.error("another process holds the lease", extra={"holder": self.seen.holder})
                return
            await leader_term.extend(asked_at)

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
