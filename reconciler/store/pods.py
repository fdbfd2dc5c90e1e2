"""What is wrong with a pod, in the words of the cluster: "ImagePullBackOff urumi/woocommerce:1.0: ... not found".

A container that ended is told with the telling line of what it said last, which the kubelet keeps for our charts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.kube.resources import Object

# States that every pod goes through on its way and that nobody has to do anything about.
_ON_THE_WAY = {"ContainerCreating", "PodInitializing"}
_TELLING = frozenset({"Ready", "PodScheduled", "Initialized"})
_TROUBLE = re.compile(r"error|fatal|panic|fail|refused|denied|no space|cannot|could not|not found", re.IGNORECASE)
# "waiting for the database: connection refused" is how a healthy start begins.
_PATIENCE = re.compile(r"\bwaiting for\b", re.IGNORECASE)
# A moment, and the number of a process: other ones each time, which would be news each time.
_MOMENT = re.compile(r"^\[?\d{4}-\d\d-\d\d[T ][\d:.,]+ ?(Z|UTC|[+-]\d\d:?\d\d)?\]? *(\[\d+\] *)?")
_MAX_SAID_CHARACTERS = 240
_KEPT_OF_CONTAINER = ("name", "image", "restartCount", "ready", "state", "lastState")


def slim_pod(pod: Object) -> Object:
    """Return what is kept of a pod in memory."""
    meta, status = pod["metadata"], pod.get("status") or {}
    kept = ("name", "namespace", "uid", "resourceVersion", "deletionTimestamp")
    slim: Object = {
        "metadata": {name: meta[name] for name in kept if name in meta},
        "status": {name: status[name] for name in ("phase", "message", "reason") if name in status},
    }
    slim["metadata"]["ownerReferences"] = [
        {"kind": owner["kind"], "name": owner["name"]} for owner in meta.get("ownerReferences") or ()
    ]
    slim["status"]["conditions"] = [each for each in status.get("conditions") or () if each["type"] in _TELLING]
    for kind in ("containerStatuses", "initContainerStatuses"):
        if status.get(kind):
            slim["status"][kind] = [_slim_container(container) for container in status[kind]]
    return slim


def _slim_container(container: Object) -> Object:
    return {name: container[name] for name in _KEPT_OF_CONTAINER if name in container}


def is_pod_of(pod: Object, workload: str) -> bool:
    """Return whether the pod belongs to a StatefulSet or, over its ReplicaSet, to a Deployment of that name."""
    for owner in pod["metadata"].get("ownerReferences") or ():
        name = owner["name"]
        if owner["kind"] == "ReplicaSet":
            name = name.rpartition("-")[0]
        if name == workload:
            return True
    return False


def pod_problem(pod: Object) -> tuple[str, str] | None:
    """Return (reason, words) of what keeps a pod from being ready, None where it is ready."""
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
    if status.get("phase") == "Running":
        return "NotReady", _not_ready_words(status)
    return "Starting", ""


def _not_ready_words(status: Object) -> str:
    """Return what is known of containers that run: one that ended before may well do so again."""
    for container in status.get("containerStatuses") or ():
        ended = _after_an_end(container)
        if ended and not container.get("ready"):
            return f"container {container['name']} runs again{ended}"
    return "(its containers run, its readiness probe does not pass yet)"


def _container_problems(status: Object, *, is_initialized: bool) -> Iterator[tuple[str, str]]:
    for container in status.get("initContainerStatuses") or ():
        yield from _state_problem(container)
        # Once all is initialized, what runs is a sidecar.
        if "running" in (container.get("state") or {}) and not is_initialized:
            yield "Initializing", f"init container {container['name']} is at work{_after_an_end(container)}"
    for container in status.get("containerStatuses") or ():
        yield from _state_problem(container)


def _state_problem(container: Object) -> Iterator[tuple[str, str]]:
    state = container.get("state") or {}
    waiting, terminated = state.get("waiting") or {}, state.get("terminated") or {}
    reason = waiting.get("reason", "")
    if reason and reason not in _ON_THE_WAY:
        yield reason, _waiting_words(container, waiting)
    elif terminated and terminated.get("exitCode", 0) != 0:
        words = f"container {container['name']} ended with exit code {terminated['exitCode']}"
        yield terminated.get("reason") or "Error", words + _last_said(terminated)


def _waiting_words(container: Object, waiting: Object) -> str:
    if "Image" in str(waiting.get("reason", "")):
        return str(container.get("image", "")) + _pull_cause(str(waiting.get("message", "")))
    return f"container {container['name']}{_after_an_end(container)}"


def _after_an_end(container: Object) -> str:
    """Return how often a container was started anew and how it ended the last time."""
    terminated = (container.get("lastState") or {}).get("terminated") or {}
    restarts, last = container.get("restartCount", 0), terminated.get("reason", "")
    words = f", {restarts} restart{'s' if restarts > 1 else ''}" if restarts else ""
    return f"{words}, last ended with {last}{_last_said(terminated)}" if last else words


def _pull_cause(message: str) -> str:
    """Return what stands behind the names that the message quotes: the words of the registry or of the network."""
    _, quoted, cause = message.rpartition('": ')
    return f": {_short(cause)}" if quoted and cause else ""


def _last_said(terminated: Object) -> str:
    """Return the first line of trouble that a container said before it ended, or its very last line."""
    lines = [line.strip() for line in str(terminated.get("message") or "").splitlines() if line.strip()]
    trouble = (line for line in lines if _TROUBLE.search(line) and not _PATIENCE.search(line))
    telling = next(trouble, lines[-1] if lines else "")
    return f": {_short(_MOMENT.sub('', telling))}" if telling else ""


def _short(text: str) -> str:
    return text if len(text) <= _MAX_SAID_CHARACTERS else f"{text[: _MAX_SAID_CHARACTERS - 1]}…"
