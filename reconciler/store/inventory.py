"""What a store is made of, and whether somebody else laid hands on it.

The API server keeps for every object which writer owns which fields (managedFields). An edit of a field of ours, by
whomever, takes the field out of our entry; so a digest of our entry stays the same for as long as nobody touches what
we said, whatever controllers, defaults or other people add beside it. The inventory of a store is that digest for each
of its objects, kept in the status. Comparing it with the informers' copies finds what was changed or deleted, during
this process' life or before it, without a call or a process.

Not found: a field that another writer adds and that we never set.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.kube.resources import Object, annotations_of
from reconciler.store.desired import DIGEST_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HELM = "helm"
PLATFORM = "urumi"
MARK_LENGTH = 10

Inventory = dict[str, str]


@dataclass(frozen=True, slots=True)
class Owned:
    """An object as it is now: whose it is and its mark ("helm:ab12..."), and the digest it was released with."""

    mark: str
    digest: str


def ownership(item: Object) -> str:
    """Return the mark of an object: our writer and a digest of the fields it owns, empty where it owns none."""
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
    """Return what is kept in memory of an object that only has to be there as it was made."""
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
    """Return the inventory without what one writer made."""
    return {name: mark for name, mark in inventory.items() if not mark.startswith(f"{owner}:")}


def with_released(inventory: Inventory, now: Mapping[str, Owned], digest: str) -> Inventory:
    """Return the inventory with the objects of a release that it did not know yet; older digests do not count."""
    found = {
        name: each.mark for name, each in now.items() if each.digest == digest and each.mark.startswith(f"{HELM}:")
    }
    return {**found, **inventory}


def with_applied(inventory: Inventory, applied: Iterable[Object]) -> Inventory:
    """Return the inventory with objects as the API server answered our own writes of them."""
    return {**inventory, **{object_name(item["kind"], item): ownership(item) for item in applied}}


def object_name(kind: str, item: Object) -> str:
    """Return an object's name in the inventory."""
    return f"{kind}/{item['metadata']['name']}"


def differences(inventory: Inventory, now: Mapping[str, Owned], owner: str) -> list[str]:
    """Return what of one writer's work is not as it was left, in words: "Service wordpress was deleted"."""
    words = []
    for name, mark in sorted(inventory.items()):
        if not mark.startswith(f"{owner}:") or (name in now and now[name].mark == mark):
            continue
        words.append(f"{name.replace('/', ' ', 1)} was {'changed' if name in now else 'deleted'}")
    return words
