"""What Kubernetes says only in Events: why a StatefulSet gets no pod, why a pod's volume is not mounted.

Asked for, not watched: Events are many, and only a store that waits and cannot say why needs them. What the scheduler
says stands in the pod itself for as long as it is true, so its Events, which outlive that, are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kube.event_recorder import EVENTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from reconciler.kube.client import Kube
    from reconciler.kube.resources import Object

MOST = 200
# A Service bears the name of its workload; what is said of its address keeps no pod from starting.
SPEAKERS = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "Pod"})
CHOSEN = {"fieldSelector": "type=Warning,reason!=FailedScheduling", "limit": str(MOST)}

Warnings = dict[str, tuple[str, str]]


async def warnings_about(kube: Kube, namespace: str, workloads: Iterable[str], pods: Collection[str]) -> Warnings:
    """Return the newest warning about each workload, its ReplicaSets or its pods: reason and words by workload.

    Args:
        pods: the uids of the pods that there are; one that is gone says nothing about the one that came after it.
    """
    page = await kube.list_page(EVENTS, namespace, CHOSEN, metadata_only=False)
    found: Warnings = {}
    for event in sorted(page.get("items") or (), key=_last_seen):
        regarding = event.get("regarding") or {}
        if regarding.get("kind") not in SPEAKERS:
            continue
        if regarding.get("kind") == "Pod" and regarding.get("uid") not in pods:
            continue
        about = str(regarding.get("name", ""))
        for workload in workloads:
            if about == workload or about.startswith(f"{workload}-"):
                found[workload] = (str(event.get("reason", "")), " ".join(str(event.get("note", "")).split()))
    return found


def _last_seen(event: Object) -> str:
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("deprecatedLastTimestamp") or event.get("eventTime") or "")
