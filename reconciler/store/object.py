"""A Store object as it is kept in memory: a few fields to look things up by, the status as one text.

A status is a third of a page of JSON and six times that as Python objects; ten thousand of them are the difference
between a small process and a large one. It is unpacked where it is looked into, one store at a time.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.kube.resources import Object

PACKED = "packed"
_KEPT = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "annotations",
    "finalizers",
)


def slim_store(item: Object) -> Object:
    """Return what is kept in memory of a Store."""
    meta, status = item["metadata"], item.get("status") or {}
    slim: Object = {"metadata": {name: meta[name] for name in _KEPT if name in meta}, "spec": item["spec"]}
    if status:
        slim["status"] = {"phase": status.get("phase", ""), PACKED: json.dumps(status, separators=(",", ":"))}
    return slim


def status_of(store: Object) -> Object:
    """Return a copy of a Store's whole status, whichever way it is held; empty where there is none yet."""
    status = store.get("status") or {}
    return dict(json.loads(status[PACKED] if PACKED in status else json.dumps(status)))
