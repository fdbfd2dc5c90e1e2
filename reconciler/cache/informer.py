"""An informer: the live copy of one kind, as a reflector, an object store and the dispatch of changes.

    API server -> Reflector (list, watch) -> ObjectStore (versions) -> Dispatch (handlers)

Each part has its own module, which documents what it guarantees. The copy is current, or `seconds_since_last_response`
and `disconnected_seconds` report how old it is. Use it from one event loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from reconciler.cache.dispatch import Dispatch
from reconciler.cache.object_store import ObjectStore
from reconciler.cache.reflector import Reflector
from reconciler.cache.timeouts import InformerTimeouts

if TYPE_CHECKING:
    import asyncio
    from collections import Counter
    from collections.abc import Callable, Mapping

    from reconciler.cache.dispatch import Handler
    from reconciler.cache.reflector import Restart
    from reconciler.cache.watch_events import Key
    from reconciler.kube.client import Kube
    from reconciler.kube.resources import Object, Resource

T = TypeVar("T")


class Informer:
    """The live copy of all objects of one kind that match a selector, by (namespace, name).

    Args:
        metadata_only: request no spec, status or data.
        slim: returns what is kept of an object; it must keep name, namespace, uid and resourceVersion.
        timeouts: tests shorten them.
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
        timeouts: InformerTimeouts | None = None,
    ) -> None:
        self.resource = resource
        self.timeouts = timeouts or InformerTimeouts()
        self.mismatches = 0
        """Objects that a consistency check found to be wrong."""
        self._dispatch = Dispatch()
        self._store = ObjectStore(self._dispatch, slim)
        self._reflector = Reflector(
            kube,
            resource,
            self._store,
            self.timeouts,
            namespace=namespace,
            selector=selector,
            metadata_only=metadata_only,
        )

    @property
    def items(self) -> dict[Key, Object]:
        """Return all objects."""
        return self._store.items

    @property
    def synced(self) -> asyncio.Event:
        """Return the event that is set once the first list is complete."""
        return self._reflector.synced

    @property
    def restarts(self) -> Counter[Restart]:
        """Return how many streams ended, by reason."""
        return self._reflector.restarts

    @property
    def last_error(self) -> str:
        """Return the error of the last request with its hint; empty after a response."""
        return self._reflector.last_error

    def on_change(self, handler: Handler) -> None:
        """Call the handler with (before, after) of every change; before is None for new, after for deleted."""
        self._dispatch.add(handler)

    def get(self, name: str, namespace: str = "") -> Object | None:
        """Return one object, None if there is none."""
        return self._store.items.get((namespace, name))

    def in_namespace(self, namespace: str) -> Mapping[str, Object]:
        """Return the objects of a namespace by name."""
        return self._store.in_namespace(namespace)

    def seconds_since_last_response(self) -> float:
        """Return the time since the last response of the API server, bookmarks included."""
        return self._reflector.seconds_since_last_response()

    def disconnected_seconds(self) -> float:
        """Return how long no watch has been open; 0 while one is."""
        return self._reflector.disconnected_seconds()

    async def wait_for_version(self, version: int) -> None:
        """Wait until everything up to a version was received."""
        await self._reflector.wait_for_version(version)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition; it is evaluated after every response."""
        await self._reflector.until(condition)

    def remember(self, item: Object) -> None:
        """Store a newer version of a known object that the API server returned for a write of this process.

        Only for informers without a selector: a write may move an object out of the selector, and no later event would
        report that.
        """
        self._store.remember(item)

    def invalidate(self) -> None:
        """List again, because the copy is wrong."""
        self._reflector.invalidate()

    async def listed(self, keep: Callable[[Object], T], *, metadata_only: bool) -> tuple[dict[Key, T], str]:
        """Return what `keep` returns of each object as the API server has it now, and the version of the list."""
        return await self._reflector.listed(keep, metadata_only=metadata_only)

    async def run(self) -> None:
        """List and watch until cancelled."""
        await self._reflector.run()
