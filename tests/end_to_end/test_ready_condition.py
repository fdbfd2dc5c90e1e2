"""Ready is always true: checked against every version of every object, over a random history of edits and faults.

For every version of a Store that is Ready for its own generation, the release has the digest of its spec, and every
workload had that digest and was ready at that time. Conversely, no store stays Ready for long while a workload is not.
"""

import itertools
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from cluster.local.cluster import ClusterInfo
from reconciler.settings import Settings
from reconciler.store.desired import desired_release
from testing.kubectl import Kubectl
from testing.serve import ServerProcess
from testing.store_objects import BEHAVIOUR, condition, create_store
from tests.end_to_end.history import History, Version

WORKLOADS = (("StatefulSet", "mariadb"), ("Deployment", "wordpress"))
STORES = 5
ACTIONS = 45
PAUSE_SECONDS = (0.05, 0.9)
# How old an observation may be when the condition is written, and how long a failure may stay unreported.
LAG_SECONDS = 2.0
REPORT_SECONDS = 8.0


class RandomFaults:
    """Random edits and faults of a store."""

    def __init__(self, kubectl: Kubectl, platform: ServerProcess, rng: random.Random) -> None:
        self._kubectl = kubectl
        self._platform = platform
        self._rng = rng
        self._actions: list[Callable[[str], None]] = [
            self._edit,
            self._edit,
            self._break_deployment,
            self._scale_away,
            self._kill_a_pod,
            self._delete_service,
            self._retry,
        ]

    def inject(self, store_id: str) -> str:
        """Inject one fault, and return its name and the store."""
        action = self._rng.choice(self._actions)
        action(store_id)
        return f"{action.__name__} {store_id}"

    def undo(self, store_id: str) -> None:
        """Undo what prevents a store from becoming Ready and is not corrected as drift."""
        none = {"podAnnotations": None}
        self._patch("store", store_id, self._platform.namespace, {"spec": {"values": none}})
        repaired = {"spec": {"template": {"metadata": {"annotations": {BEHAVIOUR: None}}}}}
        self._patch("deployment", "wordpress", f"store-{store_id}", repaired)

    def _edit(self, store_id: str) -> None:
        behaviour = self._rng.choice(["", "", "slow", "never-ready"])
        annotations = {"edit": str(self._rng.random()), **({BEHAVIOUR: behaviour} if behaviour else {})}
        patch = {"spec": {"values": {"podAnnotations": {BEHAVIOUR: None, **annotations}}}}
        self._patch("store", store_id, self._platform.namespace, patch)

    def _break_deployment(self, store_id: str) -> None:
        broken = {"spec": {"template": {"metadata": {"annotations": {BEHAVIOUR: "never-ready"}}}}}
        self._patch("deployment", "wordpress", f"store-{store_id}", broken)

    def _scale_away(self, store_id: str) -> None:
        self._patch("deployment", "wordpress", f"store-{store_id}", {"spec": {"replicas": 0}})

    def _kill_a_pod(self, store_id: str) -> None:
        self._kubectl.attempt("delete", "pod", "mariadb-0", "-n", f"store-{store_id}", "--wait=false")

    def _delete_service(self, store_id: str) -> None:
        self._kubectl.attempt("delete", "service", "wordpress", "-n", f"store-{store_id}", "--wait=false")

    def _retry(self, store_id: str) -> None:
        self._platform.call("POST", f"/stores/{store_id}/retry")

    def _patch(self, kind: str, name: str, namespace: str, patch: Any) -> None:
        self._kubectl.attempt("patch", kind, name, "-n", namespace, "--type=merge", "-p", json.dumps(patch))


@pytest.mark.thorough
def test_ready_is_reported_only_if_every_workload_is_ready(
    local_cluster: ClusterInfo, kubectl: Kubectl, platform: ServerProcess, store_id: str, rng: random.Random
) -> None:
    ids = [f"{store_id}-{number}" for number in range(STORES)]
    with History(local_cluster, platform.namespace) as history:
        for each in ids:
            create_store(kubectl, platform, each)
        faults = RandomFaults(kubectl, platform, rng)
        done = []
        for _ in range(ACTIONS):
            time.sleep(rng.uniform(*PAUSE_SECONDS))  # the pace of the history, not a wait for a condition
            done.append(faults.inject(rng.choice(ids)))
        for each in ids:
            faults.undo(each)
        for each in ids:
            platform.wait_for_phase(each, "Ready", seconds=120)
    violations = [violation for each in ids for violation in violations_of(history, platform.namespace, each)]
    assert violations == [], f"after {done}"
    transitions = sum(len(ready_versions(history, platform.namespace, each)) for each in ids)
    assert transitions > 2 * STORES, "the history had too few transitions to prove anything"


def violations_of(history: History, namespace: str, store_id: str) -> list[str]:
    """Return every way in which a store's status was wrong."""
    violations = []
    for version in ready_versions(history, namespace, store_id):
        store = version.item
        digest = desired_release(Settings(), store["spec"]).digest
        if store["status"]["observedGeneration"] != store["metadata"]["generation"]:
            violations.append(f"{store_id}@{version.number}: Ready for another generation")
        if store["status"]["release"]["digest"] != digest:
            violations.append(f"{store_id}@{version.number}: Ready with another digest than the spec's")
        violations += [
            f"{store_id}@{version.number}: Ready, but {name} was not ready within {LAG_SECONDS} s before"
            for kind, name in WORKLOADS
            if not was_healthy(history.of(kind, f"store-{store_id}", name), version, digest)
        ]
    return violations + unreported_failures(history, namespace, store_id)


def ready_versions(history: History, namespace: str, store_id: str) -> list[Version]:
    """Return the versions of a store at which it became Ready for its own generation."""
    found = []
    before = None
    for version in history.of("Store", namespace, store_id):
        ready = is_ready(version)
        if ready and ready != before:
            found.append(version)
        before = ready
    return found


def is_ready(version: Version) -> str:
    """Return since when a version is Ready for its own generation, empty if it is not."""
    conditions = (version.item or {}).get("status", {}).get("conditions")
    if not conditions:
        return ""
    ready = condition(version.item["status"], "Ready")
    current = ready["observedGeneration"] == version.item["metadata"]["generation"]
    return str(ready["lastTransitionTime"]) if ready["status"] == "True" and current else ""


def was_healthy(states: list[Version], at: Version, digest: str) -> bool:
    """Return whether a workload was ready with that digest at a version, or shortly before."""
    past = [state for state in states if state.number <= at.number]
    recent = [state for state in past if state.received_at >= at.received_at - LAG_SECONDS]
    current = past[-1:] if past else []
    before = [state for state in past if state.received_at < at.received_at - LAG_SECONDS][-1:]
    return any(healthy(state.item, digest) for state in [*before, *recent, *current])


def healthy(item: Any, digest: str) -> bool:
    """Return whether a workload has that digest, is at its newest generation and has its pods ready."""
    if item is None or item["metadata"].get("annotations", {}).get("urumi.ai/digest") != digest:
        return False
    status = item["status"]
    wanted = max(1, item["spec"]["replicas"])
    return bool(
        status.get("observedGeneration") == item["metadata"]["generation"]
        and status.get("readyReplicas", 0) >= wanted
        and status.get("updatedReplicas", 0) >= wanted
    )


def unreported_failures(history: History, namespace: str, store_id: str) -> list[str]:
    """Return the times at which a workload was down for long and the store stayed Ready."""
    violations = []
    stores = history.of("Store", namespace, store_id)
    for kind, name in WORKLOADS:
        states = history.of(kind, f"store-{store_id}", name)
        for state, following in itertools.pairwise(states):
            ready_pods = (state.item or {}).get("status", {}).get("readyReplicas", 0)
            if ready_pods or following.received_at - state.received_at < REPORT_SECONDS:
                continue
            until = [each for each in stores if each.received_at <= state.received_at + REPORT_SECONDS]
            if until and is_ready(until[-1]) and until[-1].number <= following.number:
                at = f"at version {state.number}, for {following.received_at - state.received_at:.1f} s"
                violations.append(f"{store_id}: Ready {REPORT_SECONDS:.0f} s after {name} went down {at}")
    return violations
