"""What keeps a pod from being ready, as the cluster reports it: "ImagePullBackOff urumi/shop:1.0: ... not found".

A container that terminated is reported with the most significant line of its last output, which the kubelet keeps
because our charts set `terminationMessagePolicy: FallbackToLogsOnError`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.kube.resources import Object

# States that every pod passes through and that need no action.
_NORMAL_WAITING = {"ContainerCreating", "PodInitializing"}
_KEPT_CONDITIONS = frozenset({"Ready", "PodScheduled", "Initialized"})
_ERROR_LINE = re.compile(r"error|fatal|panic|fail|refused|denied|no space|cannot|could not|not found", re.IGNORECASE)
# "waiting for the database: connection refused" is part of a healthy start.
_WAITING_LINE = re.compile(r"\bwaiting for\b", re.IGNORECASE)
# A timestamp and a process number differ each time, and each would make a new event of an equal message.
_LINE_PREFIX = re.compile(r"^\[?\d{4}-\d\d-\d\d[T ][\d:.,]+ ?(Z|UTC|[+-]\d\d:?\d\d)?\]? *(\[\d+\] *)?")
_MAX_LINE_CHARACTERS = 240
_KEPT_OF_CONTAINER = ("name", "image", "restartCount", "ready", "state", "lastState")


def slim_pod(pod: Object) -> Object:
    """Return the part of a pod that is kept in memory."""
    meta, status = pod["metadata"], pod.get("status") or {}
    kept = ("name", "namespace", "uid", "resourceVersion", "deletionTimestamp")
    slim: Object = {
        "metadata": {name: meta[name] for name in kept if name in meta},
        "status": {name: status[name] for name in ("phase", "message", "reason") if name in status},
    }
    slim["metadata"]["ownerReferences"] = [
        {"kind": owner["kind"], "name": owner["name"]} for owner in meta.get("ownerReferences") or ()
    ]
    slim["status"]["conditions"] = [each for each in status.get("conditions") or () if each["type"] in _KEPT_CONDITIONS]
    for kind in ("containerStatuses", "initContainerStatuses"):
        if status.get(kind):
            slim["status"][kind] = [
                {name: container[name] for name in _KEPT_OF_CONTAINER if name in container}
                for container in status[kind]
            ]
    return slim


def is_pod_of(pod: Object, workload: str) -> bool:
    """Return whether the pod belongs to the StatefulSet of that name or, through its ReplicaSet, to the Deployment."""
    for owner in pod["metadata"].get("ownerReferences") or ():
        name = owner["name"]
        if owner["kind"] == "ReplicaSet":
            name = name.rpartition("-")[0]
        if name == workload:
            return True
    return False


def pod_problem(pod: Object) -> tuple[str, str] | None:
    """Return (reason, message) of what keeps a pod from being ready, None if it is ready."""
    status = pod.get("status") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    if conditions.get("Ready", {}).get("status") == "True":
        return None
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return scheduled.get("reason") or "Unschedulable", str(scheduled.get("message", ""))
    is_initialized = conditions.get("Initialized", {}).get("status") == "True"
    problem = next(_container_problems(status, is_initialized=is_initialized), None)
    if problem:
        return problem
    if status.get("reason"):
        return str(status["reason"]), str(status.get("message", ""))
    if status.get("phase") != "Running":
        return "Starting", ""
    for container in status.get("containerStatuses") or ():
        # A container that terminated before is likely to do so again.
        history = _termination_history(container)
        if history and not container.get("ready"):
            return "NotReady", f"container {container['name']} is running again{history}"
    return "NotReady", "(containers are running, the readiness probe does not pass yet)"


def _container_problems(status: Object, *, is_initialized: bool) -> Iterator[tuple[str, str]]:
    for container in status.get("initContainerStatuses") or ():
        yield from _state_problem(container)
        # After initialization, a running init container is a sidecar.
        if "running" in (container.get("state") or {}) and not is_initialized:
            yield "Initializing", f"init container {container['name']} is running{_termination_history(container)}"
    for container in status.get("containerStatuses") or ():
        yield from _state_problem(container)


def _state_problem(container: Object) -> Iterator[tuple[str, str]]:
    state = container.get("state") or {}
    waiting, terminated = state.get("waiting") or {}, state.get("terminated") or {}
    reason = waiting.get("reason", "")
    if reason and reason not in _NORMAL_WAITING:
        if "Image" in reason:
            # What follows the quoted image name is the message of the registry or of the network.
            _, quoted, cause = str(waiting.get("message", "")).rpartition('": ')
            yield reason, str(container.get("image", "")) + (f": {_short(cause)}" if quoted and cause else "")
        else:
            yield reason, f"container {container['name']}{_termination_history(container)}"
    elif terminated and terminated.get("exitCode", 0) != 0:
        message = f"container {container['name']} exited with code {terminated['exitCode']}"
        yield terminated.get("reason") or "Error", message + _last_output(terminated)


def _termination_history(container: Object) -> str:
    """Return how often a container was restarted and how it terminated the last time, empty if it did not."""
    terminated = (container.get("lastState") or {}).get("terminated") or {}
    restarts, last = container.get("restartCount", 0), terminated.get("reason", "")
    history = f", {restarts} restart{'s' if restarts > 1 else ''}" if restarts else ""
    return f"{history}, last terminated with {last}{_last_output(terminated)}" if last else history


def _last_output(terminated: Object) -> str:
    """Return the first error line that a container wrote before it terminated, or its very last line."""
    lines = [line.strip() for line in str(terminated.get("message") or "").splitlines() if line.strip()]
    errors = (line for line in lines if _ERROR_LINE.search(line) and not _WAITING_LINE.search(line))
    chosen = next(errors, lines[-1] if lines else "")
    return f": {_short(_LINE_PREFIX.sub('', chosen))}" if chosen else ""


def _short(text: str) -> str:
    return text if len(text) <= _MAX_LINE_CHARACTERS else f"{text[: _MAX_LINE_CHARACTERS - 1]}…"
