"""Writes the timeline of stores as Kubernetes Events, for `kubectl describe` and for log collectors.

    write of a status -> record (bounded queue) -> a new Event, or the next count in the series of an equal one

Events are limited as those of Kubernetes components are: a burst per store, then one every few minutes. Excess events
are dropped and counted; the timeline in the status has them anyway. Nothing waits for the recorder. An Event that
cannot be written is dropped.
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
QUEUE_LENGTH = 2000
# Info events of other types are not written: the objects of a namespace have their own Events.
RECORDED_INFO_TYPES = frozenset(
    {"ProvisioningStarted", "HelmInstalled", "Ready", "Recovered", "GuardrailsUpdated", "TakenOver", "Deleting"}
)
MAX_SERIES = 4096
MAX_NOTE_CHARACTERS = 1000

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _TokenBucket:
    """The events that a store may still write; one more every REFILL_SECONDS."""

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
    """An Event that was written, and its count."""

    name: str
    count: int
    at: float


class Recorder:
    """Writes Events about stores in the background.

    Args:
        may_write: returns whether this process leads.
    """

    def __init__(self, kube: Kube, may_write: Callable[[], bool]) -> None:
        self.dropped = 0
        self._kube = kube
        self._may_write = may_write
        self._queue: deque[tuple[Object, Object]] = deque()
        self._queued = asyncio.Event()
        self._buckets: dict[str, _TokenBucket] = {}
        self._series: dict[tuple[str, str, str], _Series] = {}

    def record(self, store: Object, event: Object) -> None:
        """Queue an event of a store's timeline, or drop it if there are too many."""
        if event["level"] == "info" and event["type"] not in RECORDED_INFO_TYPES:
            return
        bucket = self._buckets.setdefault(uid_of(store), _TokenBucket())
        if len(self._queue) >= QUEUE_LENGTH or not bucket.take():
            self.dropped += 1
            return
        self._queue.append((store, event))
        self._queued.set()

    def forget(self, uid: str) -> None:
        """Forget a deleted store."""
        self._buckets.pop(uid, None)

    async def run(self) -> None:
        """Write queued events until cancelled."""
        while True:
            await self._queued.wait()
            self._queued.clear()
            while self._queue:
                await self._write(*self._queue.popleft())

    async def _write(self, store: Object, event: Object) -> None:
        if not self._may_write():
            return
        key = (uid_of(store), event["type"], event["message"])
        known = self._series.pop(key, None)
        try:
            if known is not None and time.monotonic() - known.at < SERIES_SECONDS:
                name, count = known.name, known.count + 1
                series = {"count": count, "lastObservedTime": format_timestamp(timespec="microseconds")}
                await self._kube.merge(EVENTS, name, {"series": series}, namespace_of(store))
            else:
                created = await self._kube.create(EVENTS, _event_object(store, event), namespace_of(store))
                name, count = name_of(created), 1
            self._series[key] = _Series(name, count, time.monotonic())
        except ClusterError as error:
            self.dropped += 1
            log.debug("event dropped", extra={"error": error.message})
        if len(self._series) > MAX_SERIES:
            del self._series[next(iter(self._series))]


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
