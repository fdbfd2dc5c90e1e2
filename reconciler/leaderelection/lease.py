"""The Lease object: one record in etcd that says who may act on the stores, since when, and in which epoch.

Every write carries the resourceVersion that was read, so of two candidates one loses. `epoch` (leaseTransitions) rises
with every change of hands, the same holder's return included: what was begun under an older epoch has no writer left.
Clocks of different machines are never compared; a candidate measures how long a record stays the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.kube.resources import Object, Resource
from urumi.errors import ClusterError
from urumi.timestamps import format_timestamp

if TYPE_CHECKING:
    from reconciler.kube.client import Kube

LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
LEASE_NAME = "urumi-reconciler"


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """The Lease as it was read; `version` is empty where there is none yet."""

    holder: str = ""
    epoch: int = 0
    seconds: float = 0.0
    version: str = ""


class Lease:
    """Reads and writes the Lease of one platform namespace."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self._kube = kube
        self._namespace = namespace

    async def read(self) -> LeaseRecord:
        """Return the record as it is now."""
        found = await self._kube.get(LEASES, LEASE_NAME, self._namespace)
        return LeaseRecord() if found is None else _record(found)

    async def write(self, known: LeaseRecord, *, holder: str, epoch: int, seconds: float) -> LeaseRecord | None:
        """Write the record if it is still the known one, and return it; None where somebody else was faster."""
        item = self._object(known, holder, epoch, seconds)
        try:
            if known.version:
                return _record(await self._kube.replace(LEASES, item))
            return _record(await self._kube.create(LEASES, item, self._namespace))
        except ClusterError as error:
            if error.status in (404, 409):
                return None
            raise

    def _object(self, known: LeaseRecord, holder: str, epoch: int, seconds: float) -> Object:
        meta = {"name": LEASE_NAME, "namespace": self._namespace}
        if known.version:
            meta["resourceVersion"] = known.version
        spec = {
            "holderIdentity": holder,
            "leaseDurationSeconds": max(1, math.ceil(seconds)),
            "renewTime": format_timestamp(timespec="microseconds"),
            "leaseTransitions": epoch,
        }
        return {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": meta, "spec": spec}


def _record(item: Object) -> LeaseRecord:
    spec = item.get("spec") or {}
    return LeaseRecord(
        holder=str(spec.get("holderIdentity") or ""),
        epoch=int(spec.get("leaseTransitions") or 0),
        seconds=float(spec.get("leaseDurationSeconds") or 0),
        version=str(item["metadata"]["resourceVersion"]),
    )
