"""The changes of the double of the API server in order, and the watches that follow them.

A watch gets the changes after its resourceVersion, then live ones. An object that begins or ceases to match the
selector is sent as added or deleted. Nothing is sent by time: a test sends bookmarks and ends streams itself.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.kube.resources import labels_of, namespace_of
from urumi.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.kube.resources import Object, Resource


@dataclass(frozen=True, slots=True)
class Selection:
    """The objects of a list or a watch: a kind, a namespace, a label selector, a field selector."""

    resource: Resource
    namespace: str
    labels: str = ""
    fields: str = ""
    metadata_only: bool = False

    @staticmethod
    def of(resource: Resource, namespace: str, query: Mapping[str, str], *, metadata_only: bool) -> Selection:
        """Return the selection of a query."""
        labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
        return Selection(resource, namespace, labels, fields, metadata_only)

    def matches(self, item: Object | None) -> bool:
        """Return whether an object of the kind is selected."""
        if item is None or self.namespace not in ("", namespace_of(item)):
            return False
        return all(_satisfies(labels_of(item), term) for term in filter(None, self.labels.split(","))) and all(
            _satisfies(_flat(item), term) for term in filter(None, self.fields.split(","))
        )

    def shown(self, item: Object) -> Object:
        """Return the object as it is sent."""
        if not self.metadata_only:
            return item
        return {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": item["metadata"],
        }


@dataclass(frozen=True, slots=True)
class Change:
    """One write: what the object was and what it became."""

    version: int
    resource: Resource
    before: Object | None
    after: Object | None

    def line(self, selection: Selection) -> bytes | None:
        """Return the change as a line of a watch, None where the selection does not include it."""
        if selection.resource != self.resource:
            return None
        was, matches = selection.matches(self.before), selection.matches(self.after)
        if matches and self.after is not None:
            return watch_line("MODIFIED" if was else "ADDED", selection.shown(self.after))
        if was and self.before is not None:
            meta = {**self.before["metadata"], "resourceVersion": str(self.version)}
            return watch_line("DELETED", selection.shown({**self.before, "metadata": meta}))
        return None


@dataclass(slots=True, eq=False)
class OpenWatch:
    """A stream that a client reads; None in the queue ends it, an error breaks it."""

    selection: Selection
    queue: asyncio.Queue[bytes | ClusterError | None] = field(default_factory=asyncio.Queue)


class WatchLog:
    """All changes since the last compaction, and the open watches."""

    def __init__(self) -> None:
        self.open: list[OpenWatch] = []
        self._changes: list[Change] = []
        self._compacted = 0

    def add(self, change: Change) -> None:
        """Record a change and send it to the watches that select it."""
        self._changes.append(change)
        for watch in self.open:
            line = change.line(watch.selection)
            if line is not None:
                watch.queue.put_nowait(line)

    def compact(self, version: int) -> None:
        """Forget all changes up to a version."""
        self._compacted = version
        self._changes = [change for change in self._changes if change.version > version]

    def follow(self, selection: Selection, version: int) -> OpenWatch:
        """Open a watch of the changes after a version."""
        watch = OpenWatch(selection)
        if version < self._compacted:
            status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
            watch.queue.put_nowait(watch_line("ERROR", status))
            watch.queue.put_nowait(None)
            return watch
        for change in self._changes:
            line = change.line(selection)
            if change.version > version and line is not None:
                watch.queue.put_nowait(line)
        self.open.append(watch)
        return watch


def watch_line(kind: str, item: Object) -> bytes:
    """Return one line of a watch."""
    return json.dumps({"type": kind, "object": item}).encode() + b"\n"


def _satisfies(values: Mapping[str, str], term: str) -> bool:
    if " " in term or "(" in term:
        raise ClusterError(f"the double does not support the selector {term!r}", status=400, reason="BadRequest")
    if "!=" in term:
        key, _, value = term.partition("!=")
        return values.get(key) != value
    if "=" in term:
        key, value = term.replace("==", "=").split("=")
        return values.get(key) == value
    return term[1:] not in values if term.startswith("!") else term in values


def _flat(item: Object, at: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in item.items():
        found |= _flat(value, f"{at}{key}.") if isinstance(value, dict) else {f"{at}{key}": str(value)}
    return found
