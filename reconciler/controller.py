"""The controller: informers in every replica, and a leader loop while this process is the leader.

Every replica watches, because every replica shows the stores. Only the leader reconciles. Its queue, its slots and its
state of each store belong to its term and are discarded at the end of it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reconciler.cache.running import run_all
from reconciler.leader_loop import LeaderLoop
from reconciler.leaderelection.elector import Elector, LeaderTerm
from reconciler.view import ClusterView

if TYPE_CHECKING:
    from reconciler.kube.client import Kube
    from reconciler.settings import Settings


class Controller:
    """Reconciles all stores of one platform namespace until cancelled."""

    def __init__(self, kube: Kube, settings: Settings) -> None:
        self.settings = settings
        self.view = ClusterView(kube, settings.platform_namespace)
        self.elector = Elector(kube, settings.platform_namespace, settings.lease_seconds)
        self.leader_loop: LeaderLoop | None = None
        self._kube = kube
        self.view.wake(self._wake)

    async def run(self) -> None:
        """Watch and, while leading, reconcile; after a cancellation, return when every Helm process has ended."""
        async with asyncio.TaskGroup() as group:
            group.create_task(run_all(self.view.informers), name="informers")
            group.create_task(self.elector.run(self._lead), name="leadership")

    async def _lead(self, leader_term: LeaderTerm) -> None:
        await self.view.synced()
        self.leader_loop = LeaderLoop(self._kube, self.view, self.settings, leader_term)
        try:
            await self.leader_loop.run()
        finally:
            self.leader_loop = None

    def _wake(self, store_id: str) -> None:
        if self.leader_loop is not None:
            self.leader_loop.wake(store_id)
