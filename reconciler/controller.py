"""The controller: informers always, a term of reconciling whenever this process leads.

Every replica watches, so that every replica can show the stores. Only the leader reconciles; its queue, its slots and
whatever it remembers belong to its term and end with it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reconciler.cache.informer import run_all
from reconciler.leader_loop import Term
from reconciler.leaderelection.elector import Leadership, Mandate
from reconciler.view import ClusterView

if TYPE_CHECKING:
    from reconciler.kube.client import Kube
    from reconciler.settings import Settings


class Controller:
    """Reconciles all stores of one platform namespace until cancelled."""

    def __init__(self, kube: Kube, settings: Settings) -> None:
        self.settings = settings
        self.view = ClusterView(kube, settings.platform_namespace)
        self.leadership = Leadership(kube, settings.platform_namespace, settings.lease_seconds)
        self.term: Term | None = None
        self._kube = kube
        self.view.wake(self._wake)

    async def run(self) -> None:
        """Watch and, while leading, reconcile; on cancellation every Helm process is ended first."""
        async with asyncio.TaskGroup() as group:
            group.create_task(run_all(self.view.informers), name="informers")
            group.create_task(self.leadership.run(self._lead), name="leadership")

    async def _lead(self, mandate: Mandate) -> None:
        await self.view.synced()
        self.term = Term(self._kube, self.view, self.settings, mandate)
        try:
            await self.term.run()
        finally:
            self.term = None

    def _wake(self, store_id: str) -> None:
        if self.term is not None:
            self.term.wake(store_id)
