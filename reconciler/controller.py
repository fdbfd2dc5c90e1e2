"""The controller: informers fill the queue, one reconcile runs per store at a time, errors come back later.

Reconciles of different stores run side by side without a worker limit: none of them waits for anything but the API and,
within its slot, for Helm. What must be capped (Helm processes) is capped by the slots.
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING

from reconciler.cluster import ClusterView
from reconciler.context import Context
from reconciler.deletion import delete
from reconciler.helm import Helm
from reconciler.informer import run_all
from reconciler.provision import provision
from reconciler.resources import STORES, Object, is_deleting, uid_of
from reconciler.slots import Slots
from reconciler.status import StatusDraft
from reconciler.workqueue import WorkQueue
from urumi.errors import ClusterError
from urumi.store import FINALIZER

if TYPE_CHECKING:
    from reconciler.kube import Kube
    from reconciler.settings import Settings

API_ERROR_WAIT_SECONDS = 2.0
DEFECT_WAIT_SECONDS = 30.0

log = logging.getLogger(__name__)


class Controller:
    """Reconciles all stores of one platform namespace until cancelled."""

    def __init__(self, kube: Kube, settings: Settings) -> None:
        self.settings = settings
        self.view = ClusterView(kube, settings.platform_namespace)
        self.queue = WorkQueue()
        self.slots = Slots(settings.max_concurrent_provisions, self.queue.add)
        self._context = Context(kube, self.view, settings, Helm(settings), self.queue, self.slots)
        self._tasks: set[asyncio.Task[None]] = set()
        self.view.wake(self._wake)

    async def run(self) -> None:
        """Run informers and reconciles; on cancellation every Helm process is ended first."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(run_all(self.view.informers), name="informers")
                group.create_task(self._dispatch(), name="dispatch")
                group.create_task(self._resync(), name="resync")
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _wake(self, store_id: str) -> None:
        if self.view.stores.synced.is_set() and self.view.store(store_id) is None:
            self.slots.leave(store_id)
        else:
            self.queue.add(store_id)

    async def _dispatch(self) -> None:
        await self.view.synced()
        while True:
            store_id = await self.queue.take()
            task = asyncio.create_task(self._work(store_id), name=f"reconcile {store_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(self.settings.resync_seconds * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
            for store in self.view.stores.items.values():
                self.queue.add(store["metadata"]["name"], urgent=False)

    async def _work(self, store_id: str) -> None:
        try:
            await self._reconcile(store_id)
        except ClusterError as error:
            log.warning("reconcile will be tried again", extra={"store": store_id, "error": error.message})
            self.queue.add_later(store_id, max(API_ERROR_WAIT_SECONDS, error.retry_after_seconds or 0))
        except Exception:
            # A defect in one store's reconcile must not take the others down with it.
            log.exception("reconcile failed", extra={"store": store_id})
            self.queue.add_later(store_id, DEFECT_WAIT_SECONDS)
        finally:
            self.queue.done(store_id)

    async def _reconcile(self, store_id: str) -> None:
        store = self.view.store(store_id)
        if store is None:
            self.slots.leave(store_id)
            return
        if not is_deleting(store):
            store = await self._with_finalizer(store)
        draft = StatusDraft(store, max_events=self.settings.max_status_events)
        if is_deleting(store):
            self._context.founded.discard(uid_of(store))
            await delete(self._context, store, draft)
        else:
            await provision(self._context, store, draft)

    async def _with_finalizer(self, store: Object) -> Object:
        meta = store["metadata"]
        finalizers = meta.get("finalizers") or []
        if FINALIZER in finalizers:
            return store
        patch = {"metadata": {"finalizers": [*finalizers, FINALIZER], "resourceVersion": meta["resourceVersion"]}}
        patched = await self._context.kube.merge(STORES, meta["name"], patch, meta["namespace"])
        self.view.stores.remember(patched)
        return patched
