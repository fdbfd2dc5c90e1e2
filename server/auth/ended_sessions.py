"""The sessions that users have ended, in one object that every replica watches.

    DELETE /session --merge patch--> Lease urumi-sessions --watch--> every replica: cookies refused, sockets closed

A cookie is valid without a lookup, on every replica and after a restart, so its end is recorded until it would have
expired. Each ended session is an annotation: its id and its expiry. A merge patch adds one and removes those that have
expired, so two replicas that write at the same time do not disturb each other. The record is a Lease, as for admission:
the platform's boundary lets the server write no Secret and no ConfigMap in its own namespace. It contains nothing that
opens a session.

Guaranteed: once `end` returns, this process refuses the session, and so does every server that starts later. Another
replica refuses it when its watch delivers the change: within milliseconds, or when the informer notices a dead watch.
A replica that cannot reach the API server does not learn of it. Not guaranteed: room for more than about 3,000 sessions
that end within their lifetime; beyond that the API server refuses the patch, and the sign-out fails. Deleting the Lease
makes sessions valid again that were ended.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reconciler.cache.informer import Informer
from reconciler.kube.resources import annotations_of
from reconciler.leaderelection.lease import LEASES
from urumi.errors import ClusterConflict, ClusterNotFound, ClusterUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.kube.client import Kube
    from reconciler.kube.resources import Object

LEASE_NAME = "urumi-sessions"
LABEL = "urumi.ai/ended-sessions"
PREFIX = "session.urumi.ai/"
# The clocks of replicas may differ by this much.
CLOCK_SECONDS = 60


class EndedSessions:
    """The live record; use from one event loop, in which `run` is running.

    Args:
        kube: the API client of the server itself.
        namespace: the platform's namespace.
    """

    def __init__(self, kube: Kube, namespace: str, clock: Callable[[], float] = time.time) -> None:
        self._kube = kube
        self._namespace = namespace
        self._clock = clock
        self._informer = Informer(kube, LEASES, namespace=namespace, selector=f"{LABEL}=true")
        self._informer.on_change(self._note)
        self._expiry_of: dict[str, int] = {}

    async def run(self) -> None:
        """Watch the record until cancelled."""
        await self._informer.run()

    def check_known(self) -> None:
        """Check that the record was read.

        Raises:
            ClusterUnreachable: it was not, so no session can be accepted yet.
        """
        if not self._informer.synced.is_set():
            cause = self._informer.last_error or "the server has just started."
            raise ClusterUnreachable(f"Sessions cannot be checked yet: {cause}")

    async def until_known(self) -> None:
        """Wait until the record was read."""
        await self._informer.synced.wait()

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._expiry_of

    async def end(self, session_id: str, expiry: int) -> None:
        """Record the end of a session that would expire at a time (seconds since the epoch).

        Raises:
            ClusterError: the API server did not accept it; the session continues.
        """
        now = self._clock()
        expired = [each for each, until in self._expiry_of.items() if until + CLOCK_SECONDS < now]
        annotations: dict[str, str | None] = {PREFIX + each: None for each in expired}
        annotations[PREFIX + session_id] = str(expiry)
        try:
            await self._patch(annotations)
        except ClusterNotFound:
            await self._create(session_id, expiry)
        self._expiry_of[session_id] = expiry
        for each in expired:
            self._expiry_of.pop(each, None)

    async def until_ended(self, session_id: str) -> None:
        """Wait until a session is ended, on whichever replica."""
        await self._informer.until(lambda: session_id in self)

    async def _patch(self, annotations: dict[str, str | None]) -> None:
        await self._kube.merge(LEASES, LEASE_NAME, {"metadata": {"annotations": annotations}}, self._namespace)

    async def _create(self, session_id: str, expiry: int) -> None:
        annotations = {PREFIX + session_id: str(expiry)}
        meta = {"name": LEASE_NAME, "labels": {LABEL: "true"}, "annotations": annotations}
        lease = {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": meta, "spec": {}}
        try:
            await self._kube.create(LEASES, lease, self._namespace)
        except ClusterConflict:
            await self._patch({**annotations})

    def _note(self, before: Object | None, after: Object | None) -> None:
        # What is gone from the record has expired, or somebody deleted the record: sessions that this process knows to
        # be ended stay so until they expire.
        for name, text in annotations_of(after or {"metadata": {}}).items():
            if name.startswith(PREFIX) and text.isdigit():
                self._expiry_of[name.removeprefix(PREFIX)] = int(text)
