"""Admission: who may have one more store, so that no number of requests or replicas ever exceeds a limit.

    POST --> ledger (one Lease in the API server) --compare and swap--> granted --> create the Store
               grants of the last while              somebody was faster: read it again, count again

A grant is written down before its store is made, in an object that only one writer at a time can change; so what two
replicas grant is in one order, and each counts what the other has granted. What is counted are the stores that the
informer has, and the grants whose store it has not had yet. A grant of which no store comes (the process died in
between) stops counting after GRACE_SECONDS, longer than any call to the API server takes and than a watch can be dead
without being noticed. The same grants, by the user that asked, are the rate of creations. Chosen over counting after
the creation and undoing it, which would show people stores that were never allowed, and over a lock, which would be
stuck with a dead holder.

Not guaranteed: that a store made with kubectl in this very moment is counted already; that a process which has just
started knows that a store of the last GRACE_SECONDS is gone again, so it may refuse too much for so long. The clocks
of replicas are compared, as far as a window of seconds needs it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from reconciler.kube.resources import annotations_of
from reconciler.leaderelection.lease import LEASES
from server.http.problems import ProblemError
from server.stores.idempotency import mark_of
from urumi.errors import ClusterError
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
# A picture of the ledger that may refuse without another look.
FRESH_SECONDS = 1.0
MAX_GRANTS = 1000
MAX_TURNS = 40
TURN_SECONDS = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission to make a store; `mark` is what the store carries so that it is recognised."""

    mark: str
    store: str
    user: str
    ip: str
    at: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """The grants as they were read or written; `version` is empty where there is no ledger yet."""

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
        self._turn = asyncio.Lock()
        # Marks of stores that the informer had, whether or not they are there still.
        self._seen: dict[str, float] = {}
        stores.on_change(self._see)

    async def admit(self, caller: Caller, store_id: str, mark: str) -> None:
        """Let a caller make a store.

        Raises:
            ProblemError: a limit is reached, or the same key is at work on another store.
            ClusterError: the API server did not take it.
        """
        # From here on it has to be seen anew; the caller has just looked, and the store is not there.
        self._seen.pop(mark, None)
        grant = Grant(mark, store_id, caller.user, caller.ip, self._clock())
        async with self._in_turn():
            for _ in range(MAX_TURNS):
                ledger = await self._known_ledger()
                known = next((each for each in ledger.grants if each.mark == mark), None)
                if known is not None and known.store != store_id:
                    raise ProblemError("key-reused", f"This Idempotency-Key was used to ask for store {known.store}.")
                others = [each for each in ledger.grants if each.mark != mark]
                try:
                    self._check(caller, others)
                except ProblemError:
                    if self._is_fresh():
                        raise
                    self._ledger = None
                    continue
                if await self._write(ledger, [*others, grant]):
                    return
        raise _busy()

    async def take_back(self, mark: str) -> None:
        """Give a grant back of which no store came; where that fails, it stops counting by itself."""
        try:
            async with self._in_turn():
                for _ in range(MAX_TURNS):
                    ledger = await self._known_ledger()
                    if await self._write(ledger, [each for each in ledger.grants if each.mark != mark]):
                        return
        except (ClusterError, ProblemError) as error:
            log.warning("grant not taken back", extra={"mark": mark, "error": error.message})

    @contextlib.asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        """One at a time in this process; whoever would wait long while the API server is slow is told so instead."""
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            raise _busy() from None
        try:
            yield
        finally:
            self._turn.release()

    def _check(self, caller: Caller, grants: list[Grant]) -> None:
        settings, now = self._settings, self._clock()
        coming = [each for each in grants if each.mark not in self._seen and now - each.at < GRACE_SECONDS]
        if len(grants) >= MAX_GRANTS:
            raise _busy()
        self._check_rate(caller, [each.at for each in grants if each.user == caller.user])
        total = len(self._stores.items) + len(coming)
        if total >= settings.max_active_stores:
            limit = LimitReached(name="MAX_ACTIVE_STORES", allowed=settings.max_active_stores, current=total)
            words = f"{total} of {limit.allowed} stores exist."
            raise _quota(limit, words, "Delete a store, or raise MAX_ACTIVE_STORES.")
        self._check_share("MAX_STORES_PER_USER", settings.max_stores_per_user, "user", caller.user, coming)
        self._check_share("MAX_STORES_PER_IP", settings.max_stores_per_ip, "ip", caller.ip, coming)

    def _check_share(self, name: str, allowed: int, kind: str, who: str, coming: list[Grant]) -> None:
        if not allowed:
            return
        asked_by = Counter((store["spec"].get("requestedBy") or {}).get(kind) for store in self._stores.items.values())
        current = asked_by[who] + sum(getattr(each, kind) == who for each in coming)
        if current >= allowed:
            words = f"{current} of {allowed} stores asked for by {'user' if kind == 'user' else 'address'} {who} exist."
            limit = LimitReached(name=name, allowed=allowed, current=current)
            raise _quota(limit, words, f"Delete one of them, or have {name} raised.")

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
            f"User {caller.user} asked for {len(recent)} stores in the last {window:g} s, allowed are {allowed}.",
            hint=f"Ask again in {seconds} s.",
            headers={"Retry-After": str(seconds)},
            limit=dump(limit),
        )

    async def _known_ledger(self) -> Ledger:
        ledger = self._ledger
        if ledger is None:
            ledger = self._keep(_ledger(await self._kube.get(LEASES, LEDGER_NAME, self._namespace)))
        return Ledger(self._still_needed(ledger.grants), ledger.version)

    def _still_needed(self, grants: tuple[Grant, ...]) -> tuple[Grant, ...]:
        now = self._clock()
        # One from the future is of a clock that is wrong; it must not be kept for ever.
        recent = [each for each in grants if -GRACE_SECONDS < now - each.at < self._kept_seconds]
        kept = sorted(recent, key=lambda each: each.at)
        # Where there is no room for a whole window, the oldest are forgiven, but never one that may still be at work.
        while len(kept) >= MAX_GRANTS and now - kept[0].at > GRACE_SECONDS:
            del kept[0]
        return tuple(kept)

    async def _write(self, ledger: Ledger, grants: list[Grant]) -> bool:
        """Write the grants if the ledger is still the known one; False where somebody else was faster."""
        item = self._object(ledger.version, grants)
        # Whatever comes of the call, what was known before it may be wrong after it.
        self._ledger = None
        try:
            if ledger.version:
                written = await self._kube.replace(LEASES, item)
            else:
                written = await self._kube.create(LEASES, item, self._namespace)
        except ClusterError as error:
            if error.status in (404, 409):
                return False
            raise
        self._keep(_ledger(written))
        return True

    def _keep(self, ledger: Ledger) -> Ledger:
        self._ledger, self._read_at = ledger, time.monotonic()
        return ledger

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._read_at < FRESH_SECONDS

    def _object(self, version: str, grants: list[Grant]) -> Object:
        told = json.dumps([asdict(each) for each in grants], separators=(",", ":"))
        meta: Object = {"name": LEDGER_NAME, "namespace": self._namespace, "annotations": {LEDGER_ANNOTATION: told}}
        if version:
            meta["resourceVersion"] = version
        return {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": meta, "spec": {}}

    def _see(self, before: Object | None, after: Object | None) -> None:
        mark = mark_of(after) if after is not None and before is None else ""
        if not mark:
            return
        now = time.monotonic()
        self._seen[mark] = now
        while self._seen and now - next(iter(self._seen.values())) > self._kept_seconds + GRACE_SECONDS:
            del self._seen[next(iter(self._seen))]


def _ledger(item: Object | None) -> Ledger:
    if item is None:
        return Ledger((), "")
    version = str(item["metadata"]["resourceVersion"])
    try:
        grants = tuple(Grant(**each) for each in json.loads(annotations_of(item).get(LEDGER_ANNOTATION, "[]")))
    except (ValueError, TypeError):
        # Somebody's hand was at it. What is lost are the grants of a minute; the next one writes it anew.
        log.warning("ledger unreadable", extra={"lease": LEDGER_NAME})
        grants = ()
    return Ledger(grants, version)


def _quota(limit: LimitReached, words: str, hint: str) -> ProblemError:
    return ProblemError("quota-exceeded", words, hint=hint, limit=dump(limit))


def _busy() -> ProblemError:
    return ProblemError(
        "busy",
        "Too many stores are being asked for at once.",
        hint="Ask again in a few seconds; nothing was changed.",
        headers={"Retry-After": "5"},
    )
