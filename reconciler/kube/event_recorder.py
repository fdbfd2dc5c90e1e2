"""The timeline as Kubernetes Events, for `kubectl describe` and for whoever collects them.

    write of a status -> record (bounded line) -> one event object, or one more in the series of an equal one

Rate-limited as Kubernetes' own components are: a store may burst, then one event every few minutes; what is over is
dropped and counted, since the timeline in the status has it all the same. Nothing waits for the recorder, and what it
cannot write is lost on purpose.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.kube.resources import STORES, Object, Resource, name_of, namespace_of, uid_of
from urumi.errors import ClusterError
from urumi.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.kube.client import Kube

EVENTS = Resource("events.k8s.io", "v1", "events", "Event")
REPORTER = "urumi.ai/reconciler"
BURST = 25
REFILL_SECONDS = 300.0
SERIES_SECONDS = 600.0
LINE_LENGTH = 2000
TOLD = frozenset(
    {"ProvisioningStarted", "HelmInstalled", "Ready", "Recovered", "GuardrailsUpdated", "TakenOver", "Deleting"}
)
KNOWN_SERIES = 4096
MAX_NOTE_CHARACTERS = 1000

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Allowance:
    """A token bucket."""

    left: float = BURST
    at: float = field(default_factory=time.monotonic)

    def take(self) -> bool:
        now = time.monotonic()
        self.left = min(BURST, self.left + (now - self.at) / REFILL_SECONDS)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass(slots=True)
class _Series:
    """An event that was written, and how often it has happened since."""

    name: str
    count: int
    at: float


class Recorder:
    """Writes Events about stores in the background."""

    def __init__(self, kube: Kube, may_write: Callable[[], bool]) -> None:
        self.dropped = 0
        self._kube = kube
        self._may_write = may_write
        self._line: deque[tuple[Object, Object]] = deque()
        self._filled = asyncio.Event()
        self._allowances: dict[str, _Allowance] = {}
        self._series: dict[tuple[str, str, str], _Series] = {}

    def record(self, store: Object, event: Object) -> None:
        """Take an event of a store's timeline; it is written soon, or dropped where there are too many.

        Steps that went well are left to the timeline: a namespace has enough Events of its own about each.
        """
        if event["level"] == "info" and event["type"] not in TOLD:
            return
        allowance = self._allowances.setdefault(uid_of(store), _Allowance())
        if len(self._line) >= LINE_LENGTH or not allowance.take():
            self.dropped += 1
            return
        self._line.append((store, event))
        self._filled.set()

    def forget(self, uid: str) -> None:
        """Forget a store that is gone."""
        self._allowances.pop(uid, None)

    async def run(self) -> None:
        """Write what is recorded, until cancelled."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._line:
                await self._write(*self._line.popleft())

    async def _write(self, store: Object, event: Object) -> None:
        if not self._may_write():
            return
        key = (uid_of(store), event["type"], event["message"])
        known = self._series.pop(key, None)
        try:
            if known is not None and time.monotonic() - known.at < SERIES_SECONDS:
                self._keep(key, await self._repeat(store, known))
            else:
                self._keep(key, await self._create(store, event))
        except ClusterError as error:
            self.dropped += 1
            log.debug("an event was not written", extra={"error": error.message})

    def _keep(self, key: tuple[str, str, str], series: _Series) -> None:
        self._series[key] = series
        if len(self._series) > KNOWN_SERIES:
            del self._series[next(iter(self._series))]

    async def _create(self, store: Object, event: Object) -> _Series:
        made = await self._kube.create(EVENTS, _event_object(store, event), namespace_of(store))
        return _Series(name_of(made), 1, time.monotonic())

    async def _repeat(self, store: Object, known: _Series) -> _Series:
        series = {"series": {"count": known.count + 1, "lastObservedTime": format_timestamp(timespec="microseconds")}}
        await self._kube.merge(EVENTS, known.name, series, namespace_of(store))
        return _Series(known.name, known.count + 1, time.monotonic())


def _event_object(store: Object, event: Object) -> Object:
    return {
        "metadata": {"generateName": f"{name_of(store)}-", "namespace": namespace_of(store)},
        "eventTime": format_timestamp(timespec="microseconds"),
        "type": "Normal" if event["level"] == "info" else "Warning",
        "reason": event["type"],
        "action": event.get("step") or "reconcile",
        "note": event["message"][:MAX_NOTE_CHARACTERS],
        "reportingController": REPORTER,
        "reportingInstance": f"{socket.gethostname()[:100]}-{os.getpid()}",
        "regarding": {
            "apiVersion": STORES.api_version,
            "kind": STORES.kind,
            "name": name_of(store),
            "namespace": namespace_of(store),
            "uid": uid_of(store),
        },
    }
