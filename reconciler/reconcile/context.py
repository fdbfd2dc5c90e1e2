"""What every reconcile works with, and the only way in which it writes the status of a store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.helm.runner import Helm
from reconciler.kube.resources import STORES
from reconciler.metrics import STATUS_WRITES
from reconciler.reconcile.term_state import TermState
from reconciler.store.object import StoreObject
from urumi.errors import ClusterConflict, ClusterError, ClusterNotFound, UrumiError

if TYPE_CHECKING:
    from reconciler.kube.client import Kube
    from reconciler.kube.event_recorder import Recorder
    from reconciler.leaderelection.elector import LeaderTerm
    from reconciler.queue.limiter import ConcurrencyLimiter
    from reconciler.queue.workqueue import WorkQueue
    from reconciler.reconcile.storefront_checks import StorefrontChecks
    from reconciler.settings import Settings
    from reconciler.store.draft import StatusDraft
    from reconciler.view import ClusterView


class Requeue(UrumiError):
    """Raised when a reconcile works with an outdated store; the store is queued again."""


@dataclass(frozen=True, slots=True)
class Context:
    """The cluster, the queue, the concurrency limiter, and the state of this term for each store, by its uid."""

    kube: Kube
    view: ClusterView
    settings: Settings
    leader_term: LeaderTerm
    queue: WorkQueue
    limiter: ConcurrencyLimiter
    recorder: Recorder
    storefront_checks: StorefrontChecks
    _term_states: dict[str, TermState] = field(default_factory=dict)

    @property
    def helm(self) -> Helm:
        """Return Helm with the permissions of this term."""
        return Helm(self.settings, self.leader_term)

    def term_state(self, store: StoreObject) -> TermState:
        """Return what this term remembers about a store."""
        return self._term_states.setdefault(store.uid, TermState())

    def forget(self, store: StoreObject) -> None:
        """Drop everything that is remembered about a store, because it was deleted."""
        self._term_states.pop(store.uid, None)
        self.recorder.forget(store.uid)
        self.storefront_checks.forget(store.uid)

    async def write(self, draft: StatusDraft) -> None:
        """Write the draft if it says something new; a store that no longer exists is not an error.

        Raises:
            Requeue: the store changed since the draft was started, or this process is no longer the leader.
            ClusterError: the API server refused the write for another reason.
        """
        status = draft.finish(self.leader_term.fencing_token)
        if status is None:
            return
        store = draft.store
        if not self.leader_term.is_valid():
            raise Requeue("This process is no longer the leader.")
        try:
            written = await self.kube.replace_status(STORES, store.raw, status)
        except ClusterConflict as error:
            found = await self.kube.get(STORES, store.name, store.platform_namespace)
            if found is not None:
                self.view.stores.remember(found)
            raise Requeue(f"Store {store.name} changed since it was read.") from error
        except ClusterNotFound:
            return
        except ClusterError as error:
            # 422: the name belongs to a new Store by now, whose uid is another.
            if error.status == 422:
                return
            raise
        STATUS_WRITES.inc()
        self.view.stores.remember(written)
        for event in draft.timeline.take_new():
            self.recorder.record(written, event)
        draft.store = StoreObject(written)
