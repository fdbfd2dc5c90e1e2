"""The objects of one kind, by namespace and name, as a list and its watch report them.

    put, delete    one object; a version that is not newer than the stored one changes nothing
    replace        everything: the result of a list; what it lacks is dispatched as deleted
    remember       the response to a write of this process, ahead of the watch

Versions of one kind are compared as numbers (KEP-5504). An object that was deleted and created again under its name is
dispatched as both, even where neither event was received. Every change is dispatched before the method returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.cache.watch_events import key_of, number, version_of
from reconciler.kube.resources import uid_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.cache.dispatch import Dispatch
    from reconciler.cache.watch_events import Key
    from reconciler.kube.resources import Object


class ObjectStore:
    """The stored objects; read `items`, change them only through the methods.

    Args:
        slim: returns what is kept of an object; it must keep name, namespace, uid and resourceVersion.
    """

    def __init__(self, dispatch: Dispatch, slim: Callable[[Object], Object] | None = None) -> None:
        self.items: dict[Key, Object] = {}
        self._by_namespace: dict[str, dict[str, Object]] = {}
        self._dispatch = dispatch
        self._slim = slim
        self._is_listing = False
        self._written_while_listing: set[Key] = set()

    def in_namespace(self, namespace: str) -> Mapping[str, Object]:
        """Return the objects of a namespace by name."""
        return self._by_namespace.get(namespace, {})

    def slimmed(self, item: Object) -> Object:
        """Return what is kept of an object."""
        slim = item if self._slim is None else self._slim(item)
        slim["metadata"].pop("managedFields", None)
        return slim

    def put(self, item: Object) -> None:
        """Store an object unless the stored version is as new."""
        key = key_of(item)
        known = self.items.get(key)
        if known is not None and number(version_of(known)) >= number(version_of(item)):
            return
        if known is not None and uid_of(known) != uid_of(item):
            self._remove(key)
            known = None
        self._store(key, known, self.slimmed(item))

    def delete(self, item: Object) -> None:
        """Remove an object unless the stored version is newer."""
        known = self.items.get(key_of(item))
        if known is not None and number(version_of(known)) <= number(version_of(item)):
            self._remove(key_of(item))

    def remember(self, item: Object) -> None:
        """Store a newer version of a known object that the API server returned for a write of this process."""
        if key_of(item) in self.items:
            if self._is_listing:
                self._written_while_listing.add(key_of(item))
            self.put(item)

    def start_listing(self) -> None:
        """Protect what is remembered from now on against the next `replace`, whose list may be older."""
        self._is_listing = True
        self._written_while_listing.clear()

    def replace(self, found: dict[Key, Object]) -> None:
        """Replace all objects with slimmed ones of a list and dispatch the differences."""
        self._is_listing = False
        for key in self._written_while_listing & found.keys() & self.items.keys():
            # The list may not include the write, and the watch continues from the list.
            found[key] = max(found[key], self.items[key], key=lambda item: number(version_of(item)))
        for key, known in list(self.items.items()):
            if key not in found or uid_of(known) != uid_of(found[key]):
                self._remove(key)
        for key, item in found.items():
            before = self.items.get(key)
            if before is None or version_of(before) != version_of(item):
                self._store(key, before, item)

    def _store(self, key: Key, before: Object | None, after: Object) -> None:
        self.items[key] = after
        self._by_namespace.setdefault(key[0], {})[key[1]] = after
        self._dispatch.send(before, after)

    def _remove(self, key: Key) -> None:
        known = self.items.pop(key)
        names = self._by_namespace[key[0]]
        del names[key[1]]
        if not names:
            del self._by_namespace[key[0]]
        self._dispatch.send(known, None)
