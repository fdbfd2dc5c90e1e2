"""The health of a store: whether every workload of the desired digest is there and ready, and if not, why not.

Everything is read from informers, so asking costs nothing and waiting holds neither a process nor a slot. A workload
counts only when it carries the desired digest and its own controller has observed its newest generation: a cache that
lags behind an upgrade makes a store look unfinished, never healthy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.kube.resources import DEPLOYMENTS, Object, Resource, annotations_of, name_of
from reconciler.store.desired import DIGEST_KEY
from reconciler.store.inventory import slim_owned
from reconciler.store.pods import is_pod_of, pod_problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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

    `unexplained` names the workloads of which neither they nor their pods say what they wait for.
    """

    is_healthy: bool
    sentence: str
    reason: str
    unexplained: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """The objects of one store's namespace, by name, as the informers have them."""

    workloads: Mapping[Resource, Mapping[str, Object]]
    pods: Mapping[str, Object]
    claims: Mapping[str, Object]


def slim_workload(item: Object) -> Object:
    """Return what is kept of a Deployment or StatefulSet in memory."""
    slim, status = slim_owned(item), item.get("status") or {}
    slim["metadata"]["generation"] = item["metadata"].get("generation")
    return {
        **slim,
        "spec": {"replicas": (item.get("spec") or {}).get("replicas", 1)},
        "status": {name: status[name] for name in _KEPT_OF_STATUS if name in status} | _failures(status),
    }


def _failures(status: Object) -> Object:
    failures = [each for each in status.get("conditions") or () if each["type"] == "ReplicaFailure"]
    return {"conditions": failures} if failures else {}


def slim_claim(item: Object) -> Object:
    """Return what is kept of a PersistentVolumeClaim in memory."""
    return {**slim_owned(item), "status": {"phase": (item.get("status") or {}).get("phase", "")}}


def observe(spec: EngineDefinition, digest: str, observed: Observed, warnings: Warnings | None = None) -> Health:
    """Return the health of a store's workloads for a digest; `warnings` explain what would be unexplained."""
    words, reasons, unexplained = [], [], []
    for resource, name in spec.workloads:
        workload = observed.workloads[resource].get(name)
        count, is_ready = _count(resource, workload, digest)
        if is_ready:
            words.append(f"{name} {count}")
            continue
        reason, why = _why_not(name, workload, observed)
        if reason in UNEXPLAINED:
            unexplained.append(name)
            if warnings and name in warnings:
                reason, why = warnings[name][0], " ".join(warnings[name])
        words.append(f"{name} {count}: {why}")
        reasons.append(reason)
    sentence = ", ".join(words)
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


def _why_not(name: str, workload: Object | None, observed: Observed) -> tuple[str, str]:
    if workload is None:
        return "WorkloadMissing", "not created yet"
    if workload["spec"].get("replicas") == 0:
        return "ScaledToZero", "somebody scaled it to no pods"
    pods = [pod for pod in observed.pods.values() if is_pod_of(pod, name)]
    for pod in sorted(pods, key=name_of, reverse=True):
        problem = pod_problem(pod)
        if problem:
            reason, words = _claim_problem(problem, observed.claims.values())
            return reason, f"pod {name_of(pod)}: {reason} {words}".strip()
    return _controller_problem(workload, bool(pods))


def _claim_problem(problem: tuple[str, str], claims: Iterable[Object]) -> tuple[str, str]:
    reason, words = problem
    pending = sorted(name_of(claim) for claim in claims if claim["status"]["phase"] == "Pending")
    if reason == "Unschedulable" and pending:
        return reason, f"{words} (volume claims pending: {', '.join(pending)})"
    return problem


def _controller_problem(workload: Object, has_pods: bool) -> tuple[str, str]:
    for condition in workload["status"].get("conditions") or ():
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return condition.get("reason") or "ReplicaFailure", str(condition.get("message", ""))
    return ("RollingOut", "rolling out") if has_pods else ("NoPodYet", "no pod yet")
