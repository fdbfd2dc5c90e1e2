"""The consistency check: compares an informer's copy with a list of names and versions, about twice an hour.

    LIST (metadata only) -> differences -> wait until the watch has passed the version of the list -> differences again

The copy and the list are never of the same moment, so a difference alone proves nothing. Once the watch has passed the
version of the list, it does: an object of the list must be in the copy in that version or a newer one, or have been
deleted since; an object that is only in the copy must be newer than the list. The remaining differences are counted,
and the informer lists again. The count must stay 0: anything else is a defect of the platform, a proxy or the API
server.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from reconciler.cache.watch_events import key_of, number, version_of
from urumi.errors import ClusterError

if TYPE_CHECKING:
    from reconciler.cache.informer import Informer
    from reconciler.cache.watch_events import Key
    from reconciler.kube.resources import Object

CATCH_UP_SECONDS = 180.0
NAMES_IN_LOG = 5

log = logging.getLogger(__name__)


class ConsistencyCheck:
    """Checks one informer until cancelled."""

    def __init__(self, informer: Informer) -> None:
        self._informer = informer
        self._deleted: set[Key] = set()
        self._is_running = False
        informer.on_change(self._note_deletion)

    async def run(self) -> None:
        """Check at random intervals, so that replicas do not list at the same time."""
        kind = self._informer.resource.kind
        while True:
            await asyncio.sleep(self._informer.timeouts.new_check_seconds())
            await self._informer.synced.wait()
            try:
                await self.check()
            except (ClusterError, TimeoutError) as error:
                # The API server or the watch fails, which is reported elsewhere.
                cause = str(error) or "the watch is behind"
                log.info("consistency check skipped", extra={"kind": kind, "error": cause})

    async def check(self) -> list[Key]:
        """Check now and return the objects whose copy is wrong.

        Raises:
            ClusterError: the list failed.
            TimeoutError: the watch did not reach the version of the list.
        """
        self._is_running = True
        try:
            found, version = await self._informer.listed(lambda item: number(version_of(item)), metadata_only=True)
            if self._differences(found, number(version)):
                async with asyncio.timeout(CATCH_UP_SECONDS):
                    await self._informer.wait_for_version(number(version))
            wrong = sorted(self._differences(found, number(version)))
        finally:
            self._is_running = False
            self._deleted.clear()
        if wrong:
            self._informer.mismatches += len(wrong)
            names = ["/".join(filter(None, key)) for key in wrong[:NAMES_IN_LOG]]
            kind = self._informer.resource.kind
            log.error("copy is wrong, listing again", extra={"kind": kind, "count": len(wrong), "objects": names})
            self._informer.invalidate()
        return wrong

    def _differences(self, found: dict[Key, int], listed_version: int) -> set[Key]:
        kept = {key: number(version_of(item)) for key, item in self._informer.items.items()}
        behind = {key for key, version in found.items() if kept.get(key, 0) < version and key not in self._deleted}
        return behind | {key for key, version in kept.items() if key not in found and version <= listed_version}

    def _note_deletion(self, before: Object | None, after: Object | None) -> None:
        if self._is_running and before is not None and after is None:
            self._deleted.add(key_of(before))
