"""Which writer owns which fields of an object, and server-side apply, as far as the double needs them.

A field is the path of a leaf, written as in `fieldsV1`: ("f:spec", "f:replicas"). Lists are atomic, except for
finalizers, which form a set. The API server splits more lists by key (containers, ports, ownerReferences).
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.kube.resources import Object

FieldPath = tuple[str, ...]
Fields = dict[FieldPath, Any]
Owner = tuple[str, str, str]
"""Manager, operation (Apply or Update) and subresource."""
Owners = dict[Owner, frozenset[FieldPath]]

FINALIZERS = ("f:metadata", "f:finalizers")
TRACKED_METADATA = frozenset({"labels", "annotations", "finalizers", "ownerReferences", "generateName"})


def fields_of(item: Object, *parts: str) -> Fields:
    """Return the value of every field of an object that can be owned; with `parts`, only below these keys."""
    tracked = {key: value for key, value in item.items() if key not in ("apiVersion", "kind", "metadata")}
    if parts:
        tracked = {key: value for key, value in tracked.items() if key in parts}
    else:
        metadata = {key: value for key, value in item["metadata"].items() if key in TRACKED_METADATA}
        tracked |= {"metadata": metadata} if metadata else {}
    return dict(_leaves(tracked, ()))


def owners_after_update(owners: Owners, owner: Owner, before: Fields, after: Fields) -> Owners:
    """Return the owners after a create, replace or patch: the writer owns what it changed."""
    changed = frozenset(path for path, value in after.items() if path not in before or before[path] != value)
    kept = {each: paths - changed - (before.keys() - after.keys()) for each, paths in owners.items()}
    kept[owner] = kept.get(owner, frozenset()) | changed
    return {each: paths for each, paths in kept.items() if paths}


def owners_after_apply(owners: Owners, owner: Owner, before: Fields, after: Fields, applied: Fields) -> Owners:
    """Return the owners after a forced apply: the writer owns all fields that it applied, equal ones are shared."""
    others = {each: paths for each, paths in owners.items() if each != owner}
    kept = owners_after_update(others, owner, before, after)
    kept[owner] = frozenset(applied)
    return {each: paths for each, paths in kept.items() if paths}


def apply_fields(item: Object, applied: Fields, given_up: Iterable[FieldPath]) -> Object:
    """Return the object with the applied fields set and those removed that the writer no longer applies."""
    result = copy.deepcopy(item)
    for path in given_up:
        _remove(result, path)
    for path, value in applied.items():
        parent: Any = result
        for part in path[:-1]:
            parent = parent.setdefault(part[2:], [] if part == "f:finalizers" else {})
        if path[:-1] == FINALIZERS:
            parent.extend({value} - set(parent))
        elif value == {}:
            parent.setdefault(path[-1][2:], {})  # an empty map does not remove the keys of others
        else:
            parent[path[-1][2:]] = copy.deepcopy(value)
    return result


def managed_fields(api_version: str, owners: Owners) -> list[Object]:
    """Return the owners as the API server writes them into metadata.managedFields, without times."""
    entries = []
    for (manager, operation, subresource), paths in owners.items():
        entry: Object = {
            "manager": manager,
            "operation": operation,
            "apiVersion": api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": {},
        }
        for path in sorted(paths):
            parent = entry["fieldsV1"]
            for part in path:
                parent = parent.setdefault(part, {})
        entries.append({**entry, "subresource": subresource} if subresource else entry)
    return entries


def merge_patched(value: Any, patch: Any) -> Any:
    """Return a value with a JSON merge patch (RFC 7386) applied."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(value) if isinstance(value, dict) else {}
    for key, change in patch.items():
        if change is None:
            result.pop(key, None)
        else:
            result[key] = merge_patched(result.get(key), change)
    return result


def _leaves(value: Any, at: FieldPath) -> Iterator[tuple[FieldPath, Any]]:
    if at == FINALIZERS:
        yield from (((*at, f"v:{json.dumps(name)}"), name) for name in value)
    elif isinstance(value, dict) and (value or not at):
        for key, inner in value.items():
            yield from _leaves(inner, (*at, f"f:{key}"))
    else:
        yield at, value


def _remove(item: Object, path: FieldPath) -> None:
    parent: Any = item
    for part in path[:-1]:
        parent = parent.get(part[2:])
        if parent is None:
            return
    if path[:-1] == FINALIZERS:
        parent[:] = [name for name in parent if name != json.loads(path[-1][2:])]
    else:
        parent.pop(path[-1][2:], None)
