"""One term of leadership: changes fill the queue, one reconcile runs per store at a time, errors come back later.

Some reconciles of different stores run side by side; none of them waits for anything but the API and, within its slot,
for Helm, so a few more than there are slots keep the API busy without flooding it, and a person's edit overtakes
whatever is still in line. A term starts with every store in line, because nothing is known of what the term before had
in hand.
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING

from reconciler.kube.event_recorder import Recorder
from reconciler.kube.resources import STORES, Object, is_deleting
from reconciler.metrics import RECONCILE_SECONDS
from reconciler.queue.limiter import ConcurrencyLimiter
from reconciler.queue.workqueue import WorkQueue
from reconciler.steps.context import Context, Superseded
from reconciler.steps.delete import delete
from reconciler.steps.provision import provision
from reconciler.steps.storefront import StorefrontChecks
from reconciler.store.status import StatusDraft
from urumi.errors import ClusterError
from urumi.store import FINALIZER

if TYPE_CHECKING:
    from reconciler.kube.client import Kube
    from reconciler.leaderelection.elector import LeaderTerm
    from reconciler.settings import Settings
    from reconciler.view import ClusterView

SPARE_WORKERS = 12

log = logging.getLogger(__name__)


class LeaderLoop:
    """Reconciles all stores until cancelled."""

    def __init__(self, kube: Kube, view: ClusterView, settings: Settings, leader_term: LeaderTerm) -> None:
        self.queue = WorkQueue()
        self.limiter = ConcurrencyLimiter(settings.max_concurrent_provisions, self.queue.add)
        self._view = view
        self._settings = settings
        self._recorder = Recorder(kube, leader_term.is_valid)
        self._visits = StorefrontChecks(self.queue.add)
        self._context = Context(
            kube, view, settings, leader_term, self.queue, self.limiter, self._recorder, self._visits
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._workers = asyncio.Semaphore(settings.max_concurrent_provisions + SPARE_WORKERS)

    async def run(self) -> None:
        """Reconcile; on cancellation every Helm process is ended before this returns."""
        for store in self._view.all_stores():
            self.queue.add(store.name, urgent=False)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._dispatch(), name="dispatch")
                group.create_task(self._resync(), name="resync")
                group.create_task(self._recorder.run(), name="recorder")
        finally:
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)
            await self._visits.close()

    def wake(self, store_id: str) -> None:
        """Put a store in line because something about it changed; one that is gone leaves nothing behind."""
        if self._view.store(store_id) is None:
            self.limiter.release(store_id)
            self.queue.forget(store_id)
        else:
            self.queue.add(store_id)

    async def _dispatch(self) -> None:
        while True:
            await self._workers.acquire()
            store_id = await self.queue.take()
            task = asyncio.create_task(self._work(store_id), name=f"reconcile {store_id}")
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._workers.release()

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(self._settings.resync_seconds * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
            for store in self._view.all_stores():
                self.queue.add(store.name, urgent=False)

    async def _work(self, store_id: str) -> None:
        try:
            with RECONCILE_SECONDS.time():
                await self._reconcile(store_id)
        except Superseded:
            self.queue.add(store_id)
        except ClusterError as error:
            log.warning("reconcile will be tried again", extra={"store": store_id, "error": error.message})
            self.queue.retry(store_id, at_least_seconds=error.retry_after_seconds or 0.0)
        except Exception:
            # A defect in one store's reconcile must not take the others down with it.
            log.exception("reconcile failed", extra={"store": store_id})
            self.queue.retry(store_id)
        else:
            self.queue.succeeded(store_id)
        finally:
            self.queue.done(store_id)

    async def _reconcile(self, store_id: str) -> None:
        known = self._view.store(store_id)
        if known is None:
            self.limiter.release(store_id)
            return
        store = known.raw
        if is_deleting(store):
            await delete(self._context, store, self._draft(store))
            return
        store = await self._with_finalizer(store)
        await provision(self._context, store, self._draft(store))

    def _draft(self, store: Object) -> StatusDraft:
        draft = StatusDraft(store, max_events=self._settings.max_status_events)
        draft.take_over(self._context.leader_term.epoch)
        return draft

    async def _with_finalizer(self, store: Object) -> Object:
        meta = store["metadata"]
        finalizers = meta.get("finalizers") or []
        if FINALIZER in finalizers:
            return store
        patch = {"metadata": {"finalizers": [*finalizers, FINALIZER], "resourceVersion": meta["resourceVersion"]}}
        patched = await self._context.kube.merge(STORES, meta["name"], patch, meta["namespace"])
        self._view.stores.remember(patched)
        return patched
