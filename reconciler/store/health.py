"""The health of a store: whether every workload of the desired digest exists and is ready, and the cause if not.

Everything is read from informers, so an evaluation costs no API call, and waiting holds neither a process nor a slot.
A workload counts only if it carries the desired digest and its own controller has observed its newest generation: a
cache that lags behind an upgrade makes a store look unfinished, never healthy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.helm.labels import DIGEST_KEY
from reconciler.kube.resources import DEPLOYMENTS, Object, Resource, annotations_of, name_of
from reconciler.store.inventory import slim_owned
from reconciler.store.pods import is_pod_of, pod_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.engines.engine import EngineDefinition
    from reconciler.kube.warnings import Warnings

_KEPT_OF_STATUS = (
    "observedGeneration",
    "replicas",
    "readyReplicas",
    "updatedReplicas",
    "currentRevision",
    "updateRevision",
)
UNEXPLAINED = frozenset({"NoPodYet", "Starting"})


@dataclass(frozen=True, slots=True)
class Health:
    """What was observed: `sentence` reads "mariadb 1/1, wordpress 0/1: ...", `reason` is one CamelCase word.

    `unexplained` names the workloads that are not ready although neither they nor their pods report a cause.
    """

    is_healthy: bool
    sentence: str
    reason: str
    unexplained: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """The objects in the namespace of one store, by name, from the informers."""

    workloads: Mapping[Resource, Mapping[str, Object]]
    pods: Mapping[str, Object]
    claims: Mapping[str, Object]


def slim_workload(item: Object) -> Object:
    """Return the part of a Deployment or StatefulSet that is kept in memory."""
    slim, status = slim_owned(item), item.get("status") or {}
    slim["metadata"]["generation"] = item["metadata"].get("generation")
    kept = {name: status[name] for name in _KEPT_OF_STATUS if name in status}
    failures = [each for each in status.get("conditions") or () if each["type"] == "ReplicaFailure"]
    if failures:
        kept["conditions"] = failures
    return {**slim, "spec": {"replicas": (item.get("spec") or {}).get("replicas", 1)}, "status": kept}


def slim_claim(item: Object) -> Object:
    """Return the part of a PersistentVolumeClaim that is kept in memory."""
    return {**slim_owned(item), "status": {"phase": (item.get("status") or {}).get("phase", "")}}


def observe(engine: EngineDefinition, digest: str, observed: Observed, warnings: Warnings | None = None) -> Health:
    """Return the health of a store's workloads for a digest; `warnings` are Events for workloads without a cause."""
    parts, reasons, unexplained = [], [], []
    for resource, name in engine.workloads:
        workload = observed.workloads[resource].get(name)
        count, is_ready = _count(resource, workload, digest)
        if is_ready:
            parts.append(f"{name} {count}")
            continue
        reason, cause = _cause(name, workload, observed)
        if reason in UNEXPLAINED:
            unexplained.append(name)
            if warnings and name in warnings:
                reason, cause = warnings[name][0], " ".join(warnings[name])
        parts.append(f"{name} {count}: {cause}")
        reasons.append(reason)
    sentence = ", ".join(parts)
    return Health(not reasons, sentence, reasons[0] if reasons else "WorkloadsHealthy", tuple(unexplained))


def _count(resource: Resource, workload: Object | None, digest: str) -> tuple[str, bool]:
    if workload is None:
        return "0/1", False
    wanted = int(workload["spec"].get("replicas", 1))
    status = workload["status"]
    ready = int(status.get("readyReplicas", 0))
    updated = int(status.get("updatedReplicas", 0))
    is_current = (
        annotations_of(workload).get(DIGEST_KEY) == digest
        and status.get("observedGeneration") == workload["metadata"].get("generation")
        and updated >= wanted
    )
    if resource == DEPLOYMENTS:
        is_current = is_current and int(status.get("replicas", 0)) == updated
    else:
        is_current = is_current and status.get("currentRevision") == status.get("updateRevision")
    return f"{min(ready, updated)}/{wanted}", is_current and ready >= max(wanted, 1)


def _cause(name: str, workload: Object | None, observed: Observed) -> tuple[str, str]:
    """Return (reason, message) of what keeps a workload from being ready."""
    if workload is None:
        return "WorkloadMissing", "not created yet"
    if workload["spec"].get("replicas") == 0:
        return "ScaledToZero", "scaled to 0 replicas"
    pods = [pod for pod in observed.pods.values() if is_pod_of(pod, name)]
    for pod in sorted(pods, key=name_of, reverse=True):
        problem = pod_problem(pod)
        if problem:
            reason, message = problem
            pending = [name_of(claim) for claim in observed.claims.values() if claim["status"]["phase"] == "Pending"]
            if reason == "Unschedulable" and pending:
                message = f"{message} (volume claims pending: {', '.join(sorted(pending))})"
            return reason, f"pod {name_of(pod)}: {reason} {message}".strip()
    for condition in workload["status"].get("conditions") or ():
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return condition.get("reason") or "ReplicaFailure", str(condition.get("message", ""))
    return ("RollingOut", "rolling out") if pods else ("NoPodYet", "no pod yet")
