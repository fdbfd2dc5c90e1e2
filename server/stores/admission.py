"""Admission: the limits on creating stores, which hold for any number of concurrent requests and replicas.

    POST --> ledger (one Lease in the API server) --compare and swap--> granted --> create the Store
               recent grants        conflict: read the ledger again, count again

A grant is written before its store is created, to an object that accepts one writer at a time; so the grants of all
replicas are in one order, and each replica counts those of the others. What counts are the stores of the informer and
the grants whose store the informer has not had yet. A grant without a store (the process died in between) stops
counting after GRACE_SECONDS, which is longer than any call to the API server takes and than a dead watch stays
unnoticed. The same grants, by user, are the rate of creations. Chosen over counting after the creation and undoing it,
which would show stores that were never allowed, and over a lock, which a dead holder would block.

Not guaranteed: that a store that kubectl creates at the same moment is counted; that a process that has just started
knows about stores that were deleted in the last GRACE_SECONDS, so for that time it may refuse too much. The clocks of
the replicas are compared, to the precision of a rate window.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.kube.resources import annotations_of
from reconciler.leaderelection.lease import LEASES
from reconciler.store.object import StoreObject
from server.http.problems import ProblemError
from server.stores.idempotency import fingerprint_of
from urumi.errors import ClusterConflict, ClusterError, ClusterNotFound
from urumi.wire import LimitReached, dump

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from reconciler.cache.informer import Informer
    from reconciler.kube.client import Kube
    from reconciler.kube.resources import Object
    from server.auth.identity import Caller
    from server.settings import ServerSettings

LEDGER_NAME = "urumi-admission"
LEDGER_ANNOTATION = "stores.urumi.ai/grants"
GRACE_SECONDS = 90.0
# A copy of the ledger of at most this age may refuse a request without reading the ledger again.
FRESH_SECONDS = 1.0
MAX_GRANTS = 1000
MAX_ATTEMPTS = 40
LOCK_SECONDS = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission to create a store; the store carries the fingerprint as an annotation."""

    fingerprint: str
    store: str
    user: str
    ip: str
    at: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """The grants as they were read or written; `version` is empty if there is no ledger yet."""

    grants: tuple[Grant, ...]
    version: str


class Admission:
    """Grants creations; use from one event loop."""

    def __init__(
        self,
        kube: Kube,
        stores: Informer,
        settings: ServerSettings,
        namespace: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._kube = kube
        self._stores = stores
        self._settings = settings
        self._namespace = namespace
        self._clock = clock
        self._kept_seconds = max(GRACE_SECONDS, settings.rate_window_seconds)
        self._ledger: Ledger | None = None
        self._read_at = 0.0
        self._lock = asyncio.Lock()
        # When the informer first had a store, by the fingerprint of its request, also for stores that are deleted
        # since.
        self._seen: dict[str, float] = {}
        stores.on_change(self._note_seen)

    async def admit(self, caller: Caller, store_id: str, fingerprint: str) -> None:
        """Grant the creation of a store.

        Raises:
            ProblemError: a limit is reached, or the same key is in use for another store.
            ClusterError: the API server did not accept the grant.
        """
        # The caller has checked that the store does not exist, so an earlier store of this request no longer counts.
        self._seen.pop(fingerprint, None)
        grant = Grant(fingerprint, store_id, caller.user, caller.ip, self._clock())
        async with self._locked():
            for _ in range(MAX_ATTEMPTS):
                ledger = await self._current_ledger()
                known = next((each for each in ledger.grants if each.fingerprint == fingerprint), None)
                if known is not None and known.store != store_id:
                    detail = f"This Idempotency-Key is already used to create store {known.store}."
                    raise ProblemError("key-reused", detail, hint="Use a new key for another store.")
                others = [each for each in ledger.grants if each.fingerprint != fingerprint]
                try:
                    self._check_limits(caller, others)
                except ProblemError:
                    if time.monotonic() - self._read_at < FRESH_SECONDS:
                        raise
                    self._ledger = None
                    continue
                if await self._write(ledger, [*others, grant]):
                    return
        raise _busy()

    async def release(self, fingerprint: str) -> None:
        """Remove a grant whose store was not created; if that fails, the grant expires."""
        try:
            async with self._locked():
                for _ in range(MAX_ATTEMPTS):
                    ledger = await self._current_ledger()
                    if await self._write(ledger, [each for each in ledger.grants if each.fingerprint != fingerprint]):
                        return
        except (ClusterError, ProblemError) as error:
            log.warning("grant not released", extra={"fingerprint": fingerprint, "error": error.message})

    @contextlib.asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        """Run one request of this process at a time; refuse a request that would wait long for a slow API server."""
        try:
            async with asyncio.timeout(LOCK_SECONDS):
                await self._lock.acquire()
        except TimeoutError:
            raise _busy() from None
        try:
            yield
        finally:
            self._lock.release()

    def _check_limits(self, caller: Caller, grants: list[Grant]) -> None:
        settings, now = self._settings, self._clock()
        pending = [each for each in grants if each.fingerprint not in self._seen and now - each.at < GRACE_SECONDS]
        if len(grants) >= MAX_GRANTS:
            raise _busy()
        self._check_rate(caller, [each.at for each in grants if each.user == caller.user])
        total = len(self._stores.items) + len(pending)
        if total >= settings.max_active_stores:
            limit = LimitReached(name="MAX_ACTIVE_STORES", allowed=settings.max_active_stores, current=total)
            detail = f"Limit of stores reached: {total} of {limit.allowed} exist."
            hint = "Delete a store, or raise URUMI_MAX_ACTIVE_STORES."
            raise ProblemError("quota-exceeded", detail, hint=hint, limit=dump(limit))
        self._check_share("MAX_STORES_PER_USER", settings.max_stores_per_user, "user", caller.user, pending)
        self._check_share("MAX_STORES_PER_IP", settings.max_stores_per_ip, "ip", caller.ip, pending)

    def _check_share(self, name: str, allowed: int, kind: str, requester: str, pending: list[Grant]) -> None:
        if not allowed:
            return
        counts = Counter(StoreObject(raw).requested_by.get(kind) for raw in self._stores.items.values())
        current = counts[requester] + sum(getattr(each, kind) == requester for each in pending)
        if current >= allowed:
            limit = LimitReached(name=name, allowed=allowed, current=current)
            noun = "user" if kind == "user" else "address"
            detail = f"Limit of stores reached for {noun} {requester}: {current} of {allowed} exist."
            hint = f"Delete one of them, or ask an administrator to raise URUMI_{name}."
            raise ProblemError("quota-exceeded", detail, hint=hint, limit=dump(limit))

    def _check_rate(self, caller: Caller, times: list[float]) -> None:
        allowed, window = self._settings.create_rate_limit, self._settings.rate_window_seconds
        recent = sorted(at for at in times if self._clock() - at < window)
        if not allowed or len(recent) < allowed:
            return
        seconds = max(1, math.ceil(recent[-allowed] + window - self._clock()))
        limit = LimitReached(
            name="CREATE_RATE_LIMIT", allowed=allowed, current=len(recent), window_seconds=float(window)
        )
        raise ProblemError(
            "too-many-requests",
            f"User {caller.user} requested {len(recent)} stores in the last {window:g} s; the limit is {allowed}.",
            hint=f"Try again in {seconds} s.",
            headers={"Retry-After": str(seconds)},
            limit=dump(limit),
        )

    async def _current_ledger(self) -> Ledger:
        ledger = self._ledger
        if ledger is None:
            ledger = self._keep(_parse_ledger(await self._kube.get(LEASES, LEDGER_NAME, self._namespace)))
        now = self._clock()
        # A grant from the future comes from a wrong clock; it must not be kept until that time.
        recent = [each for each in ledger.grants if -GRACE_SECONDS < now - each.at < self._kept_seconds]
        kept = sorted(recent, key=lambda each: each.at)
        # If a whole rate window does not fit, the oldest grants are dropped, but none whose store may still be created.
        while len(kept) >= MAX_GRANTS and now - kept[0].at > GRACE_SECONDS:
            del kept[0]
        return Ledger(tuple(kept), ledger.version)

    async def _write(self, ledger: Ledger, grants: list[Grant]) -> bool:
        """Write the grants if the ledger has not changed since; return False if another writer was faster."""
        # The keys are the format that replicas of other versions read.
        entries = [
            {"mark": each.fingerprint, "store": each.store, "user": each.user, "ip": each.ip, "at": each.at}
            for each in grants
        ]
        text = json.dumps(entries, separators=(",", ":"))
        meta: Object = {"name": LEDGER_NAME, "namespace": self._namespace, "annotations": {LEDGER_ANNOTATION: text}}
        if ledger.version:
            meta["resourceVersion"] = ledger.version
        item: Object = {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": meta, "spec": {}}
        # Whatever the result of the call, the copy may be outdated after it.
        self._ledger = None
        try:
            if ledger.version:
                written = await self._kube.replace(LEASES, item)
            else:
                written = await self._kube.create(LEASES, item, self._namespace)
        except (ClusterNotFound, ClusterConflict):
            return False
        self._keep(_parse_ledger(written))
        return True

    def _keep(self, ledger: Ledger) -> Ledger:
        self._ledger, self._read_at = ledger, time.monotonic()
        return ledger

    def _note_seen(self, before: Object | None, after: Object | None) -> None:
        fingerprint = fingerprint_of(StoreObject(after)) if after is not None and before is None else ""
        if not fingerprint:
            return
        now = time.monotonic()
        self._seen[fingerprint] = now
        while self._seen and now - next(iter(self._seen.values())) > self._kept_seconds + GRACE_SECONDS:
            del self._seen[next(iter(self._seen))]


def _parse_ledger(item: Object | None) -> Ledger:
    if item is None:
        return Ledger((), "")
    version = str(item["metadata"]["resourceVersion"])
    try:
        entries = json.loads(annotations_of(item).get(LEDGER_ANNOTATION, "[]"))
        grants = tuple(
            Grant(each["mark"], each["store"], each["user"], each["ip"], float(each["at"])) for each in entries
        )
    except (LookupError, ValueError, TypeError):
        # Somebody edited it. The grants of the last minute are lost; the next write replaces the text.
        log.warning("admission ledger unreadable", extra={"lease": LEDGER_NAME})
        grants = ()
    return Ledger(grants, version)


def _busy() -> ProblemError:
    return ProblemError(
        "busy",
        "Too many stores are being requested at the same time; nothing was changed.",
        hint="Try again in a few seconds.",
        headers={"Retry-After": "5"},
    )
