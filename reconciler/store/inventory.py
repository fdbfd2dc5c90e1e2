"""What a store is made of, and which of its objects were changed out of band.

The API server records for every object which writer owns which fields (managedFields). An edit of one of our fields by
another writer removes the field from our entry. So a digest of our entry stays the same as long as no other writer
edits what we set; what controllers, defaults or other writers add beside it does not matter. The inventory of a store
is that digest for each of its objects, kept in the status. Comparing it with the informers' copies finds changes and
deletions, including those made while no reconciler was running, without an API call or a process.

Not detected: a field that another writer adds and that we never set.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.helm.labels import DIGEST_KEY
from reconciler.kube.resources import Object, annotations_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HELM = "helm"
PLATFORM = "urumi"
MARK_LENGTH = 10

Inventory = dict[str, str]


@dataclass(frozen=True, slots=True)
class Owned:
    """An object as it is now: its mark ("helm:ab12...") and the digest it was released with."""

    mark: str
    digest: str


@dataclass(frozen=True, slots=True)
class Difference:
    """An object that is not as it was left: its kind, its name, and whether it was changed or deleted."""

    kind: str
    name: str
    is_deleted: bool

    def __str__(self) -> str:
        return f"{self.kind} {self.name} was {'deleted' if self.is_deleted else 'changed'}"


def ownership(item: Object) -> str:
    """Return the mark of an object: our writer and a digest of the fields it owns, empty if it owns none."""
    for owner in (HELM, PLATFORM):
        entries = [
            [entry["operation"], entry.get("fieldsV1")]
            for entry in item["metadata"].get("managedFields") or ()
            if entry.get("manager") == owner and not entry.get("subresource")
        ]
        if entries:
            digest = hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()
            return f"{owner}:{digest[:MARK_LENGTH]}"
    return ""


def slim_owned(item: Object) -> Object:
    """Return the part of an object that is kept in memory to detect its change or deletion."""
    meta = item["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "deletionTimestamp")
    slim = {name: meta[name] for name in kept if name in meta}
    slim["annotations"] = {DIGEST_KEY: annotations_of(item).get(DIGEST_KEY, "")}
    return {"metadata": slim, "owned": ownership(item)}


def owned(item: Object) -> Owned:
    """Return an object's mark and digest from its slim copy."""
    return Owned(str(item.get("owned", "")), annotations_of(item).get(DIGEST_KEY, ""))


def parsed(text: str) -> Inventory:
    """Return the inventory that a status keeps as one line."""
    return dict(entry.split("=", 1) for entry in text.split())


def formatted(inventory: Inventory) -> str:
    """Return an inventory as one line, "Kind/name=owner:mark ..."."""
    return " ".join(f"{name}={mark}" for name, mark in sorted(inventory.items()))


def without(inventory: Inventory, owner: str) -> Inventory:
    """Return the inventory without the objects of one writer."""
    return {name: mark for name, mark in inventory.items() if not mark.startswith(f"{owner}:")}


def with_released(inventory: Inventory, now: Mapping[str, Owned], digest: str) -> Inventory:
    """Return the inventory with the objects of a release that it does not list yet; older digests are ignored."""
    found = {
        name: each.mark for name, each in now.items() if each.digest == digest and each.mark.startswith(f"{HELM}:")
    }
    return {**found, **inventory}


def with_applied(inventory: Inventory, applied: Iterable[Object]) -> Inventory:
    """Return the inventory with objects as the API server returned them from our own writes."""
    return {**inventory, **{object_name(item["kind"], item): ownership(item) for item in applied}}


def object_name(kind: str, item: Object) -> str:
    """Return an object's name in the inventory."""
    return f"{kind}/{item['metadata']['name']}"


def differences(inventory: Inventory, now: Mapping[str, Owned], owner: str) -> tuple[Difference, ...]:
    """Return the objects of one writer that are not as they were left."""
    found = []
    for key, mark in sorted(inventory.items()):
        if mark.startswith(f"{owner}:") and (key not in now or now[key].mark != mark):
            kind, _, name = key.partition("/")
            found.append(Difference(kind, name, is_deleted=key not in now))
    return tuple(found)
