"""An in-process double of the Kubernetes API server, for the unit tests of steps only.

    server = ApiServer("store-platform")                  with this namespace
    await server.create(STORES, store, "store-platform")  the methods of `Kube`
    server.fail("apply", SECRETS, error)                  the next such call raises
    server.before("replace_status", STORES, edit)         the next such call awaits `edit` first
    await server.as_manager("helm").create(...)           a write of another client

Objects are kept in memory; resourceVersions, uids, generations, finalizers, preconditions, field ownership and watches
behave as those of the API server: the tests of them run against the real one too. Every call yields to the event loop
once.

Not covered: validation, defaulting and admission (the Store's CEL rules, quotas), garbage collection by owner,
controllers. The content of a deleted namespace is deleted in the same call, except for objects with
finalizers; the namespace is removed when it is empty.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from reconciler.kube.client import FIELD_MANAGER, Kube
from reconciler.kube.reachability import Outage
from reconciler.kube.resources import NAMESPACES, name_of, namespace_of
from testing.apiserver.field_ownership import merge_patched
from testing.apiserver.storage import Storage, check_preconditions
from testing.apiserver.watch_log import Selection, watch_line
from urumi.errors import ClusterError, ClusterUnreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping

    from reconciler.kube.resources import Object, Resource

HOST = "https://double.invalid"


@dataclass(slots=True)
class _Rule:
    """A fault or a hook for the next calls of a method."""

    method: str
    resource: Resource | None
    times: int
    hook: Callable[[], Awaitable[None]] | None = None
    error: ClusterError | None = None
    takes_effect: bool = False


class ApiServer(Kube):
    """Answers the calls of `Kube` from memory; a subclass, so that it fits wherever a `Kube` does.

    Args:
        namespaces: the namespaces that exist from the start.
    """

    def __init__(self, *namespaces: str) -> None:
        self.host = HOST
        self.outage = Outage(HOST)
        self.manager = FIELD_MANAGER
        self.calls: list[tuple[str, str, str]] = []
        """Every call: method, plural of the resource, name of the object."""
        self._storage = Storage()
        self._rules: list[_Rule] = []
        self._rest_of_lists: dict[str, tuple[int, list[Object]]] = {}
        for name in namespaces:
            self._storage.insert(NAMESPACES, {"metadata": {"name": name}}, manager=self.manager)

    def as_manager(self, manager: str) -> Self:
        """Return another client of the same server, with its own field manager, calls and faults."""
        other = copy.copy(self)
        other.manager, other.calls, other._rules, other.outage = manager, [], [], Outage(HOST)
        return other

    def fail(
        self,
        method: str,
        resource: Resource | None,
        error: ClusterError,
        times: int = 1,
        *,
        takes_effect: bool = False,
    ) -> None:
        """Let the next calls of a method of `Kube` raise an error.

        Args:
            resource: the kind it is about, None for any.
            takes_effect: the call succeeds and only its answer is lost.
        """
        self._rules.append(_Rule(method, resource, times, error=error, takes_effect=takes_effect))

    def before(
        self, method: str, resource: Resource | None, hook: Callable[[], Awaitable[None]], times: int = 1
    ) -> None:
        """Await the hook before the next calls of a method take effect; it may write through `as_manager`."""
        self._rules.append(_Rule(method, resource, times, hook=hook))

    def clear_faults(self) -> None:
        """Remove the faults and hooks that have not been used up."""
        self._rules.clear()

    def compact(self) -> None:
        """Forget the changes so far: a watch or a list that continues from an older version gets a 410."""
        self._storage.log.compact(self._storage.version)
        self._rest_of_lists.clear()

    @property
    def open_watches(self) -> int:
        """Return how many watches are open."""
        return len(self._storage.log.open)

    def send_bookmarks(self) -> None:
        """Send the newest resourceVersion to every open watch."""
        meta = {"resourceVersion": str(self._storage.version)}
        for watch in self._storage.log.open:
            resource = watch.selection.resource
            item = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
            watch.queue.put_nowait(watch_line("BOOKMARK", item))

    def send_line(self, line: bytes) -> None:
        """Send any bytes as a line to every open watch."""
        for watch in self._storage.log.open:
            watch.queue.put_nowait(line)

    def end_watches(self, error: ClusterError | None = None) -> None:
        """End every open watch, cleanly or with an error."""
        for watch in self._storage.log.open:
            watch.queue.put_nowait(error)
        self._storage.log.open.clear()

    async def close(self) -> None:
        """End every open watch."""
        self.end_watches()

    async def get(self, resource: Resource, name: str, namespace: str = "") -> Object | None:
        """Return one object, None if there is none."""
        async with self._call("get", resource, name):
            return self._storage.find(resource, name, namespace)

    async def list_page(
        self,
        resource: Resource,
        namespace: str,
        query: Mapping[str, str],
        *,
        metadata_only: bool,
        keep: Callable[[Object], Any] = lambda item: item,
    ) -> Object:
        """Return one page of a list, sorted by namespace and name; all pages are of one moment."""
        async with self._call("list_page", resource, ""):
            selection = Selection.of(resource, namespace, query, metadata_only=metadata_only)
            if "continue" in query:
                version, found = self._continued(query["continue"])
            else:
                version = self._storage.version
                found = [selection.shown(item) for item in self._storage.all(resource) if selection.matches(item)]
            count = int(query.get("limit", "0")) or len(found)
            page, rest = found[:count], found[count:]
            meta: Object = {"resourceVersion": str(version)}
            if rest:
                meta |= {"continue": secrets.token_hex(8), "remainingItemCount": len(rest)}
                self._rest_of_lists[meta["continue"]] = version, rest
            if not metadata_only and "." not in resource.group.removesuffix(".k8s.io"):
                # Built-in kinds leave kind and apiVersion to the list.
                page = [{key: item[key] for key in item if key not in ("kind", "apiVersion")} for item in page]
            return {"kind": f"{resource.kind}List", "metadata": meta, "items": [keep(item) for item in page]}

    async def create(self, resource: Resource, item: Object, namespace: str = "") -> Object:
        """Create an object."""
        async with self._call("create", resource, str(item["metadata"].get("name", ""))):
            return self._storage.insert(resource, item, namespace, manager=self.manager)

    async def apply(self, resource: Resource, item: Object, *, namespace: str = "") -> Object:
        """Apply the whole intent for an object server-side, with force."""
        async with self._call("apply", resource, name_of(item)):
            known = self._storage.find(resource, name_of(item), namespace)
            if known is None:
                return self._storage.insert(resource, item, namespace, manager=self.manager, operation="Apply")
            check_preconditions(resource, known, item["metadata"])
            return self._storage.apply(resource, known, item, manager=self.manager)

    async def replace(self, resource: Resource, item: Object) -> Object:
        """Replace an object if it still has the resourceVersion it was read with."""
        async with self._call("replace", resource, name_of(item)):
            known = self._storage.read(resource, name_of(item), namespace_of(item))
            check_preconditions(resource, known, item["metadata"])
            return self._storage.update(resource, known, item, manager=self.manager)

    async def merge(self, resource: Resource, name: str, patch: Object, namespace: str = "") -> Object:
        """Merge-patch an object."""
        async with self._call("merge", resource, name):
            known = self._storage.read(resource, name, namespace)
            check_preconditions(resource, known, patch.get("metadata") or {})
            return self._storage.update(resource, known, merge_patched(known, patch), manager=self.manager)

    async def replace_status(self, resource: Resource, item: Object, status: Object) -> Object:
        """Replace the status of an object if it is still the one that was read."""
        async with self._call("replace_status", resource, name_of(item)):
            known = self._storage.read(resource, name_of(item), namespace_of(item))
            check_preconditions(resource, known, item["metadata"])
            return self._storage.update_status(resource, known, status, manager=self.manager)

    async def delete(self, resource: Resource, name: str, namespace: str = "", *, uid: str = "") -> bool:
        """Delete an object, with `uid` only that one; False if there is none."""
        async with self._call("delete", resource, name):
            known = self._storage.find(resource, name, namespace)
            if known is None:
                return False
            self._storage.delete(resource, known, uid=uid)
            return True

    async def delete_all(self, resource: Resource, namespace: str) -> None:
        """Delete all objects of a kind in a namespace."""
        async with self._call("delete_all", resource, ""):
            for item in self._storage.all(resource):
                if namespace_of(item) == namespace:
                    self._storage.delete(resource, item)

    @contextlib.asynccontextmanager
    async def watch(
        self,
        resource: Resource,
        namespace: str,
        query: Mapping[str, str],
        *,
        metadata_only: bool,
        answer_seconds: float,
        silence_seconds: float,
        total_seconds: float,
    ) -> AsyncIterator[AsyncIterable[bytes]]:
        """Open a watch; it ends with `end_watches`, or with an error after `silence_seconds` without a line."""
        async with self._call("watch", resource, ""):
            selection = Selection.of(resource, namespace, query, metadata_only=metadata_only)
            watch = self._storage.log.follow(selection, int(query.get("resourceVersion") or 0))

        async def lines() -> AsyncIterator[bytes]:
            while True:
                try:
                    async with asyncio.timeout(silence_seconds):
                        line = await watch.queue.get()
                except TimeoutError as error:
                    unreachable = ClusterUnreachable(f"The Kubernetes API at {HOST} does not answer: TimeoutError.")
                    self.outage.call_failed(unreachable.message)
                    raise unreachable from error
                if line is None:
                    return
                if isinstance(line, ClusterError):
                    raise line
                yield line

        try:
            yield lines()
        finally:
            if watch in self._storage.log.open:
                self._storage.log.open.remove(watch)

    @contextlib.asynccontextmanager
    async def _call(self, method: str, resource: Resource, name: str) -> AsyncIterator[None]:
        """Record a call and apply the first rule for it: the hook and the error before it, the lost answer after it."""
        self.calls.append((method, resource.plural, name))
        self.outage.call_started()
        await asyncio.sleep(0)
        rule = next((rule for rule in self._rules if rule.method == method and rule.resource in (None, resource)), None)
        if rule is not None:
            rule.times -= 1
            if not rule.times:
                self._rules.remove(rule)
            if rule.hook is not None:
                await rule.hook()
            if rule.error is not None and not rule.takes_effect:
                self._refuse(rule.error)
        try:
            yield
        except ClusterError as error:
            self._refuse(error)
        if rule is not None and rule.error is not None:
            self._refuse(rule.error)
        self.outage.call_succeeded()

    def _refuse(self, error: ClusterError) -> None:
        if error.status:
            self.outage.call_succeeded()
        else:
            self.outage.call_failed(error.message)
        raise error

    def _continued(self, token: str) -> tuple[int, list[Object]]:
        if token not in self._rest_of_lists:
            raise ClusterError("The provided continue parameter is too old", status=410, reason="Expired")
        return self._rest_of_lists[token]
