"""The audit: from time to time a list of names and versions is held against an informer's copy; they must agree.

    LIST (metadata only) -> what differs -> wait until the watch has told everything up to that list -> what still does

The copy and the list are never of the same moment, so a difference alone proves nothing. Once the watch has come past
the list's version it does: an object of the list must be there in that version or a newer one, or have been deleted
since; and one that the list does not have must be newer than the list. What is left is counted, and the informer lists
again. The count must stay 0: anything else is a defect of ours, of a proxy, or of the API server.
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


class Audit:
    """Audits one informer until cancelled."""

    def __init__(self, informer: Informer) -> None:
        self._informer = informer
        self._deleted: set[Key] = set()
        self._is_running = False
        informer.on_change(self._note)

    async def run(self) -> None:
        """Audit, at times that no other replica shares."""
        while True:
            await asyncio.sleep(self._informer.pace.new_audit_seconds())
            await self._informer.synced.wait()
            try:
                await self.audit()
            except (ClusterError, TimeoutError) as error:
                # The API or the watch is out of order, which others say; there is nothing to hold against each other.
                log.info("audit put off", extra={"kind": self._kind, "error": str(error) or "the watch is behind"})

    async def audit(self) -> list[Key]:
        """Audit now and return where the copy was wrong.

        Raises:
            ClusterError: the API did not answer the list.
            TimeoutError: the watch did not come up to the list.
        """
        self._is_running = True
        try:
            return await self._audit()
        finally:
            self._is_running = False
            self._deleted.clear()

    async def _audit(self) -> list[Key]:
        found, version = await self._informer.listed(lambda item: number(version_of(item)), metadata_only=True)
        if self._differences(found, number(version)):
            async with asyncio.timeout(CATCH_UP_SECONDS):
                await self._informer.wait_for_version(number(version))
        wrong = sorted(self._differences(found, number(version)))
        if wrong:
            self._informer.mismatches += len(wrong)
            names = ["/".join(filter(None, key)) for key in wrong[:NAMES_IN_LOG]]
            log.error("the copy was wrong", extra={"kind": self._kind, "count": len(wrong), "objects": names})
            self._informer.invalidate()
        return wrong

    @property
    def _kind(self) -> str:
        return self._informer.resource.kind

    def _differences(self, found: dict[Key, int], listed_version: int) -> set[Key]:
        kept = {key: number(version_of(item)) for key, item in self._informer.items.items()}
        behind = {key for key, version in found.items() if kept.get(key, 0) < version and key not in self._deleted}
        return behind | {key for key, version in kept.items() if key not in found and version <= listed_version}

    def _note(self, before: Object | None, after: Object | None) -> None:
        if self._is_running and before is not None and after is None:
            self._deleted.add(key_of(before))
