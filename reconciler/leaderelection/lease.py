"""The Lease object: one record that holds the current leader, its fencing token and the time of the last renewal.

Every write carries the resourceVersion that was read, so only one of two candidates succeeds. The fencing token
(leaseTransitions) rises with every acquisition, also by the same holder: what was started with an older token has no
writer any more. Clocks of different machines are never compared; a candidate measures how long a record is unchanged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.kube.resources import Object, Resource
from urumi.errors import ClusterConflict, ClusterNotFound
from urumi.timestamps import format_timestamp

if TYPE_CHECKING:
    from reconciler.kube.client import Kube

LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
LEASE_NAME = "urumi-reconciler"


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """The Lease as it was read; `version` is empty if it does not exist yet."""

    holder: str = ""
    fencing_token: int = 0
    seconds: float = 0.0
    version: str = ""


class Lease:
    """Reads and writes the Lease of one platform namespace."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self._kube = kube
        self._namespace = namespace

    async def read(self) -> LeaseRecord:
        """Return the current record."""
        found = await self._kube.get(LEASES, LEASE_NAME, self._namespace)
        return LeaseRecord() if found is None else _record(found)

    async def write(self, known: LeaseRecord, *, holder: str, fencing_token: int, seconds: float) -> LeaseRecord | None:
        """Write the record if it is still the known one, and return it; None if it was changed or deleted."""
        meta = {"name": LEASE_NAME, "namespace": self._namespace}
        spec = {
            "holderIdentity": holder,
            "leaseDurationSeconds": max(1, math.ceil(seconds)),
            "renewTime": format_timestamp(timespec="microseconds"),
            "leaseTransitions": fencing_token,
        }
        item: Object = {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": meta, "spec": spec}
        try:
            if known.version:
                meta["resourceVersion"] = known.version
                return _record(await self._kube.replace(LEASES, item))
            return _record(await self._kube.create(LEASES, item, self._namespace))
        except (ClusterNotFound, ClusterConflict):
            return None


def _record(item: Object) -> LeaseRecord:
    spec = item.get("spec") or {}
    return LeaseRecord(
        holder=str(spec.get("holderIdentity") or ""),
        fencing_token=int(spec.get("leaseTransitions") or 0),
        seconds=float(spec.get("leaseDurationSeconds") or 0),
        version=str(item["metadata"]["resourceVersion"]),
    )
