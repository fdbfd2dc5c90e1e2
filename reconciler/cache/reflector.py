"""The reflector: lists a kind, then watches it, and writes both into an object store.

    LIST (pages) -> replace the store -> WATCH from there (bookmarks, server timeout)
      a clean end, an error               -> wait (watch_backoff) -> WATCH from the last version
      410, silence, every third failure   -> wait -> LIST again
      an outage that another call ends    -> the wait after a first failure
      `invalidate`                        -> LIST again

A response is an object, a bookmark or a list. A stream that opens and sends nothing, or only what is known, is no
response, and after `silence_seconds` it is treated as dead. A line that arrives twice or late changes nothing.

Not guaranteed: that every intermediate version of an object is seen, or that a stream treated as dead is dead. The API
server sends no bookmarks for a kind that does not change unless etcd reports progress (every 5 s with kubeadm's
settings, every 10 min by default). Such a kind is then listed every 75 s, which costs a list and is otherwise harmless.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from reconciler.cache.watch_backoff import WatchBackoff
from reconciler.cache.watch_events import Expired, check_listed, end_of, event_of, key_of, number, version_of
from urumi.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable

    from reconciler.cache.object_store import ObjectStore
    from reconciler.cache.timeouts import InformerTimeouts
    from reconciler.cache.watch_events import Key
    from reconciler.kube.client import Kube
    from reconciler.kube.resources import Object, Resource

# Refusals that need a change by the operator.
HINTS = {
    401: "Check the kubeconfig or the service account: the API server rejects the token.",
    403: "Check the platform's rights (RBAC): it has to list and watch {plural}.",
    404: "Install the custom resource definition: the API server does not serve {plural} of {version}.",
}

T = TypeVar("T")

log = logging.getLogger(__name__)


class Restart(StrEnum):
    """Why a stream ended and another was needed; the values are labels of a published metric."""

    ENDED = "ended"
    EXPIRED = "expired"
    SILENT = "silent"
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    REFUSED = "refused"
    THROTTLED = "throttled"
    FAILED = "failed"
    MALFORMED = "garbled"
    INVALIDATED = "distrusted"


# A server that is away or overloaded gets no list request unless a 410 makes one necessary.
NO_RELIST = frozenset({Restart.UNREACHABLE, Restart.THROTTLED})
RESTART_OF_STATUS = {200: Restart.MALFORMED, 401: Restart.UNAUTHORIZED, 429: Restart.THROTTLED}


class Reflector:
    """Keeps an object store equal to the objects of one kind that match a selector."""

    def __init__(
        self,
        kube: Kube,
        resource: Resource,
        store: ObjectStore,
        timeouts: InformerTimeouts,
        *,
        namespace: str,
        selector: str,
        metadata_only: bool,
    ) -> None:
        self.synced = asyncio.Event()
        self.restarts: Counter[Restart] = Counter()
        self.last_error = ""
        self._kube = kube
        self._resource = resource
        self._store = store
        self._timeouts = timeouts
        self._namespace = namespace
        self._selector = {"labelSelector": selector} if selector else {}
        self._metadata_only = metadata_only
        self._version = ""
        self._responded = asyncio.Event()
        self._last_response_at = time.monotonic()
        self._disconnected_since: float | None = self._last_response_at
        self._backoff = WatchBackoff(timeouts)
        self._stream: asyncio.Timeout | None = None
        self._retried_after_outage = False

    def seconds_since_last_response(self) -> float:
        """Return the time since the last response of the API server, bookmarks included."""
        return time.monotonic() - self._last_response_at

    def disconnected_seconds(self) -> float:
        """Return how long no watch has been open; 0 while one is."""
        return 0.0 if self._disconnected_since is None else time.monotonic() - self._disconnected_since

    async def wait_for_version(self, version: int) -> None:
        """Wait until everything up to a version was received."""
        await self.until(lambda: number(self._version) >= version)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition; it is evaluated after every response."""
        while not condition():
            await self._responded.wait()

    def invalidate(self) -> None:
        """End the stream and list again."""
        self._version = ""
        if self._stream is not None:
            self._stream.reschedule(asyncio.get_running_loop().time())

    async def listed(self, keep: Callable[[Object], T], *, metadata_only: bool) -> tuple[dict[Key, T], str]:
        """Return what `keep` returns of each object as the API server has it now, and the version of the list.

        Each object is reduced before the next one is read, because it is many times as large as what is kept of it.
        """

        def reduced(item: Object) -> tuple[Key, T]:
            check_listed(item)
            return key_of(item), keep(item)

        found: dict[Key, T] = {}
        query = {**self._selector, "limit": str(self._timeouts.page_size)}
        while True:
            page = await self._kube.list_page(
                self._resource, self._namespace, query, metadata_only=metadata_only, keep=reduced
            )
            version, rest = end_of(page)
            found |= dict(page["items"])
            if not rest:
                return found, version
            query["continue"] = rest

    async def run(self) -> None:
        """List and watch until cancelled."""
        while True:
            started, error = time.monotonic(), None
            try:
                reason = await self._list_and_watch()
            except ClusterError as failure:
                reason, error = _restart_reason(failure), failure
                hint = HINTS.get(failure.status, "")
                hint = hint.format(plural=self._resource.plural, version=self._resource.api_version)
                self.last_error = f"{failure.message.rstrip('.')}. {hint}".strip()
                log.warning("watch failed", extra={"kind": self._resource.kind, "error": self.last_error})
            self.restarts[reason] += 1
            is_unreachable = error is not None and error.status == 0
            if self._retried_after_outage and not is_unreachable:
                # The server is back and has lost our version, or does not serve this kind yet.
                self._backoff.reset()
            had_response = self._last_response_at > started
            self._backoff.count(time.monotonic() - started, had_response=had_response, error=error)
            if reason is Restart.SILENT or (self._backoff.should_relist() and reason not in NO_RELIST):
                self._version = ""
            await self._wait(self._backoff.wait_seconds(error), ends_with_outage=is_unreachable)

    async def _wait(self, seconds: float, *, ends_with_outage: bool) -> None:
        """Wait before the next request; where another call ends the outage, only the wait after a first failure.

        Not twice in a row: an API server that responds to others and never to this reflector must not be called in a
        tight loop.
        """
        if self._retried_after_outage or not ends_with_outage:
            self._retried_after_outage = False
            await asyncio.sleep(seconds)
            return
        last = min(seconds, self._backoff.first_wait_seconds())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds - last):
                await self._kube.outage.ended()
                self._retried_after_outage = True
        await asyncio.sleep(last)

    async def _list_and_watch(self) -> Restart:
        """List unless there is a version to continue from, watch until the stream ends, and return why it ended."""
        try:
            if not self._version:
                self._store.start_listing()
                found, version = await self.listed(self._store.slimmed, metadata_only=self._metadata_only)
                self._store.replace(found)
                self._version = version
                self._note_response()
                self.synced.set()
            async with asyncio.timeout(None) as self._stream:
                await self._watch()
        except (Expired, TimeoutError) as error:
            # A timeout of a call arrives as a ClusterError; this one is from `invalidate`.
            self._version = ""
            return Restart.EXPIRED if isinstance(error, Expired) else Restart.INVALIDATED
        except ClusterError as error:
            if error.status != 410:
                raise
            self._version = ""
            return Restart.EXPIRED
        finally:
            self._stream = None
        return Restart.ENDED

    async def _watch(self) -> None:
        stream_seconds = self._timeouts.new_stream_seconds()
        query = {
            **self._selector,
            "watch": "1",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(stream_seconds),
        }
        async with self._kube.watch(
            self._resource,
            self._namespace,
            query,
            metadata_only=self._metadata_only,
            answer_seconds=self._timeouts.answer_seconds,
            silence_seconds=self._timeouts.silence_seconds,
            total_seconds=stream_seconds + 30.0,
        ) as lines:
            self._disconnected_since = None
            try:
                await self._follow(lines)
            finally:
                self._disconnected_since = time.monotonic()

    async def _follow(self, lines: AsyncIterable[bytes]) -> None:
        async for line in lines:
            kind, item = event_of(line)
            received, current = number(version_of(item)), number(self._version)
            # An old line must not be applied: an object deleted since would reappear.
            if received > current:
                self._version = version_of(item)
                if kind in ("ADDED", "MODIFIED"):
                    self._store.put(item)
                elif kind == "DELETED":
                    self._store.delete(item)
            if received >= current:
                self._note_response()

    def _note_response(self) -> None:
        self._last_response_at = time.monotonic()
        self.last_error = ""
        # A pulse: everything that waits evaluates its condition once.
        self._responded.set()
        self._responded.clear()


def _restart_reason(error: ClusterError) -> Restart:
    if error.status == 0:
        return Restart.SILENT if isinstance(error.__cause__, TimeoutError) else Restart.UNREACHABLE
    if error.status >= 500:
        return Restart.FAILED
    return RESTART_OF_STATUS.get(error.status, Restart.REFUSED)
