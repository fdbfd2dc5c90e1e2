"""What a reconcile works with, and the one way in which it writes a store's status."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.engines.registry import ENGINES
from reconciler.helm.runner import Helm
from reconciler.kube.resources import STORES, Object, uid_of
from reconciler.metrics import STATUS_WRITES
from reconciler.store.desired import store_host
from urumi.errors import ClusterError, UrumiError
from urumi.store import Engine, namespace_name, release_name

if TYPE_CHECKING:
    from reconciler.helm.release import ReleaseState
    from reconciler.kube.client import Kube
    from reconciler.kube.event_recorder import Recorder
    from reconciler.leaderelection.elector import LeaderTerm
    from reconciler.queue.limiter import ConcurrencyLimiter
    from reconciler.queue.workqueue import WorkQueue
    from reconciler.settings import Settings
    from reconciler.steps.storefront import StorefrontChecks
    from reconciler.store.status import StatusDraft
    from reconciler.view import ClusterView

# How long the informers may take to show what this process did; observed lags are a hundredth of it.
SETTLE_SECONDS = 3.0
CORRECTION_FIRST_SECONDS = 10.0
CORRECTION_MOST_SECONDS = 600.0
CALM_SECONDS = 1800.0


class Superseded(UrumiError):
    """Raised when what a reconcile was based on is no longer so; it begins again with what is."""


@dataclass(slots=True)
class Memory:
    """What was done for one store in this term. It bridges the informers' lag and paces corrections, no more."""

    is_founded: bool = False
    acted_at: float = float("-inf")
    told_at: float = float("-inf")
    revision: int = 0
    digest: str = ""
    corrections: int = 0
    corrected_at: float = float("-inf")

    def act(self) -> None:
        """Note that the store's objects were written just now."""
        self.acted_at = time.monotonic()

    def settles_in_seconds(self) -> float:
        """Return how long until the informers are trusted to have seen the last own write, 0 where they are."""
        return max(0.0, self.acted_at + SETTLE_SECONDS - time.monotonic())

    def correct(self) -> None:
        """Count a correction; after a long calm the count starts anew."""
        now = time.monotonic()
        self.corrections = 1 if now - self.corrected_at > CALM_SECONDS else self.corrections + 1
        self.corrected_at = now

    def correctable_in_seconds(self) -> float:
        """Return how long until the next correction: somebody who insists is not fought with ever more Helm runs."""
        return max(0.0, self.corrected_at + self._pace_seconds() - time.monotonic())

    def pace(self) -> str:
        """Return how far apart corrections are now, in words."""
        return f"it is put back {self._pace_seconds():.0f} s after the last correction"

    def _pace_seconds(self) -> float:
        return min(CORRECTION_MOST_SECONDS, CORRECTION_FIRST_SECONDS * 2.0 ** min(self.corrections - 1, 10))


@dataclass(frozen=True, slots=True)
class Context:
    """The cluster, the queue, the slots, and a memory a store by its uid."""

    kube: Kube
    view: ClusterView
    settings: Settings
    leader_term: LeaderTerm
    queue: WorkQueue
    limiter: ConcurrencyLimiter
    recorder: Recorder
    visits: StorefrontChecks
    _memories: dict[str, Memory] = field(default_factory=dict)

    @property
    def helm(self) -> Helm:
        """Return Helm as this term may use it."""
        return Helm(self.settings, self.leader_term)

    def memory(self, store: Object) -> Memory:
        """Return what was done for a store in this term."""
        return self._memories.setdefault(uid_of(store), Memory())

    def forget(self, store: Object) -> None:
        """Forget a store that is gone."""
        self._memories.pop(uid_of(store), None)
        self.recorder.forget(uid_of(store))
        self.visits.forget(uid_of(store))

    async def write(self, draft: StatusDraft) -> None:
        """Write the draft where it says something new; a store that is gone meanwhile is nobody's loss.

        Raises:
            Superseded: the store changed since the draft was begun, or this process no longer leads.
        """
        status = draft.finished(self.leader_term.epoch)
        if status is None:
            return
        if not self.leader_term.is_valid():
            raise Superseded("This process no longer leads.")
        try:
            written = await self.kube.replace_status(STORES, draft.store, status)
        except ClusterError as error:
            if error.status in (404, 422):
                return
            if error.status == 409:
                await self._look_again(draft)
            raise
        STATUS_WRITES.inc()
        self.view.stores.remember(written)
        for event in draft.take_events():
            self.recorder.record(written, event)
        draft.store = written

    async def _look_again(self, draft: StatusDraft) -> None:
        meta = draft.store["metadata"]
        found = await self.kube.get(STORES, meta["name"], meta["namespace"])
        if found is not None:
            self.view.stores.remember(found)
        raise Superseded(f"Store {meta['name']} changed meanwhile.")

    def is_released(self, store: Object, state: ReleaseState | None, digest: str) -> bool:
        """Return whether exactly this content is released, our own last install included."""
        memory = self.memory(store)
        if memory.settles_in_seconds() and (state is None or state.revision < memory.revision):
            return memory.digest == digest
        return state is not None and state.is_deployed(digest)

    def addresses(self, store: Object) -> Object:
        """Return where a store is: its namespace, its release, its URLs."""
        spec = store["spec"]
        engine = Engine(spec["engine"])
        url = f"{self.settings.scheme}://{store_host(self.settings, spec)}"
        return {
            "url": url,
            "adminUrl": url + ENGINES[engine].admin_path,
            "namespace": namespace_name(spec["storeId"]),
            "releaseName": release_name(engine, spec["storeId"]),
        }
