"""Which pods serve after a start: the status of a pod from before the start does not count."""

from typing import Any

import pytest

from cluster.node.objects.pods import unready_pods

STARTED = 1_700_000_000.7
BEFORE, SINCE = "2023-11-14T22:13:19Z", "2023-11-14T22:13:20Z"


class Answers:
    """An API server with one pod."""

    def __init__(self, pod: dict[str, Any]) -> None:
        self._pod = pod

    def get(self, path: str) -> Any:
        """Return the list of pods."""
        assert path == "/api/v1/pods"
        return {"items": [self._pod]}


def pod(phase: str = "Running", **container: Any) -> dict[str, Any]:
    """Return a pod with one container."""
    return {
        "metadata": {"namespace": "store-shop-a", "name": "backend"},
        "status": {"phase": phase, "containerStatuses": [container] if container else []},
    }


@pytest.mark.parametrize(
    ("found", "serves"),
    [
        (pod(ready=True, state={"running": {"startedAt": SINCE}}), True),
        (pod(ready=True, state={"running": {"startedAt": BEFORE}}), False),
        (pod(ready=False, state={"waiting": {}}), False),
        (pod(), False),
        (pod("Succeeded"), True),
        ({"metadata": {"namespace": "a", "name": "b", "deletionTimestamp": BEFORE}}, True),
        ({"metadata": {"namespace": "a", "name": "b"}}, False),
    ],
)
def test_a_pod_serves_if_its_containers_are_ready_since_the_start(found: dict[str, Any], serves: bool) -> None:
    assert (unready_pods(Answers(found), STARTED) == []) is serves  # type: ignore[arg-type]
