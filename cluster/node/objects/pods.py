"""Which pods serve after a start of the node: until the kubelet has seen a pod, its status is the one from before."""

from datetime import UTC, datetime
from typing import Any

from cluster.api import Api

ENDED = ("Succeeded", "Failed")


def unready_pods(api: Api, started_at: float) -> list[str]:
    """Return the pods that are not ready, or whose containers are from before a time, as namespace/name.

    Raises:
        ApiServerError: the API server does not respond.
    """
    return [
        f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        for pod in api.get("/api/v1/pods")["items"]
        if "deletionTimestamp" not in pod["metadata"] and not _serves(pod.get("status") or {}, started_at)
    ]


def _serves(status: dict[str, Any], started_at: float) -> bool:
    if status.get("phase") in ENDED:
        return True
    containers = status.get("containerStatuses") or []
    return bool(containers) and all(
        each["ready"] and _time(each["state"]["running"]["startedAt"]) >= int(started_at) for each in containers
    )


def _time(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
