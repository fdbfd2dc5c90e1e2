"""One leader term: changes fill the queue, workers reconcile stores from it, and errors are retried with a backoff.

    changes, resync, retries --> WorkQueue --> worker --> delete | finalizer, provision

One reconcile runs per store at a time, and reconciles of different stores run in parallel. A reconcile waits only for
API calls and, in its slot, for Helm; so slightly more workers than slots keep the API server busy without flooding it.
A term starts with every store queued, because the state of the previous leader is not known. An edit overtakes the
stores that are queued by a resync.
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING

from reconciler.kube.event_recorder import Recorder
from reconciler.metrics import RECONCILE_SECONDS
from reconciler.queue.limiter import ConcurrencyLimiter
from reconciler.queue.workqueue import WorkQueue
from reconciler.reconcile.context import Context, Requeue
from reconciler.reconcile.storefront_checks import StorefrontChecks
from reconciler.steps.delete import delete
from reconciler.steps.finalizer import ensure_finalizer
from reconciler.steps.provision import provision
from reconciler.store.draft import StatusDraft
from urumi.errors import ClusterError

if TYPE_CHECKING:
    from reconciler.kube.client import Kube
    from reconciler.leaderelection.elector import LeaderTerm
    from reconciler.settings import Settings
    from reconciler.view import ClusterView

# Workers beside those that wait for Helm.
EXTRA_WORKERS = 12

log = logging.getLogger(__name__)


class LeaderLoop:
    """Reconciles all stores until cancelled."""

    def __init__(self, kube: Kube, view: ClusterView, settings: Settings, leader_term: LeaderTerm) -> None:
        self.queue = WorkQueue()
        self.limiter = ConcurrencyLimiter(settings.max_concurrent_provisions, self.queue.add)
        self._view = view
        self._settings = settings
        self._recorder = Recorder(kube, leader_term.is_valid)
        self._storefront_checks = StorefrontChecks(self.queue.add)
        self._context = Context(
            kube, view, settings, leader_term, self.queue, self.limiter, self._recorder, self._storefront_checks
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._workers = asyncio.Semaphore(settings.max_concurrent_provisions + EXTRA_WORKERS)

    async def run(self) -> None:
        """Reconcile; after a cancellation, return when every Helm process has ended."""
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
            await self._storefront_checks.close()

    def wake(self, store_id: str) -> None:
        """Queue a store because something about it changed; a store that no longer exists leaves the queue."""
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
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda _: self._workers.release())

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(self._settings.resync_seconds * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
            for store in self._view.all_stores():
                self.queue.add(store.name, urgent=False)

    async def _work(self, store_id: str) -> None:
        try:
            with RECONCILE_SECONDS.time():
                await self._reconcile(store_id)
        except Requeue:
            self.queue.add(store_id)
        except ClusterError as error:
            log.warning("reconcile will be retried", extra={"store": store_id, "error": error.message})
            self.queue.retry(store_id, at_least_seconds=error.retry_after_seconds or 0.0)
        except Exception:
            # A defect in the reconcile of one store must not stop the others.
            log.exception("reconcile failed", extra={"store": store_id})
            self.queue.retry(store_id)
        else:
            self.queue.succeeded(store_id)
        finally:
            self.queue.done(store_id)

    async def _reconcile(self, store_id: str) -> None:
        store = self._view.store(store_id)
        if store is None:
            self.limiter.release(store_id)
            return
        if not store.is_deleting:
            store = await ensure_finalizer(self._context, store)
        draft = StatusDraft(store, max_events=self._settings.max_status_events)
        draft.note_takeover(self._context.leader_term.fencing_token)
        await (delete if store.is_deleting else provision)(self._context, store, draft)
