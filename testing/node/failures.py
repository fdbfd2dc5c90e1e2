"""Stores that cannot become Ready, all at once on one platform: what the cluster reports, and what users see.

At first the platform is very patient, so that the words are seen while each store is Provisioning. When they are all
there, it is started anew with little patience and every store is asked to try again, so that it is Failed.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from testing.node.node import Node
from testing.node.platform import NodePlatform

PATIENCE = "600"
# Longer than the interval at which the reconciler reads Events.
LITTLE_PATIENCE = "12"
TELL_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Failure:
    """A store with its chart values; `sign` is the cluster's report of the failure, a container state or an Event."""

    store_id: str
    engine: str
    sign: str
    values: Mapping[str, Any]


@dataclass(slots=True)
class Told:
    """The report on a failing store: its progress, the delay after the cluster's report, and its error."""

    known_at: float = 0.0
    told_at: float = 0.0
    progress: str = ""
    phase: str = ""
    error: dict[str, str] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The delay."""
        return max(0.0, self.told_at - self.known_at)


def watch_progress(node: Node, platform: NodePlatform, failures: list[Failure]) -> dict[str, Told]:
    """Poll until every failure is reported by the cluster and by the store, or until the timeout."""
    told = {failure.store_id: Told() for failure in failures}
    deadline = time.monotonic() + TELL_SECONDS
    while time.monotonic() < deadline and not all(each.told_at for each in told.values()):
        for failure in failures:
            found = told[failure.store_id]
            if not found.known_at and failure.sign in _known(node, failure.store_id):
                found.known_at = time.monotonic()
            if not found.told_at:
                _look(platform, failure, found)
    return told


def _look(platform: NodePlatform, failure: Failure, found: Told) -> None:
    store = platform.store(failure.store_id) or {}
    message = str((store.get("progress") or {}).get("message", ""))
    if message and message not in found.seen[-1:]:
        found.seen.append(message)
    if failure.sign in message:
        found.told_at, found.progress, found.phase = time.monotonic(), message, store["phase"]


def _known(node: Node, store_id: str) -> str:
    """Return the states of a store's containers and its Events."""
    namespace = f"store-{store_id}"
    pods = node.api.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
    kinds = ("initContainerStatuses", "containerStatuses")
    containers = [each for pod in pods for kind in kinds for each in pod.get("status", {}).get(kind, ())]
    events = node.api.get(f"/api/v1/namespaces/{namespace}/events")["items"]
    return json.dumps([[each["state"], each["lastState"]] for each in containers]) + " ".join(
        event["message"] for event in events
    )


def run_out_of_patience(platform: NodePlatform, told: Mapping[str, Told], say: Callable[[str], None]) -> None:
    """Wait until every store is Failed, and keep its error."""
    platform.stop()
    platform.environ["URUMI_MAX_PROVISION_SECONDS"] = LITTLE_PATIENCE
    platform.start()
    for store_id in told:
        status, answer = platform.call("POST", f"/stores/{store_id}/retry")
        assert status == 202, answer
    for store_id, found in told.items():
        found.error = platform.wait_for_phase(store_id, "Failed", seconds=180)["lastError"]
        say(f"{store_id}, {found.seconds:.1f} s after the cluster reported it: {found.progress}")
        say(f"    {found.error['reason']}: {found.error['message']}")
        say(f"    {found.error['hint']}")
