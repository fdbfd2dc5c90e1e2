"""Ready never lies: checked against every version of every object, over a random history of edits and accidents.

What is held for every version of a Store that says Ready for its own generation: the release has the digest of this
very spec, and every workload carried that digest and was ready when it was said. And the other way round: no store
goes on being Ready for long over a workload that is not.
"""

import itertools
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from cluster.local import ClusterInfo
from reconciler.settings import Settings
from reconciler.store.desired import desired_release
from testing.kubectl import Kubectl
from testing.serve import ServerProcess
from testing.store_objects import BEHAVIOUR, ask, condition
from tests.end_to_end.history import History, Moment

WORKLOADS = (("StatefulSet", "mariadb"), ("Deployment", "wordpress"))
STORES = 5
ACTIONS = 45
PAUSE_SECONDS = (0.05, 0.9)
# How old an observation may be when its verdict is written, and how long a failure may go unsaid.
LAG_SECONDS = 2.0
UNSAID_SECONDS = 8.0


class Mischief:
    """Edits and accidents that befall a store."""

    def __init__(self, kubectl: Kubectl, platform: ServerProcess, dice: random.Random) -> None:
        self._kubectl = kubectl
        self._platform = platform
        self._dice = dice
        self._actions: list[Callable[[str], None]] = [
            self._edit,
            self._edit,
            self._break_deployment,
            self._scale_away,
            self._kill_a_pod,
            self._delete_service,
            self._retry,
        ]

    def happen(self, store_id: str) -> str:
        """Do something, and say what."""
        action = self._dice.choice(self._actions)
        action(store_id)
        return f"{action.__name__} {store_id}"

    def make_good(self, store_id: str) -> None:
        """Take back what keeps a store from being Ready and is nobody's to correct."""
        none = {"podAnnotations": None}
        self._patch("store", store_id, self._platform.namespace, {"spec": {"values": none}})
        mended = {"spec": {"template": {"metadata": {"annotations": {BEHAVIOUR: None}}}}}
        self._patch("deployment", "wordpress", f"store-{store_id}", mended)

    def _edit(self, store_id: str) -> None:
        behaviour = self._dice.choice(["", "", "slow", "never-ready"])
        annotations = {"edit": str(self._dice.random()), **({BEHAVIOUR: behaviour} if behaviour else {})}
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
def test_ready_is_only_said_of_what_is_so(
    local_cluster: ClusterInfo, kubectl: Kubectl, platform: ServerProcess, store_id: str, dice: random.Random
) -> None:
    ids = [f"{store_id}-{number}" for number in range(STORES)]
    with History(local_cluster, platform.namespace) as history:
        for each in ids:
            ask(kubectl, platform, each)
        mischief = Mischief(kubectl, platform, dice)
        done = []
        for _ in range(ACTIONS):
            time.sleep(dice.uniform(*PAUSE_SECONDS))  # the history's own time, not a wait for something
            done.append(mischief.happen(dice.choice(ids)))
        for each in ids:
            mischief.make_good(each)
        for each in ids:
            platform.wait_for_phase(each, "Ready", seconds=120)
    lies = [lie for each in ids for lie in lies_about(history, platform.namespace, each)]
    assert lies == [], f"after {done}"
    flips = sum(len(ready_moments(history, platform.namespace, each)) for each in ids)
    assert flips > 2 * STORES, "the history was too quiet to prove anything"


def lies_about(history: History, namespace: str, store_id: str) -> list[str]:
    """Return every way in which a store's status was not true."""
    lies = []
    for moment in ready_moments(history, namespace, store_id):
        store = moment.item
        digest = desired_release(Settings(), store["spec"]).digest
        if store["status"]["observedGeneration"] != store["metadata"]["generation"]:
            lies.append(f"{store_id}@{moment.version}: Ready for another generation")
        if store["status"]["release"]["digest"] != digest:
            lies.append(f"{store_id}@{moment.version}: Ready with another digest than the spec's")
        lies += [
            f"{store_id}@{moment.version}: Ready, but {name} was not within {LAG_SECONDS} s before"
            for kind, name in WORKLOADS
            if not was_healthy(history.of(kind, f"store-{store_id}", name), moment, digest)
        ]
    return lies + unsaid(history, namespace, store_id)


def ready_moments(history: History, namespace: str, store_id: str) -> list[Moment]:
    """Return the versions of a store that say Ready of their own generation, each time it is newly said."""
    found = []
    before = None
    for moment in history.of("Store", namespace, store_id):
        ready = is_ready(moment)
        if ready and ready != before:
            found.append(moment)
        before = ready
    return found


def is_ready(moment: Moment) -> str:
    """Return since when a version says Ready of its own generation, empty where it does not."""
    conditions = (moment.item or {}).get("status", {}).get("conditions")
    if not conditions:
        return ""
    ready = condition(moment.item["status"], "Ready")
    current = ready["observedGeneration"] == moment.item["metadata"]["generation"]
    return str(ready["lastTransitionTime"]) if ready["status"] == "True" and current else ""


def was_healthy(states: list[Moment], at: Moment, digest: str) -> bool:
    """Return whether a workload was ready with that digest at a version, or shortly before."""
    past = [state for state in states if state.version <= at.version]
    recent = [state for state in past if state.heard_at >= at.heard_at - LAG_SECONDS]
    current = past[-1:] if past else []
    before = [state for state in past if state.heard_at < at.heard_at - LAG_SECONDS][-1:]
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


def unsaid(history: History, namespace: str, store_id: str) -> list[str]:
    """Return the times at which a workload was down for long and the store was Ready all the while."""
    lies = []
    stores = history.of("Store", namespace, store_id)
    for kind, name in WORKLOADS:
        states = history.of(kind, f"store-{store_id}", name)
        for state, following in itertools.pairwise(states):
            ready_pods = (state.item or {}).get("status", {}).get("readyReplicas", 0)
            if ready_pods or following.heard_at - state.heard_at < UNSAID_SECONDS:
                continue
            until = [each for each in stores if each.heard_at <= state.heard_at + UNSAID_SECONDS]
            if until and is_ready(until[-1]) and until[-1].version <= following.version:
                at = f"at version {state.version}, for {following.heard_at - state.heard_at:.1f} s"
                lies.append(f"{store_id}: Ready {UNSAID_SECONDS:.0f} s after {name} went down {at}")
    return lies
