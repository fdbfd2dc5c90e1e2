"""A reflector: lists a kind, then watches it, and keeps a slim copy that is right or says how old it is.

    LIST (pages) -> replace the copy, synthesise deletions -> WATCH from there (bookmarks, server timeout)
      a clean end, an error                -> wait as `pace` says -> WATCH from the last version
      410, silence, every third failure    -> wait as `pace` says -> LIST again
      an outage that another call sees end -> wait as for the first time
      an audit that finds the copy wrong   -> LIST again

Heard is what was said: an object, a bookmark, a list. A stream that opens and says nothing, or what is long known,
makes nothing younger, and after `silence_seconds` of nothing it is taken for dead. Versions of one kind are compared as
numbers (KEP-5504), so a line that comes twice or late changes nothing. An object that was deleted and made again under
its name is told as both, even where neither event was seen. Handlers are called in the event loop, in order, and must
not block.

Not guaranteed: that every intermediate version of an object is seen; that a stream which is taken for dead is. The API
server leaves out bookmarks for a kind that does not change unless etcd tells it of progress (kubeadm makes it do so
every 5 s, by itself it does every 10 min); such a kind is then listed every 75 s, which costs a list and harms nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from reconciler.cache.consistency import Audit
from reconciler.cache.timing import Backoff, Pace
from reconciler.cache.watch_events import Expired, check_listed, end_of, event_of, key_of, number, version_of
from reconciler.kube.resources import uid_of
from urumi.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterable, Mapping

    from reconciler.cache.watch_events import Key
    from reconciler.kube.client import Kube
    from reconciler.kube.resources import Object, Resource

# What is to be done about a refusal that waiting alone does not end.
HINTS = {
    401: "The API server does not accept the token; check the kubeconfig or the service account.",
    403: "Check the platform's rights (RBAC): it has to list and watch {plural}.",
    404: "The API server does not know {plural} of {version}; install the custom resource definition.",
}

T = TypeVar("T")

log = logging.getLogger(__name__)


class Restart(StrEnum):
    """Why a stream ended and another was needed."""

    ENDED = "ended"
    EXPIRED = "expired"
    SILENT = "silent"
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    REFUSED = "refused"
    THROTTLED = "throttled"
    FAILED = "failed"
    GARBLED = "garbled"
    DISTRUSTED = "distrusted"


# A server that is away or overloaded is asked for the least there is, which is no list as long as no 410 forces one.
UNWELCOME = frozenset({Restart.UNREACHABLE, Restart.THROTTLED})


class Informer:
    """The live copy of all objects of one kind that match a selector, by (namespace, name).

    Args:
        metadata_only: leave spec, status and data out of what is asked for.
        slim: returns what is kept of an object; name, namespace, uid and resourceVersion have to be.
        pace: the patience; tests shorten it.
    """

    def __init__(
        self,
        kube: Kube,
        resource: Resource,
        *,
        namespace: str = "",
        selector: str = "",
        metadata_only: bool = False,
        slim: Callable[[Object], Object] | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.resource = resource
        self.pace = pace or Pace()
        self.items: dict[Key, Object] = {}
        self.synced = asyncio.Event()
        self.restarts: Counter[Restart] = Counter()
        self.mismatches = 0
        self.last_error = ""
        self._kube = kube
        self._namespace = namespace
        self._selector = {"labelSelector": selector} if selector else {}
        self._by_namespace: dict[str, dict[str, Object]] = {}
        self._metadata_only = metadata_only
        self._slim = slim or (lambda item: item)
        self._handlers: list[Callable[[Object | None, Object | None], None]] = []
        self._version = ""
        self._heard = asyncio.Event()
        self._heard_at = time.monotonic()
        self._backoff = Backoff(self.pace)
        self._stream: asyncio.Timeout | None = None
        self._blind_since: float | None = self._heard_at
        self._was_called = False
        self._written: set[Key] = set()

    def on_change(self, handler: Callable[[Object | None, Object | None], None]) -> None:
        """Call the handler with (before, after) of every change; before is None for new, after for gone."""
        self._handlers.append(handler)

    def get(self, name: str, namespace: str = "") -> Object | None:
        """Return the copy of one object."""
        return self.items.get((namespace, name))

    def in_namespace(self, namespace: str) -> Mapping[str, Object]:
        """Return the copies of all objects of a namespace, by name."""
        return self._by_namespace.get(namespace, {})

    def seconds_since_last_response(self) -> float:
        """Return how long nothing was heard from the API, bookmarks included."""
        return time.monotonic() - self._heard_at

    def disconnected_seconds(self) -> float:
        """Return how long there has been no watch that the API server accepted; 0 while there is one."""
        return 0.0 if self._blind_since is None else time.monotonic() - self._blind_since

    async def wait_for_version(self, version: int) -> None:
        """Wait until everything up to a version was heard."""
        await self.until(lambda: number(self._version) >= version)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until the copy is as it should be."""
        while not is_so():
            await self._heard.wait()

    def remember(self, item: Object) -> None:
        """Take the newer version of a known object that the API returned for one of our writes, ahead of the watch.

        Only for informers without a selector: a write may take an object out of one, and no event would say so again.
        """
        if key_of(item) in self.items:
            if not self._version:
                self._written.add(key_of(item))
            self._put(item)

    def invalidate(self) -> None:
        """End the stream and list again, because the copy was found to be wrong."""
        self._version = ""
        if self._stream is not None:
            self._stream.reschedule(asyncio.get_running_loop().time())

    async def listed(self, keep: Callable[[Object], T], *, metadata_only: bool) -> tuple[dict[Key, T], str]:
        """Return what is kept of each object as the API has it now, and the version of the whole list.

        An object as it comes is many times what is kept of it, so it is reduced before the next one is looked at.
        """

        def reduced(item: Object) -> tuple[Key, T]:
            check_listed(item)
            return key_of(item), keep(item)

        found: dict[Key, T] = {}
        query = {**self._selector, "limit": str(self.pace.page_size)}
        while True:
            page = await self._kube.list_page(
                self.resource, self._namespace, query, metadata_only=metadata_only, keep=reduced
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
                reason = await self._turn()
            except ClusterError as failure:
                reason, error = _restart(failure), failure
                self.last_error = self._told(failure)
                log.warning("watch failed", extra={"kind": self.resource.kind, "error": self.last_error})
            self.restarts[reason] += 1
            if self._was_called and not _is_unanswered(error):
                # It is back, and has forgotten our place or is not ready for this kind yet.
                self._backoff = Backoff(self.pace)
            self._backoff.count(time.monotonic() - started, was_heard=self._heard_at > started, error=error)
            if reason is Restart.SILENT or (self._backoff.is_stuck() and reason not in UNWELCOME):
                self._version = ""
            await self._wait(self._backoff.wait_seconds(error), may_be_called=_is_unanswered(error))

    async def _wait(self, seconds: float, *, may_be_called: bool) -> None:
        """Wait before asking again; after an outage that another call sees end, only the first wait.

        Not twice in a row, lest an API server that answers others and never this informer be asked without pause.
        """
        if self._was_called or not may_be_called:
            self._was_called = False
            await asyncio.sleep(seconds)
            return
        last = min(seconds, self.pace.new_first_wait_seconds())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds - last):
                await self._kube.outage.over()
                self._was_called = True
        await asyncio.sleep(last)

    async def _turn(self) -> Restart:
        """List where there is no version to go on from, watch until the stream ends, and return why it did."""
        try:
            if not self._version:
                await self._relist()
            async with asyncio.timeout(None) as self._stream:
                await self._watch()
        except (Expired, TimeoutError) as error:
            # A deadline of the API's comes as a ClusterError; this one is `invalidate`.
            self._version = ""
            return Restart.EXPIRED if isinstance(error, Expired) else Restart.DISTRUSTED
        except ClusterError as error:
            if error.status != 410:
                raise
            self._version = ""
            return Restart.EXPIRED
        finally:
            self._stream = None
        return Restart.ENDED

    async def _relist(self) -> None:
        self._written.clear()
        found, version = await self.listed(self._slimmed, metadata_only=self._metadata_only)
        self._replace(found)
        self._version = version
        self._hear()
        self.synced.set()

    async def _watch(self) -> None:
        stream_seconds = self.pace.new_stream_seconds()
        query = {
            **self._selector,
            "watch": "1",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(stream_seconds),
        }
        async with self._kube.watch(
            self.resource,
            self._namespace,
            query,
            metadata_only=self._metadata_only,
            answer_seconds=self.pace.answer_seconds,
            silence_seconds=self.pace.silence_seconds,
            total_seconds=stream_seconds + 30.0,
        ) as lines:
            self._blind_since = None
            try:
                await self._follow(lines)
            finally:
                self._blind_since = time.monotonic()

    async def _follow(self, lines: AsyncIterable[bytes]) -> None:
        async for line in lines:
            kind, item = event_of(line)
            version, heard = number(version_of(item)), number(self._version)
            # A line that comes twice or late must not take us back: an object deleted since would be there again.
            if version > heard:
                self._version = version_of(item)
                self._take(kind, item)
            if version >= heard:
                self._hear()

    def _take(self, kind: str, item: Object) -> None:
        match kind:
            case "ADDED" | "MODIFIED":
                self._put(item)
            case "DELETED":
                self._drop(item)

    def _hear(self) -> None:
        self._heard_at = time.monotonic()
        self.last_error = ""
        # A pulse: whoever waits looks again.
        self._heard.set()
        self._heard.clear()

    def _told(self, error: ClusterError) -> str:
        hint = HINTS.get(error.status, "").format(plural=self.resource.plural, version=self.resource.api_version)
        return f"{error.message} {hint}".strip()

    def _slimmed(self, item: Object) -> Object:
        slim = self._slim(item)
        slim["metadata"].pop("managedFields", None)
        return slim

    def _put(self, item: Object) -> None:
        key = key_of(item)
        known = self.items.get(key)
        if known is not None and number(version_of(known)) >= number(version_of(item)):
            return
        if known is not None and uid_of(known) != uid_of(item):
            self._remove(key)
            known = None
        self._keep(key, known, self._slimmed(item))

    def _drop(self, item: Object) -> None:
        known = self.items.get(key_of(item))
        if known is not None and number(version_of(known)) <= number(version_of(item)):
            self._remove(key_of(item))

    def _keep(self, key: Key, before: Object | None, after: Object) -> None:
        self.items[key] = after
        self._by_namespace.setdefault(key[0], {})[key[1]] = after
        self._tell(before, after)

    def _remove(self, key: Key) -> None:
        known = self.items.pop(key)
        names = self._by_namespace[key[0]]
        del names[key[1]]
        if not names:
            del self._by_namespace[key[0]]
        self._tell(known, None)

    def _replace(self, found: dict[Key, Object]) -> None:
        for key in self._written & found.keys() & self.items.keys():
            # Written by us after the list began; the list may not have it yet, and the watch goes on from the list.
            found[key] = max(found[key], self.items[key], key=lambda item: number(version_of(item)))
        for key, known in list(self.items.items()):
            if key not in found or uid_of(known) != uid_of(found[key]):
                self._remove(key)
        for key, item in found.items():
            before = self.items.get(key)
            if before is None or version_of(before) != version_of(item):
                self._keep(key, before, item)

    def _tell(self, before: Object | None, after: Object | None) -> None:
        for handler in self._handlers:
            handler(before, after)


async def run_all(informers: Iterable[Informer]) -> None:
    """Run informers and their audits until cancelled; an error that is not of the API ends all of them."""
    async with asyncio.TaskGroup() as group:
        for informer in informers:
            group.create_task(informer.run(), name=f"informer {informer.resource.plural}")
            group.create_task(Audit(informer).run(), name=f"audit {informer.resource.plural}")


def _is_unanswered(error: ClusterError | None) -> bool:
    return error is not None and error.status == 0


def _restart(error: ClusterError) -> Restart:
    if error.status == 0:
        return Restart.SILENT if isinstance(error.__cause__, TimeoutError) else Restart.UNREACHABLE
    if error.status >= 500:
        return Restart.FAILED
    named = {200: Restart.GARBLED, 401: Restart.UNAUTHORIZED, 429: Restart.THROTTLED}
    return named.get(error.status, Restart.REFUSED)
