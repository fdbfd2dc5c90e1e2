"""Health: digests, generations and the reason why a pod is not ready."""

from typing import Any

import pytest

from reconciler.engines.registry import ENGINES
from reconciler.kube.resources import DEPLOYMENTS, STATEFUL_SETS
from reconciler.store.health import Observed, observe
from urumi.store import Engine

DIGEST = "d1"
SPEC = ENGINES[Engine.WOOCOMMERCE]


def workload(name: str, *, digest: str = DIGEST, ready: int = 1, observed: int = 1) -> dict[str, Any]:
    """Return a workload of generation 1 as the informer keeps it."""
    status = {"observedGeneration": observed, "replicas": 1, "updatedReplicas": 1, "readyReplicas": ready}
    return {
        "metadata": {"name": name, "generation": 1, "annotations": {"urumi.ai/digest": digest}},
        "spec": {"replicas": 1},
        "status": {**status, "currentRevision": "r1", "updateRevision": "r1"},
    }


def pod(name: str, owner: str, kind: str = "ReplicaSet", **status: Any) -> dict[str, Any]:
    """Return a pod as the informer keeps it."""
    return {"metadata": {"name": name, "ownerReferences": [{"kind": kind, "name": owner}]}, "status": status}


def observed(
    mariadb: dict[str, Any] | None, wordpress: dict[str, Any] | None, *pods: dict[str, Any], claims: Any = ()
) -> Observed:
    """Return what the informers have."""
    return Observed(
        workloads={
            STATEFUL_SETS: {"mariadb": mariadb} if mariadb else {},
            DEPLOYMENTS: {"wordpress": wordpress} if wordpress else {},
        },
        pods={each["metadata"]["name"]: each for each in pods},
        claims={name: {"metadata": {"name": name}, "status": {"phase": "Pending"}} for name in claims},
    )


def test_all_ready_with_the_digest_is_healthy() -> None:
    health = observe(SPEC, DIGEST, observed(workload("mariadb"), workload("wordpress")))
    assert (health.is_healthy, health.sentence) == (True, "mariadb 1/1, wordpress 1/1")


@pytest.mark.parametrize(
    "wordpress",
    [
        pytest.param(None, id="missing"),
        pytest.param(workload("wordpress", digest="older"), id="another digest"),
        pytest.param(workload("wordpress", observed=0), id="not observed by its controller"),
        pytest.param(workload("wordpress", ready=0), id="not ready"),
    ],
)
def test_an_outdated_or_unready_workload_is_not_healthy(wordpress: dict[str, Any] | None) -> None:
    assert observe(SPEC, DIGEST, observed(workload("mariadb"), wordpress)).is_healthy is False


def test_a_workload_without_pods_is_not_healthy() -> None:
    none = workload("wordpress") | {"spec": {"replicas": 0}}
    none["status"] |= {"replicas": 0, "updatedReplicas": 0, "readyReplicas": 0}
    health = observe(SPEC, DIGEST, observed(workload("mariadb"), none))
    assert (health.is_healthy, health.reason) == (False, "ScaledToZero")
    assert health.sentence == "mariadb 1/1, wordpress 0/0: scaled to 0 replicas"


WAITING = {"name": "wordpress", "image": "shop:1", "restartCount": 3}
# Recorded from containerd 1.6 and a Postgres on a full disk.
PULL = {
    "reason": "ImagePullBackOff",
    "message": 'Back-off pulling image "shop:1": ErrImagePull: failed to pull and unpack image "registry.test/shop:1": '
    'failed to do request: Head "https://registry.test/v2/shop": dial tcp: lookup registry.test: no such host',
}
INSTALL = {"name": "install", "image": "shop:1", "restartCount": 1}
REFUSED = {
    "terminated": {
        "reason": "Error",
        "exitCode": 1,
        "message": "install: waiting for the database wordpress@mariadb/wordpress: Connection refused (2002).\n"
        "install: waiting for the database wordpress@mariadb/wordpress: Access denied for user 'wordpress' (1045).\n"
        "install: the database wordpress@mariadb/wordpress refused the login: Access denied for user "
        "'wordpress'@'10.0.0.1' (1045).\n",
    }
}
SAID = {
    "terminated": {
        "reason": "Error",
        "exitCode": 1,
        "message": "creating files\n2026-11-25 09:51:13.999 UTC [17] FATAL:  could not write: No space left on device\n"
        "initdb: removing data\n",
    }
}


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        pytest.param(
            {"containerStatuses": [{**WAITING, "state": {"waiting": {"reason": "ImagePullBackOff"}}}]},
            "ImagePullBackOff",
            "wordpress 0/1: pod wordpress-abc-x: ImagePullBackOff shop:1",
            id="image",
        ),
        pytest.param(
            {"containerStatuses": [{**WAITING, "state": {"waiting": PULL}}]},
            "ImagePullBackOff",
            "wordpress 0/1: pod wordpress-abc-x: ImagePullBackOff shop:1: dial tcp: lookup registry.test: no such host",
            id="image and why",
        ),
        pytest.param(
            {
                "containerStatuses": [
                    {**WAITING, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": SAID}
                ]
            },
            "CrashLoopBackOff",
            "wordpress 0/1: pod wordpress-abc-x: CrashLoopBackOff container wordpress, 3 restarts, last terminated "
            "with Error: FATAL:  could not write: No space left on device",
            id="what it said last",
        ),
        pytest.param(
            {"containerStatuses": [{**WAITING, "state": {"terminated": {**SAID["terminated"], "message": "Bye."}}}]},
            "Error",
            "wordpress 0/1: pod wordpress-abc-x: Error container wordpress exited with code 1: Bye.",
            id="what it said just now",
        ),
        pytest.param(
            {
                "containerStatuses": [
                    {
                        **WAITING,
                        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                        "lastState": {"terminated": {"reason": "OOMKilled"}},
                    }
                ]
            },
            "CrashLoopBackOff",
            "CrashLoopBackOff container wordpress, 3 restarts, last terminated with OOMKilled",
            id="out of memory",
        ),
        pytest.param(
            {"initContainerStatuses": [{**INSTALL, "state": {"running": {}}, "lastState": REFUSED}]},
            "Initializing",
            "Initializing init container install is running, 1 restart, last terminated with Error: install: the "
            "database wordpress@mariadb/wordpress refused the login: Access denied for user 'wordpress'@'10.0.0.1' "
            "(1045).",
            id="init running again",
        ),
        pytest.param(
            {
                "phase": "Running",
                "conditions": [{"type": "Initialized", "status": "True"}],
                "initContainerStatuses": [{**INSTALL, "name": "sidecar", "state": {"running": {}}}],
                "containerStatuses": [
                    {**WAITING, "ready": True, "lastState": SAID},
                    {**WAITING, "name": "cron", "ready": False, "state": {"running": {}}, "lastState": SAID},
                ],
            },
            "NotReady",
            "NotReady container cron is running again, 3 restarts, last terminated with Error: FATAL:  could not write",
            id="running again",
        ),
        pytest.param(
            {
                "initContainerStatuses": [
                    {"name": "install", "image": "i", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}
                ]
            },
            "Error",
            "container install exited with code 3",
            id="init container",
        ),
        pytest.param(
            # Current kubelets report `started` for every running container.
            {"initContainerStatuses": [{"name": "install", "image": "i", "started": True, "state": {"running": {}}}]},
            "Initializing",
            "init container install is running",
            id="init running",
        ),
        pytest.param(
            {
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}
                ]
            },
            "Unschedulable",
            "Unschedulable 0/1 nodes (volume claims pending: uploads)",
            id="unschedulable",
        ),
        pytest.param({"phase": "Running"}, "NotReady", "the readiness probe does not pass yet", id="probe"),
    ],
)
def test_the_message_names_the_pod_and_the_cause(status: dict[str, Any], reason: str, words: str) -> None:
    broken = pod("wordpress-abc-x", "wordpress-abc", **status)
    seen = observed(workload("mariadb"), workload("wordpress", ready=0), broken, claims=["uploads"])
    health = observe(SPEC, DIGEST, seen)
    assert health.reason == reason
    assert words in health.sentence
    assert health.sentence.startswith("mariadb 1/1, wordpress 0/1: pod wordpress-abc-x: ")


def test_a_pod_of_another_workload_with_a_similar_name_is_ignored() -> None:
    other = pod("wordpress-cron-abc-x", "wordpress-cron-abc", phase="Running")
    health = observe(SPEC, DIGEST, observed(workload("mariadb"), workload("wordpress", ready=0), other))
    assert "wordpress-cron" not in health.sentence


def test_a_refused_pod_is_explained_by_its_controller() -> None:
    wordpress = workload("wordpress", ready=0)
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}
    wordpress["status"]["conditions"] = [failure]
    health = observe(SPEC, DIGEST, observed(workload("mariadb"), wordpress))
    assert health.reason == "FailedCreate"
    assert "exceeded quota" in health.sentence
