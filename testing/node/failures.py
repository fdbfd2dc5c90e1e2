"""Stores that cannot become Ready, all at once on one platform: what the cluster reports, and what users see.

First the platform has a long provision timeout, so that the cause is reported while each store is Provisioning. Then it
is restarted with a short timeout and every store is retried, so that each becomes Failed.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cluster.node.node import Node
from testing.node.platform import NodePlatform

LONG_TIMEOUT = "600"
# Longer than the interval at which the reconciler reads Events.
SHORT_TIMEOUT = "12"
REPORT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Failure:
    """A store with its chart values; `sign` is the cluster's report of the failure, a container state or an Event."""

    store_id: str
    engine: str
    sign: str
    values: Mapping[str, Any]


@dataclass(slots=True)
class Report:
    """The report on a failing store: its progress, the delay after the cluster's report, and its error."""

    occurred_at: float = 0.0
    reported_at: float = 0.0
    progress: str = ""
    phase: str = ""
    error: dict[str, str] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The delay."""
        return max(0.0, self.reported_at - self.occurred_at)


def watch_progress(node: Node, platform: NodePlatform, failures: list[Failure]) -> dict[str, Report]:
    """Poll until every failure is reported by the cluster and by the store, or until the timeout."""
    reports = {failure.store_id: Report() for failure in failures}
    deadline = time.monotonic() + REPORT_SECONDS
    while time.monotonic() < deadline and not all(each.reported_at for each in reports.values()):
        for failure in failures:
            found = reports[failure.store_id]
            if not found.occurred_at and failure.sign in _known(node, failure.store_id):
                found.occurred_at = time.monotonic()
            if not found.reported_at:
                _poll(platform, failure, found)
    return reports


def _poll(platform: NodePlatform, failure: Failure, found: Report) -> None:
    store = platform.store(failure.store_id) or {}
    message = str((store.get("progress") or {}).get("message", ""))
    if message and message not in found.seen[-1:]:
        found.seen.append(message)
    if failure.sign in message:
        found.reported_at, found.progress, found.phase = time.monotonic(), message, store["phase"]


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


def time_out(platform: NodePlatform, reports: Mapping[str, Report], say: Callable[[str], None]) -> None:
    """Restart the platform with a short timeout, wait until every store is Failed, and record its error."""
    platform.stop()
    platform.environ["URUMI_MAX_PROVISION_SECONDS"] = SHORT_TIMEOUT
    platform.start()
    for store_id in reports:
        status, answer = platform.call("POST", f"/stores/{store_id}/retry")
        assert status == 202, answer
    for store_id, found in reports.items():
        found.error = platform.wait_for_phase(store_id, "Failed", seconds=180)["lastError"]
        say(f"{store_id}, {found.seconds:.1f} s after the cluster reported it: {found.progress}")
        say(f"    {found.error['reason']}: {found.error['message']}")
        say(f"    {found.error['hint']}")
