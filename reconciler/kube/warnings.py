"""Causes that Kubernetes reports only in Events: why a StatefulSet has no pod, why a volume is not mounted.

Events are listed, not watched: there are many, and only a store that waits for an unknown cause needs them. Events of
the scheduler are excluded: its message is in the pod as long as it is true, and its Events outlive that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kube.event_recorder import EVENTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from reconciler.kube.client import Kube
    from reconciler.kube.resources import Object

MAX_EVENTS = 200
# A Service has the name of its workload, but Events about its address do not explain a missing pod.
REGARDED_KINDS = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "Pod"})
QUERY = {"fieldSelector": "type=Warning,reason!=FailedScheduling", "limit": str(MAX_EVENTS)}

Warnings = dict[str, tuple[str, str]]


async def warnings_about(kube: Kube, namespace: str, workloads: Iterable[str], pods: Collection[str]) -> Warnings:
    """Return the newest warning about each workload, its ReplicaSets or its pods: reason and message by workload.

    Args:
        pods: the uids of the existing pods; Events about deleted pods are ignored.
    """
    page = await kube.list_page(EVENTS, namespace, QUERY, metadata_only=False)
    found: Warnings = {}
    for event in sorted(page.get("items") or (), key=_last_seen):
        regarding = event.get("regarding") or {}
        if regarding.get("kind") not in REGARDED_KINDS:
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
