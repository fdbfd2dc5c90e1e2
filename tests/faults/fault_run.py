"""One run of a fault: an informer behind the proxy, a writer at the API server, and the outcome.

    list, watch -> fault begins -> writes continue -> fault ends, last write -> copy equals LIST -> one more write

Cases are independent of each other and mostly wait, so the selected ones run in parallel, each in a thread with a
separate event loop; a test reads the outcome of its case.
"""

import asyncio
import contextlib
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cluster.local.cluster import ClusterInfo
from reconciler.cache.informer import Informer
from reconciler.cache.reflector import Restart
from reconciler.cache.timeouts import InformerTimeouts
from reconciler.kube.client import Kube
from reconciler.kube.resources import NAMESPACES, Object
from testing.faults.call import Call
from testing.faults.proxy import ApiProxy
from testing.faults.writer import CONFIG_MAPS, SELECTOR, Writer, essence

RECOVERY_SECONDS = 90.0
STEADY_AFTER_SECONDS = 5.0
POLL_SECONDS = 0.05
# kubernetes-asyncio keeps the certificates of a kubeconfig in files that all threads share.
CONNECTING = threading.Lock()


@dataclass(frozen=True, slots=True)
class FaultCase:
    """A fault, how long it lasts, and the timeouts of the informer.

    `stands_for` names a class of faults; cases without it run with `--all` only.
    """

    name: str
    fault: Callable[[ApiProxy], AbstractContextManager[object]]
    seconds: float = 14.0
    timeouts: InformerTimeouts = field(default_factory=InformerTimeouts)
    begins_with_it: bool = False
    kubeconfig: Callable[[ApiProxy], Path] = lambda proxy: proxy.cluster.kubeconfig
    stands_for: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a case; times are those of time.monotonic()."""

    began_at: float
    ended_at: float
    recovered_at: float
    last_write_seconds: float
    calls: list[Call]
    restarts: dict[Restart, int]
    last_error: str
    lost: set[str]
    stale: set[str]
    inconsistencies: list[str]
    oldest_silence_seconds: float

    @property
    def recovered_seconds(self) -> float:
        """Return the time from the end of the fault until the copy was correct."""
        return self.recovered_at - self.ended_at

    def steady_rate(self) -> float:
        """Return the calls per second during the fault, without its first seconds; 0 if too little time remains."""
        start = self.began_at + STEADY_AFTER_SECONDS
        seconds = self.ended_at - start
        return len(self.calls_between(start, self.ended_at)) / seconds if seconds >= STEADY_AFTER_SECONDS else 0.0

    def most_calls_in(self, seconds: float) -> int:
        """Return the largest number of calls within any interval of this length."""
        return max(len(self.calls_between(call.at, call.at + seconds)) for call in self.calls)

    def sentence(self) -> str:
        """Return the outcome in one line."""
        restarts = ", ".join(f"{count} {reason}" for reason, count in self.restarts.items()) or "none"
        return (
            f"correct {self.recovered_seconds:.1f} s after it, {self.steady_rate():.2f} calls/s, restarts: {restarts}"
        )

    def calls_between(self, start: float, end: float) -> list[Call]:
        """Return the calls in an interval."""
        return [call for call in self.calls if start <= call.at < end]


class Mirror:
    """A copy built only from the changes that handlers receive; it records inconsistent changes."""

    def __init__(self) -> None:
        self.items: dict[str, Any] = {}
        self.inconsistencies: list[str] = []
        self._newest: dict[str, int] = {}

    def on_change(self, before: Object | None, after: Object | None) -> None:
        """Apply a change, as a handler does."""
        changed = after or before
        if changed is None:
            self.inconsistencies.append("a change without an object")
            return
        name = changed["metadata"]["name"]
        known = self.items.get(name)
        if (None if before is None else essence(before)) != known:
            self.inconsistencies.append(f"{name} changed from a state that it did not have")
        if before is not None and after is not None and before["metadata"]["uid"] != after["metadata"]["uid"]:
            self.inconsistencies.append(f"{name} became another object")
        version = int(changed["metadata"]["resourceVersion"])
        if after is not None and version <= self._newest.get(name, 0):
            self.inconsistencies.append(f"{name} went back to {version}")
        self._newest[name] = version
        self.items.pop(name, None)
        if after is not None:
            self.items[name] = essence(after)


class FaultRun:
    """The objects of one run: its namespace, proxy, informer and writer."""

    def __init__(self, proxy: ApiProxy, case: FaultCase, direct: Kube, behind: Kube) -> None:
        self.namespace = f"faults-{secrets.token_hex(4)}"
        self.mirror = Mirror()
        self.informer = Informer(
            behind, CONFIG_MAPS, namespace=self.namespace, selector=SELECTOR, timeouts=case.timeouts
        )
        self.informer.on_change(self.mirror.on_change)
        self._writer = Writer(direct, self.namespace, seed=case.name)
        self._proxy = proxy
        self._case = case
        self._direct = direct
        self._silence_seconds = 0.0

    async def run(self) -> Outcome:
        """Run the case and return the outcome."""
        await self._direct.apply(NAMESPACES, {"metadata": {"name": self.namespace}})
        await self._writer.fill()
        running = asyncio.create_task(self.informer.run())
        try:
            return await self._run_fault(running)
        finally:
            running.cancel()
            await asyncio.wait([running])

    async def _run_fault(self, running: asyncio.Task[None]) -> Outcome:
        if not self._case.begins_with_it:
            await self._wait_for(self.informer.synced.is_set, running)
            await self._mark(running)
        last_error = ""
        writing = asyncio.create_task(self._writer.run())
        fault = self._case.fault(self._proxy)
        await asyncio.to_thread(fault.__enter__)
        began_at = time.monotonic()
        while time.monotonic() < began_at + self._case.seconds:
            await self._observe(running)
            last_error = self.informer.last_error or last_error
        await asyncio.to_thread(fault.__exit__, None, None, None)
        ended_at = time.monotonic()
        writing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writing
        truth = await self._writer.truth()
        await self._wait_for(lambda: self.copy() == truth, running)
        recovered_at = time.monotonic()
        last_write_seconds = await self._mark(running)
        truth = await self._writer.truth()
        return self._outcome(began_at, ended_at, recovered_at, last_write_seconds, last_error, truth)

    async def _mark(self, running: asyncio.Task[None]) -> float:
        # Lists alone could correct the copy; one more change proves that the watch works again.
        started, name = time.monotonic(), await self._writer.mark()
        await self._wait_for(lambda: self.informer.get(name, self.namespace) is not None, running)
        return time.monotonic() - started

    def _outcome(
        self, began_at: float, ended_at: float, recovered_at: float, marked: float, last_error: str, truth: Any
    ) -> Outcome:
        copy = self.copy()
        inconsistencies = list(self.mirror.inconsistencies)
        if self.mirror.items != copy:
            inconsistencies.append("the handlers' copy differs from the informer's")
        return Outcome(
            began_at=began_at,
            ended_at=ended_at,
            recovered_at=recovered_at,
            last_write_seconds=marked,
            calls=self._proxy.calls_of(),
            restarts=dict(self.informer.restarts),
            last_error=last_error,
            lost=truth.keys() - copy.keys(),
            stale={name for name in copy if truth.get(name) != copy[name]},
            inconsistencies=inconsistencies,
            oldest_silence_seconds=self._silence_seconds,
        )

    def copy(self) -> dict[str, Any]:
        """Return the informer's copy in the form of the writer's expected state."""
        return {name: essence(item) for (_, name), item in self.informer.items.items()}

    async def _wait_for(self, condition: Callable[[], bool], running: asyncio.Task[None]) -> None:
        deadline = time.monotonic() + RECOVERY_SECONDS + 10
        while not condition() and time.monotonic() < deadline:
            await self._observe(running)

    async def _observe(self, running: asyncio.Task[None]) -> None:
        await asyncio.wait([running], timeout=POLL_SECONDS)
        if running.done():
            running.result()
        self._silence_seconds = max(self._silence_seconds, self.informer.seconds_since_last_response())


def run_case(case: FaultCase, cluster: ClusterInfo, folder: Path) -> Outcome:
    """Run a case in this thread and return the outcome."""

    async def run(proxy: ApiProxy) -> Outcome:
        path = case.kubeconfig(proxy)
        with CONNECTING:
            direct, behind = await Kube.connect(cluster.kubeconfig), await Kube.connect(path)
        try:
            return await FaultRun(proxy, case, direct, behind).run()
        finally:
            await behind.close()
            await direct.close()

    with ApiProxy(cluster, folder) as proxy:
        return asyncio.run(run(proxy))
