"""Runs informers, each with its consistency check."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reconciler.cache.consistency import ConsistencyCheck

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.cache.informer import Informer


async def run_all(informers: Iterable[Informer]) -> None:
    """Run informers and their consistency checks until cancelled; any error but a ClusterError ends all of them."""
    async with asyncio.TaskGroup() as group:
        for informer in informers:
            group.create_task(informer.run(), name=f"informer {informer.resource.plural}")
            group.create_task(ConsistencyCheck(informer).run(), name=f"consistency check {informer.resource.plural}")
