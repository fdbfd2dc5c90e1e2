"""The objects of the double of the API server: the effects of writes, independent of the call.

one rising resourceVersion for all kinds, a new one with every write that changes something
generation rises with a change outside metadata and status, and with a deletion
an object that is deleted with finalizers stays until the last of them is removed
a deleted namespace refuses creations, deletes its content and is removed when it is empty
"""

from __future__ import annotations

import copy
import secrets
import uuid
from typing import TYPE_CHECKING, Any

from reconciler.kube.resources import NAMESPACES, PODS, is_deleting, name_of, namespace_of, uid_of
from testing.apiserver.field_ownership import (
    Fields,
    Owners,
    apply_fields,
    fields_of,
    managed_fields,
    owners_after_apply,
    owners_after_update,
)
from testing.apiserver.watch_log import Change, WatchLog
from urumi.errors import ClusterConflict, ClusterError, ClusterNotFound
from urumi.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.kube.resources import Object, Resource

WITHOUT_STATUS = frozenset({"secrets", "configmaps", "limitranges", "leases", "networkpolicies", "events"})
WITHOUT_GENERATION = WITHOUT_STATUS - {"networkpolicies"} | {
    "namespaces",
    "nodes",
    "persistentvolumeclaims",
    "resourcequotas",
    "services",
}
KEPT_METADATA = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"

Key = tuple[str, str]


class Storage:
    """All objects by kind, namespace and name; what it returns is the caller's to change."""

    def __init__(self) -> None:
        self.log = WatchLog()
        self.version = 0
        self._objects: dict[Resource, dict[Key, Object]] = {}
        self._owners: dict[str, Owners] = {}

    def find(self, resource: Resource, name: str, namespace: str) -> Object | None:
        """Return one object, None if there is none."""
        return copy.deepcopy(self._kind(resource).get(_key(resource, name, namespace)))

    def read(self, resource: Resource, name: str, namespace: str) -> Object:
        """Return one object; the error is a 404."""
        found = self.find(resource, name, namespace)
        if found is None:
            raise ClusterNotFound(f'{_qualified(resource)} "{name}" not found')
        return found

    def all(self, resource: Resource) -> list[Object]:
        """Return all objects of a kind, sorted by namespace and name."""
        return [copy.deepcopy(item) for _, item in sorted(self._kind(resource).items())]

    def insert(
        self, resource: Resource, item: Object, namespace: str = "", *, manager: str, operation: str = "Update"
    ) -> Object:
        """Create an object; the errors are 404 and 403 for its namespace, 409 where it exists."""
        given = _without_status(resource, item)
        meta = given["metadata"]
        if "name" not in meta:
            meta["name"] = meta["generateName"] + secrets.token_hex(3)[:5]
        if resource.namespaced:
            meta["namespace"] = meta.get("namespace") or namespace
            self._check_namespace(resource, meta["name"], meta["namespace"])
        if _key(resource, meta["name"], meta.get("namespace", "")) in self._kind(resource):
            message = f'{_qualified(resource)} "{meta["name"]}" already exists'
            raise ClusterConflict(message, reason="AlreadyExists")
        owners = {(manager, operation, ""): frozenset(fields_of(given))}
        meta |= {"uid": str(uuid.uuid4()), "creationTimestamp": format_timestamp(timespec="seconds")}
        if resource.plural not in WITHOUT_GENERATION:
            meta["generation"] = 1
        if resource == NAMESPACES:
            meta["labels"] = {**meta.get("labels", {}), "kubernetes.io/metadata.name": meta["name"]}
            given |= {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
        if resource == PODS:
            given["status"] = {"phase": "Pending"}
        return self._write(resource, None, given, owners)

    def apply(self, resource: Resource, known: Object, item: Object, *, manager: str) -> Object:
        """Apply an intent to an object: what the manager applied before and does not name any more is removed."""
        owner, owners, wanted = (manager, "Apply", ""), self._owners[uid_of(known)], _without_status(resource, item)
        applied = fields_of(wanted)
        others = {path for each, paths in owners.items() if each != owner for path in paths}
        after = apply_fields(known, applied, owners.get(owner, frozenset()) - applied.keys() - others)
        owned = owners_after_apply(owners, owner, _main(resource, known), _main(resource, after), applied)
        return self._write(resource, known, after, owned)

    def update(self, resource: Resource, known: Object, item: Object, *, manager: str) -> Object:
        """Replace everything of an object but its status and what the API server itself sets."""
        given = _without_status(resource, item)
        kept = {name: known["metadata"][name] for name in KEPT_METADATA if name in known["metadata"]}
        after = {**given, "metadata": {**given["metadata"], **kept}}
        if resource.plural not in WITHOUT_STATUS and "status" in known:
            after["status"] = known["status"]
        before, owner = _main(resource, known), (manager, "Update", "")
        owners = owners_after_update(self._owners[uid_of(known)], owner, before, _main(resource, after))
        return self._write(resource, known, after, owners)

    def update_status(self, resource: Resource, known: Object, status: Object, *, manager: str) -> Object:
        """Replace the status of an object and nothing else; the error is a 404 where the kind has none."""
        if resource.plural in WITHOUT_STATUS:
            raise ClusterNotFound("the server could not find the requested resource")
        after, owner = {**known, "status": copy.deepcopy(status)}, (manager, "Update", "status")
        before = fields_of(known, "status")
        owners = owners_after_update(self._owners[uid_of(known)], owner, before, fields_of(after, "status"))
        return self._write(resource, known, after, owners)

    def delete(self, resource: Resource, known: Object, *, uid: str = "") -> None:
        """Delete an object, or mark it where a finalizer or the content of a namespace holds it.

        With `uid`, the error is a 409 where the object has another one.
        """
        if uid and uid != uid_of(known):
            mismatch = f"the UID in the precondition ({uid}) does not match the UID in record ({uid_of(known)})"
            cause = f"{mismatch}. The object might have been deleted and then recreated"
            raise _conflict(f'{resource.kind} "{name_of(known)}"', cause)
        if is_deleting(known):
            return
        after = copy.deepcopy(known)
        after["metadata"] |= {
            "deletionTimestamp": format_timestamp(timespec="seconds"),
            "deletionGracePeriodSeconds": 0,
        }
        if resource == NAMESPACES:
            after["status"] = {"phase": "Terminating"}
        self._write(resource, known, after, self._owners[uid_of(known)])
        if resource == NAMESPACES:
            for kind in list(self._objects):
                for item in self.all(kind):
                    if namespace_of(item) == name_of(known):
                        self.delete(kind, item)

    def _kind(self, resource: Resource) -> dict[Key, Object]:
        return self._objects.setdefault(resource, {})

    def _check_namespace(self, resource: Resource, name: str, namespace: str) -> None:
        if is_deleting(self.read(NAMESPACES, namespace, "")):
            cause = f"unable to create new content in namespace {namespace} because it is being terminated"
            message = f'{_qualified(resource)} "{name}" is forbidden: {cause}'
            raise ClusterError(message, status=403, reason="Forbidden")

    def _write(self, resource: Resource, before: Object | None, item: Object, owners: Owners) -> Object:
        after = {**copy.deepcopy(item), "apiVersion": resource.api_version, "kind": resource.kind}
        meta = after["metadata"]
        if not meta.get("finalizers", True):
            del meta["finalizers"]
        meta["managedFields"] = managed_fields(resource.api_version, owners)
        if after == before:
            return after
        if before is not None and "generation" in meta and _intent(before) != _intent(after):
            meta["generation"] += 1
        self.version += 1
        meta["resourceVersion"] = str(self.version)
        key = _key(resource, name_of(after), namespace_of(after))
        if self._is_held(resource, after):
            self._kind(resource)[key] = after
            self._owners[uid_of(after)] = owners
            self.log.add(Change(self.version, resource, before, after))
        else:
            self._kind(resource).pop(key)
            self._owners.pop(uid_of(after))
            self.log.add(Change(self.version, resource, before, None))
            self._finish_namespace(key[0])
        return copy.deepcopy(after)

    def _is_held(self, resource: Resource, item: Object) -> bool:
        """Return whether an object exists: it is not deleted, or something holds it."""
        if not is_deleting(item) or item["metadata"].get("finalizers"):
            return True
        content = (namespace for kind in self._objects.values() for namespace, _ in kind)
        return resource == NAMESPACES and name_of(item) in content

    def _finish_namespace(self, name: str) -> None:
        """Remove a deleted namespace once nothing holds it."""
        found = self.find(NAMESPACES, name, "")
        if found is not None and is_deleting(found) and not self._is_held(NAMESPACES, found):
            gone = {**found, "metadata": {**found["metadata"], "resourceVersion": ""}}
            self._write(NAMESPACES, found, gone, self._owners[uid_of(found)])


def check_preconditions(resource: Resource, known: Object, meta: Mapping[str, Any]) -> None:
    """Raise a 409 where the uid or the resourceVersion of a write is not the object's."""
    if meta.get("uid", uid_of(known)) != uid_of(known):
        cause = f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {uid_of(known)}"
    elif meta.get("resourceVersion", known["metadata"]["resourceVersion"]) != known["metadata"]["resourceVersion"]:
        cause = MODIFIED
    else:
        return
    raise _conflict(f'{_qualified(resource)} "{name_of(known)}"', cause)


def _conflict(what: str, cause: str) -> ClusterConflict:
    return ClusterConflict(f"Operation cannot be fulfilled on {what}: {cause}")


def _key(resource: Resource, name: str, namespace: str) -> Key:
    return (namespace if resource.namespaced else "", name)


def _intent(item: Object) -> tuple[Object, bool]:
    # A deletion counts as a change of the intent, as in the API server.
    return {key: value for key, value in item.items() if key not in ("metadata", "status")}, is_deleting(item)


def _main(resource: Resource, item: Object) -> Fields:
    return fields_of(_without_status(resource, item))


def _without_status(resource: Resource, item: Object) -> Object:
    """Return a copy without the status, which is written through its subresource alone."""
    has_status = resource.plural not in WITHOUT_STATUS
    return copy.deepcopy({key: value for key, value in item.items() if key != "status" or not has_status})


def _qualified(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural
