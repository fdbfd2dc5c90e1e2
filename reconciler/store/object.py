"""The Store object as the platform reads it: a typed view over the copy that the informer keeps.

    API server --> slim_store --> informer (plain dictionaries) --> StoreObject, created for each read

The informer keeps only the fields that lookups need, and the status as one JSON text: unpacked, a status takes about
six times the memory, which matters with ten thousand stores. A `StoreObject` holds one reference to such a copy and
nothing else, so it is cheap to create and is not kept. `status` parses the text on every access; read it once and keep
the result in a local variable.

Not guaranteed: that a StoreObject is current. It shows the version that the informer had when it was created.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from urumi.store import Engine, Phase, namespace_name, release_name
from urumi.timestamps import parse_timestamp

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.kube.resources import Object

_PACKED_STATUS = "packed"
_KEPT_METADATA = (
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


@dataclass(frozen=True, slots=True)
class StoreObject:
    """A Store, read from the slim copy of the informer or from the whole object of the API server."""

    raw: Object

    @property
    def name(self) -> str:
        """Return the name of the object, which is the store id."""
        return str(self.raw["metadata"]["name"])

    @property
    def platform_namespace(self) -> str:
        """Return the namespace that holds the Store object."""
        return str(self.raw["metadata"].get("namespace", ""))

    @property
    def uid(self) -> str:
        """Return the uid, which a new Store of the same name does not share."""
        return str(self.raw["metadata"]["uid"])

    @property
    def resource_version(self) -> str:
        """Return the version of the object, spec and status included."""
        return str(self.raw["metadata"].get("resourceVersion", ""))

    @property
    def generation(self) -> int:
        """Return the generation of the spec, 0 if the API server has not set one."""
        return int(self.raw["metadata"].get("generation", 0))

    @property
    def created_at(self) -> str:
        """Return the creation time as an RFC 3339 timestamp."""
        return str(self.raw["metadata"]["creationTimestamp"])

    @property
    def deletion_timestamp(self) -> str:
        """Return the time of the deletion request as an RFC 3339 timestamp, empty if there was none."""
        return str(self.raw["metadata"].get("deletionTimestamp", ""))

    @property
    def is_deleting(self) -> bool:
        """Return whether the deletion of the store was requested."""
        return "deletionTimestamp" in self.raw["metadata"]

    @property
    def deletion_requested_at(self) -> datetime:
        """Return the time of the deletion request.

        Raises:
            ValueError: the deletion was not requested.
        """
        return parse_timestamp(self.deletion_timestamp)

    @property
    def annotations(self) -> dict[str, str]:
        """Return the annotations."""
        return self.raw["metadata"].get("annotations") or {}

    @property
    def finalizers(self) -> tuple[str, ...]:
        """Return the finalizers, in their order."""
        return tuple(self.raw["metadata"].get("finalizers") or ())

    @property
    def spec(self) -> Object:
        """Return the spec as the API server holds it."""
        spec: Object = self.raw["spec"]
        return spec

    @property
    def store_id(self) -> str:
        """Return the store id."""
        return str(self.spec["storeId"])

    @property
    def engine(self) -> Engine:
        """Return the engine."""
        return Engine(self.spec["engine"])

    @property
    def host(self) -> str:
        """Return the host name that the spec sets, empty if the platform chooses it."""
        return str(self.spec.get("host") or "")

    @property
    def values(self) -> Object:
        """Return the chart values that the spec sets."""
        return self.spec.get("values") or {}

    @property
    def requested_by(self) -> dict[str, str]:
        """Return who requested the store: `user`, `ip` and `userAgent`, as far as they are known."""
        return self.spec.get("requestedBy") or {}

    @property
    def namespace(self) -> str:
        """Return the namespace that belongs to the store: `store-<id>`."""
        return namespace_name(self.store_id)

    @property
    def release_name(self) -> str:
        """Return the name of the store's Helm release: `<engine>-<id>`."""
        return release_name(self.engine, self.store_id)

    @property
    def phase(self) -> str:
        """Return the phase without parsing the status: Pending until the reconciler has written one."""
        if self.is_deleting:
            return Phase.DELETING.value
        # Text, because a newer replica may write phases that this version does not know.
        return str((self.raw.get("status") or {}).get("phase") or Phase.PENDING.value)

    @property
    def status(self) -> Object:
        """Return a copy of the whole status, parsed on every access; empty if there is none yet."""
        return status_of(self.raw)


def slim_store(item: Object) -> Object:
    """Return the part of a Store that the informer keeps in memory."""
    meta, status = item["metadata"], item.get("status") or {}
    slim: Object = {"metadata": {name: meta[name] for name in _KEPT_METADATA if name in meta}, "spec": item["spec"]}
    if status:
        packed = json.dumps(status, separators=(",", ":"))
        slim["status"] = {"phase": status.get("phase", ""), _PACKED_STATUS: packed}
    return slim


def status_of(store: Object) -> Object:
    """Return a copy of the whole status of a raw Store, packed or not; empty if there is none yet."""
    status = store.get("status") or {}
    return dict(json.loads(status[_PACKED_STATUS] if _PACKED_STATUS in status else json.dumps(status)))
