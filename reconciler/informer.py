"""A reflector: lists a kind, then watches it, and keeps a slim copy that is right or says how old it is.

    LIST (pages) -> replace the cache, synthesise deletions -> WATCH from there (bookmarks, server timeout)
      clean end, silence or error -> backoff if the stream was short -> WATCH from the last version
      410 in answer or stream     -> LIST again

Every reconnect of a short-lived stream is backed off, clean ends included, and Retry-After is honoured, so that a
broken load balancer costs about one request a second at most. A stream on which nothing was read for 75 s (the server
sends bookmarks every minute) is taken for dead. Handlers are called in the event loop, in order, and must not block.
Not guaranteed: that every intermediate version of an object is seen.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from typing import TYPE_CHECKING

from reconciler.resources import name_of, namespace_of
from urumi.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterable, Mapping

    from reconciler.kube import Kube
    from reconciler.resources import Object, Resource

PAGE_SIZE = 500
SILENCE_SECONDS = 75.0
STREAM_SECONDS = (240, 480)
SHORT_STREAM_SECONDS = 5.0
BACKOFF_FIRST_SECONDS = 0.8
BACKOFF_MOST_SECONDS = 30.0
ERRORS_BEFORE_RELIST = 3

Key = tuple[str, str]

log = logging.getLogger(__name__)


class _Expired(Exception):
    """Raised when the API no longer holds the version to go on from."""


class Informer:
    """The live copy of all objects of one kind that match a selector, by (namespace, name)."""

    def __init__(
        self,
        kube: Kube,
        resource: Resource,
        *,
        namespace: str = "",
        selector: str = "",
        metadata_only: bool = False,
        slim: Callable[[Object], Object] | None = None,
    ) -> None:
        self.resource = resource
        self.items: dict[Key, Object] = {}
        self.synced = asyncio.Event()
        self.restarts = 0
        self.last_error = ""
        self._kube = kube
        self._namespace = namespace
        self._selector = {"labelSelector": selector} if selector else {}
        self._by_namespace: dict[str, dict[str, Object]] = {}
        self._metadata_only = metadata_only
        self._slim = slim or (lambda item: item)
        self._handlers: list[Callable[[Object | None, Object | None], None]] = []
        self._version = ""
        self._heard_at = time.monotonic()
        self._failures = 0

    def on_change(self, handler: Callable[[Object | None, Object | None], None]) -> None:
        """Call the handler with (before, after) of every change; before is None for new, after for gone."""
        self._handlers.append(handler)

    def get(self, name: str, namespace: str = "") -> Object | None:
        """Return the copy of one object."""
        return self.items.get((namespace, name))

    def in_namespace(self, namespace: str) -> Mapping[str, Object]:
        """Return the copies of all objects of a namespace, by name."""
        return self._by_namespace.get(namespace, {})

    def silence_seconds(self) -> float:
        """Return how long nothing was heard from the API, bookmarks included."""
        return time.monotonic() - self._heard_at

    def remember(self, item: Object) -> None:
        """Take the newer version of a known object that the API returned for one of our writes, ahead of the watch."""
        if _key(item) in self.items:
            self._put(item)

    async def run(self) -> None:
        """List and watch until cancelled."""
        while True:
            started = time.monotonic()
            error: ClusterError | None = None
            try:
                if not self._version:
                    await self._relist()
                await self._watch()
            except _Expired:
                self._version = ""
            except ClusterError as failure:
                error, self.last_error = failure, failure.message
                log.warning("watch failed", extra={"kind": self.resource.kind, "error": failure.message})
            self.restarts += 1
            await self._back_off(time.monotonic() - started, error)

    async def _back_off(self, lived_seconds: float, error: ClusterError | None) -> None:
        self._failures = self._failures + 1 if lived_seconds < SHORT_STREAM_SECONDS or error else 0
        if error and self._failures % ERRORS_BEFORE_RELIST == 0:
            self._version = ""
        if not self._failures:
            return
        wait = min(BACKOFF_MOST_SECONDS, BACKOFF_FIRST_SECONDS * 2 ** min(self._failures - 1, 8))
        wait *= random.uniform(1.0, 2.0)  # noqa: S311 - jitter
        if error and error.retry_after_seconds is not None:
            wait = max(wait, error.retry_after_seconds)
        await asyncio.sleep(min(wait, BACKOFF_MOST_SECONDS))

    async def _relist(self) -> None:
        found: dict[Key, Object] = {}
        query = {**self._selector, "limit": str(PAGE_SIZE)}
        while True:
            page = await self._page(query)
            for item in page.get("items") or ():
                found[_key(item)] = self._slimmed(item)
            query["continue"] = page["metadata"].get("continue", "")
            if not query["continue"]:
                break
        self._replace(found)
        self._version = page["metadata"]["resourceVersion"]
        self._heard_at = time.monotonic()
        self.last_error = ""
        self.synced.set()

    async def _page(self, query: dict[str, str]) -> Object:
        wanted = {name: value for name, value in query.items() if value}
        try:
            return await self._kube.list_page(self.resource, self._namespace, wanted, metadata_only=self._metadata_only)
        except ClusterError as error:
            if error.status == 410:
                raise _Expired from error
            raise

    async def _watch(self) -> None:
        stream_seconds = random.randint(*STREAM_SECONDS)  # noqa: S311 - jitter
        query = {
            **self._selector,
            "watch": "1",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(stream_seconds),
        }
        try:
            async with self._kube.watch(
                self.resource,
                self._namespace,
                query,
                metadata_only=self._metadata_only,
                silence_seconds=SILENCE_SECONDS,
                total_seconds=stream_seconds + 30.0,
            ) as lines:
                self._heard_at = time.monotonic()
                await self._follow(lines)
        except ClusterError as error:
            if error.status == 410:
                raise _Expired from error
            raise

    async def _follow(self, lines: AsyncIterable[bytes]) -> None:
        async for line in lines:
            event = _event(line)
            self._heard_at = time.monotonic()
            item = event["object"]
            match event["type"]:
                case "ERROR":
                    raise _stream_error(item)
                case "BOOKMARK":
                    pass
                case "DELETED":
                    self._drop(item)
                case _:
                    self._put(item)
            self._version = item["metadata"]["resourceVersion"]

    def _slimmed(self, item: Object) -> Object:
        item["metadata"].pop("managedFields", None)
        return self._slim(item)

    def _put(self, item: Object) -> None:
        known = self.items.get(_key(item))
        if known is not None and _number(known) >= _number(item) > 0:
            return
        slim = self._slimmed(item)
        self.items[_key(item)] = slim
        self._by_namespace.setdefault(namespace_of(item), {})[name_of(item)] = slim
        self._tell(known, slim)

    def _drop(self, item: Object) -> None:
        known = self.items.get(_key(item))
        if known is not None and known["metadata"].get("uid") == item["metadata"].get("uid"):
            del self.items[_key(item)]
            self._unindex(*_key(item))
            self._tell(known, None)

    def _replace(self, found: dict[Key, Object]) -> None:
        known, self.items = self.items, found
        self._by_namespace = {}
        for (namespace, name), item in found.items():
            self._by_namespace.setdefault(namespace, {})[name] = item
        for key in known.keys() - found.keys():
            self._tell(known[key], None)
        for key, item in found.items():
            before = known.get(key)
            if before is None or before["metadata"]["resourceVersion"] != item["metadata"]["resourceVersion"]:
                self._tell(before, item)

    def _unindex(self, namespace: str, name: str) -> None:
        names = self._by_namespace[namespace]
        del names[name]
        if not names:
            del self._by_namespace[namespace]

    def _tell(self, before: Object | None, after: Object | None) -> None:
        for handler in self._handlers:
            handler(before, after)


async def run_all(informers: Iterable[Informer]) -> None:
    """Run informers until cancelled; an error that is not of the API ends all of them."""
    async with asyncio.TaskGroup() as group:
        for informer in informers:
            group.create_task(informer.run(), name=f"informer {informer.resource.plural}")


def _key(item: Object) -> Key:
    return namespace_of(item), name_of(item)


def _number(item: Object) -> int:
    # Versions of one kind of the Kubernetes API may be compared as numbers; others are taken as newer.
    version = item["metadata"].get("resourceVersion", "")
    return int(version) if version.isdigit() else 0


def _event(line: bytes) -> Object:
    try:
        event = json.loads(line)
        if "metadata" in event["object"] or event["type"] == "ERROR":
            return dict(event)
    except (ValueError, KeyError, TypeError):
        pass
    raise ClusterError(f"The watch sent a line that is not an event: {line[:200]!r}.", status=200)


def _stream_error(status: Object) -> Exception:
    if status.get("code") in (410, 504):
        return _Expired()
    return ClusterError(str(status.get("message", "error in the watch")), status=int(status.get("code", 0)))
