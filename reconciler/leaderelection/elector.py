"""The elector: one replica leads at a time, and it stops leading before another can start.

    campaign (read the Lease until it is free) -> lead in a new term, renew -> lost or cancelled -> campaign

The timeline of a lease of 15 s, from the start of the last successful renewal:

    every 2 s  renewal            10 s  the leader stops leading and kills its Helm processes
    12 s       the watchdog kills the Helm processes of a leader that could not     15 s  others may take the lease

Only monotonic clocks are used, and a process that was frozen finds its term over before it acts. Not guaranteed:
fencing of a machine that is suspended for longer than its lease. Its Helm processes run until its watchdog is scheduled
again; status writes of its old leader fail with a conflict.
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
    """The right to act as leader, until a deadline that each renewal extends.

    Args:
        fencing_token: rises with every term; what an older one started has no writer any more.
        deadline_seconds: how long the term lasts after a renewal.
        kill_seconds: how long Helm processes may run after a renewal before the watchdog kills them.
    """

    def __init__(self, fencing_token: int, deadline_seconds: float, kill_seconds: float, watchdog: Watchdog) -> None:
        self.fencing_token = fencing_token
        self._deadline_seconds = deadline_seconds
        self._kill_seconds = kill_seconds
        self._watchdog = watchdog
        self._ends_at = 0.0

    def is_valid(self) -> bool:
        """Return whether this process may act now."""
        return time.monotonic() < self._ends_at

    def seconds_left(self) -> float:
        """Return how long the term lasts without another renewal."""
        return max(0.0, self._ends_at - time.monotonic())

    async def extend(self, requested_at: float) -> None:
        """Extend the term after a successful renewal; it counts from the time of the request, not of the response."""
        self._ends_at = requested_at + self._deadline_seconds
        await self._watchdog.allow(requested_at + self._kill_seconds - time.monotonic())

    def end(self) -> None:
        """End the term now."""
        self._ends_at = 0.0


class Elector:
    """Campaigns for the Lease and leads while it holds it; call `run` once."""

    def __init__(self, kube: Kube, namespace: str, lease_seconds: float) -> None:
        self.identity = new_identity()
        self.leader_term: LeaderTerm | None = None
        self.lease_record = LeaseRecord()
        """The Lease as it was read or written last."""
        self._lease = Lease(kube, namespace)
        self._lease_seconds = lease_seconds
        self._renew_seconds = lease_seconds / 7.5
        self._changed_at = time.monotonic()

    @property
    def is_leading(self) -> bool:
        """Return whether this process may act now."""
        return self.leader_term is not None and self.leader_term.is_valid()

    async def run(self, lead: Callable[[LeaderTerm], Awaitable[None]]) -> None:
        """Campaign and lead in turn until cancelled; an error of `lead` ends it."""
        async with Watchdog() as watchdog:
            while True:
                leader_term = await self._campaign(watchdog)
                log.info("leading", extra={"fencing_token": leader_term.fencing_token, "identity": self.identity})
                try:
                    await self._lead_and_renew(leader_term, lead)
                finally:
                    self.leader_term = None
                log.warning("no longer leading", extra={"fencing_token": leader_term.fencing_token})

    async def _campaign(self, watchdog: Watchdog) -> LeaderTerm:
        """Return the new term once the lease is acquired."""
        while True:
            requested_at = time.monotonic()
            try:
                await self._read_lease()
                fencing_token = self.lease_record.fencing_token + 1
                if self._is_free() and await self._write_lease(fencing_token):
                    deadline, kill = self._lease_seconds * 2 / 3, self._lease_seconds * 0.8
                    self.leader_term = LeaderTerm(fencing_token, deadline, kill, watchdog)
                    await self.leader_term.extend(requested_at)
                    return self.leader_term
            except ClusterError as error:
                log.warning("lease could not be acquired", extra={"error": error.message})
            await asyncio.sleep(self._renew_seconds * random.uniform(0.8, 1.2))  # noqa: S311 - jitter

    async def _read_lease(self) -> None:
        found = await self._lease.read()
        if found != self.lease_record:
            self.lease_record, self._changed_at = found, time.monotonic()

    async def _write_lease(self, fencing_token: int) -> bool:
        """Write the lease as its holder; return whether it was still as it was read."""
        written = await self._lease.write(
            self.lease_record, holder=self.identity, fencing_token=fencing_token, seconds=self._lease_seconds
        )
        if written is None:
            return False
        self.lease_record = written
        return True

    def _is_free(self) -> bool:
        record = self.lease_record
        if not record.holder or record.holder == self.identity or is_dead(record.holder):
            return True
        return time.monotonic() - self._changed_at > max(record.seconds, self._lease_seconds)

    async def _lead_and_renew(self, leader_term: LeaderTerm, lead: Callable[[LeaderTerm], Awaitable[None]]) -> None:
        """Lead and renew side by side until either ends; then stop leading and release the lease."""
        leading = asyncio.ensure_future(lead(leader_term))
        renewing = asyncio.create_task(self._renew_until_lost(leader_term), name="renew the lease")
        try:
            await asyncio.wait([leading, renewing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            if renewing.done():
                leader_term.end()
            # The lease is held and renewed until `lead` has killed its Helm processes.
            leading.cancel()
            await asyncio.wait([leading])
            renewing.cancel()
            await asyncio.wait([renewing])
            leader_term.end()
            with contextlib.suppress(ClusterError, TimeoutError):
                async with asyncio.timeout(RELEASE_SECONDS):
                    await self._release_lease()
        for task in (leading, renewing):
            if not task.cancelled():
                task.result()

    async def _renew_until_lost(self, leader_term: LeaderTerm) -> None:
        while True:
            await asyncio.sleep(min(self._renew_seconds, leader_term.seconds_left()))
            if not leader_term.is_valid():
                log.error("lease lost: it was not renewed in time")
                return
            requested_at = time.monotonic()
            try:
                async with asyncio.timeout(leader_term.seconds_left()):
                    is_renewed = await self._write_lease(leader_term.fencing_token)
                    if not is_renewed:
                        # Another process wrote it, or the response to our own last write was lost.
                        await self._read_lease()
                        own = (self.identity, leader_term.fencing_token)
                        is_renewed = (self.lease_record.holder, self.lease_record.fencing_token) == own
            except (ClusterError, TimeoutError) as error:
                log.warning("lease not renewed", extra={"error": str(error) or "no response in time"})
                continue
            if not is_renewed:
                log.error("lease lost: another process holds it", extra={"holder": self.lease_record.holder})
                return
            await leader_term.extend(requested_at)

    async def _release_lease(self) -> None:
        await self._read_lease()
        record = self.lease_record
        if record.holder == self.identity:
            await self._lease.write(record, holder="", fencing_token=record.fencing_token, seconds=1.0)
