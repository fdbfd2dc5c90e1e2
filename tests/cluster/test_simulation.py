"""The simulated life of pods and volumes, and the rules that the API server enforces."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from testing.kubectl import Kubectl, wait_for
from tests.cluster.running import RunningCluster

BEHAVIOUR = "simulate.urumi.ai/behaviour"
READY_AFTER = "simulate.urumi.ai/ready-after"
IMAGE = "registry.example/web:1.2"


@pytest.fixture
def kubectl(shared: RunningCluster) -> Kubectl:
    """kubectl against the shared cluster."""
    return shared.kubectl


@pytest.fixture
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """A namespace for one test."""
    name = f"t-{secrets.token_hex(4)}"
    kubectl.run("create", "namespace", name)
    # Without this account no pod is admitted.
    wait_for(lambda: kubectl.get("serviceaccount", "default", name), "the namespace's service account")
    yield name
    kubectl.run("delete", "namespace", name, "--wait=false")


def pod(namespace: str, restart_policy: str = "Always", **annotations: str) -> dict[str, Any]:
    """A pod with two containers, an init container and a sidecar."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": namespace, "annotations": annotations},
        "spec": {
            "restartPolicy": restart_policy,
            "terminationGracePeriodSeconds": 30,
            "initContainers": [
                {"name": "init", "image": IMAGE},
                {"name": "sidecar", "image": IMAGE, "restartPolicy": "Always"},
            ],
            "containers": [{"name": "web", "image": IMAGE}, {"name": "metrics", "image": IMAGE}],
        },
    }


def conditions(status: Any) -> dict[str, str]:
    """The conditions of a pod."""
    return {item["type"]: item["status"] for item in status.get("conditions", [])}


def container_states(status: Any, kind: str = "containerStatuses") -> dict[str, str]:
    """The state of each container; of a waiting or ended one its reason."""
    states = {}
    for item in status.get(kind, []):
        [(state, details)] = item["state"].items()
        states[item["name"]] = details.get("reason", state)
    return states


def wait_for_pod(kubectl: Kubectl, namespace: str, **expected: str) -> Any:
    """Wait until every container has the expected state and return the pod's status."""

    def matching_status() -> Any:
        status = kubectl.get("pod", "p", namespace)["status"]
        return status if container_states(status) == expected else None

    return wait_for(matching_status, f"containers {expected}", seconds=20)


def test_a_pod_is_ready_at_once_with_all_its_containers(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply(pod(namespace))
    status = wait_for_pod(kubectl, namespace, web="running", metrics="running")
    assert status["phase"] == "Running"
    assert all(item["ready"] and item["started"] for item in status["containerStatuses"])
    assert container_states(status, "initContainerStatuses") == {"init": "Completed", "sidecar": "running"}
    assert conditions(status)["Ready"] == "True"
    assert status["podIP"]
    ready = next(item for item in status["conditions"] if item["type"] == "Ready")
    assert "simulated" in ready["message"]


def test_a_crashing_pod_backs_off_and_its_restarts_rise(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply(pod(namespace, **{BEHAVIOUR: "crash"}))
    backing_off = {"web": "CrashLoopBackOff", "metrics": "CrashLoopBackOff"}
    first = wait_for_pod(kubectl, namespace, **backing_off)["containerStatuses"][0]
    assert "restarting failed container=web pod=p_" in first["state"]["waiting"]["message"]
    assert first["lastState"]["terminated"]["exitCode"] == 1
    assert not first["ready"]

    def restarted() -> bool:
        again = kubectl.get("pod", "p", namespace)["status"]["containerStatuses"][0]
        return bool(again["restartCount"] > first["restartCount"])

    wait_for(restarted, "a restart", seconds=20)


def test_an_image_that_cannot_be_pulled_is_named(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply(pod(namespace, **{BEHAVIOUR: "image-pull"}))
    status = wait_for_pod(kubectl, namespace, web="ImagePullBackOff", metrics="ImagePullBackOff")
    assert status["phase"] == "Pending"
    assert f'Back-off pulling image "{IMAGE}"' in status["containerStatuses"][0]["state"]["waiting"]["message"]


def test_a_pod_that_is_never_ready_runs_and_reports_the_unready_containers(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply(pod(namespace, **{BEHAVIOUR: "never-ready"}))
    status = wait_for_pod(kubectl, namespace, web="running", metrics="running")
    assert [item["ready"] for item in status["containerStatuses"]] == [False, False]
    ready = next(item for item in status["conditions"] if item["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "ContainersNotReady")
    assert ready["message"] == "containers with unready status: [web metrics]"


def test_a_failing_pod_recovers_when_its_annotation_is_removed(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply(pod(namespace, **{BEHAVIOUR: "never-ready"}))
    wait_for_pod(kubectl, namespace, web="running", metrics="running")
    kubectl.run("annotate", "pod", "p", "-n", namespace, f"{BEHAVIOUR}-")

    def is_ready() -> bool:
        return conditions(kubectl.get("pod", "p", namespace)["status"])["Ready"] == "True"

    wait_for(is_ready, "the pod to be ready", seconds=20)


def test_a_slow_pod_is_seen_starting_before_it_is_ready(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply(pod(namespace, **{READY_AFTER: "2s"}))
    starting = wait_for_pod(kubectl, namespace, web="PodInitializing", metrics="PodInitializing")
    assert starting["phase"] == "Pending"
    assert container_states(starting, "initContainerStatuses") == {
        "init": "PodInitializing",
        "sidecar": "PodInitializing",
    }
    assert conditions(wait_for_pod(kubectl, namespace, web="running", metrics="running"))["Ready"] == "True"


def test_slow_alone_means_five_seconds(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply(pod(namespace, **{BEHAVIOUR: "slow"}))
    status = wait_for_pod(kubectl, namespace, web="running", metrics="running")
    started, ready = status["startTime"], status["containerStatuses"][0]["state"]["running"]["startedAt"]
    assert 4 <= int(ready[17:19]) - int(started[17:19]) + (60 if ready[17:19] < started[17:19] else 0) <= 8


def test_an_unknown_behaviour_is_reported(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply(pod(namespace, **{BEHAVIOUR: "chaos"}))
    unknown = {"web": "CreateContainerConfigError", "metrics": "CreateContainerConfigError"}
    waiting = wait_for_pod(kubectl, namespace, **unknown)["containerStatuses"][0]["state"]["waiting"]
    assert waiting["message"].startswith(f'{BEHAVIOUR} is "chaos", expected ready, slow, crash')


@pytest.mark.parametrize(
    ("behaviour", "phase", "state"), [("ready", "Succeeded", "Completed"), ("crash", "Failed", "Error")]
)
def test_a_pod_that_is_meant_to_end_does(
    kubectl: Kubectl, namespace: str, behaviour: str, phase: str, state: str
) -> None:
    kubectl.apply(pod(namespace, "Never", **{BEHAVIOUR: behaviour}))
    assert wait_for_pod(kubectl, namespace, web=state, metrics=state)["phase"] == phase


def test_a_job_completes_and_leaves_nothing_when_deleted(kubectl: Kubectl, namespace: str) -> None:
    template = {"spec": {"restartPolicy": "OnFailure", "containers": [{"name": "c", "image": IMAGE}]}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": namespace}}
    kubectl.apply({**job, "spec": {"template": template}})
    wait_for(lambda: kubectl.get("job", "j", namespace)["status"].get("succeeded") == 1, "the job")
    kubectl.run("delete", "job", "j", "-n", namespace)
    wait_for(lambda: not kubectl.names("pods", namespace), "its pods to go")


def test_the_pods_of_a_running_job_are_deleted_with_it(kubectl: Kubectl, namespace: str) -> None:
    spec = {"restartPolicy": "Never", "containers": [{"name": "c", "image": IMAGE}]}
    template = {"metadata": {"annotations": {BEHAVIOUR: "never-ready"}}, "spec": spec}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": namespace}}
    kubectl.apply({**job, "spec": {"template": template}})
    wait_for(lambda: kubectl.names("pods", namespace), "a pod")
    kubectl.run("delete", "job", "j", "-n", namespace)
    wait_for(lambda: not kubectl.names("pods", namespace), "the pod to go")


def test_a_deployment_becomes_ready_and_its_deleted_pods_are_replaced(kubectl: Kubectl, namespace: str) -> None:
    labels = {"app": "d"}
    spec = {
        "replicas": 3,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": IMAGE}]}},
    }
    meta = {"name": "d", "namespace": namespace}
    kubectl.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec})
    kubectl.run("rollout", "status", "deployment/d", "-n", namespace, "--timeout=60s")
    before = kubectl.names("pods", namespace)
    kubectl.run("delete", "pods", "--all", "-n", namespace)
    kubectl.run("rollout", "status", "deployment/d", "-n", namespace, "--timeout=60s")
    assert len(before) == 3
    assert not before & kubectl.names("pods", namespace)


def test_a_claim_without_a_class_is_bound_and_its_volume_is_deleted_with_it(kubectl: Kubectl, namespace: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "3Gi"}}}
    meta = {"name": "c", "namespace": namespace}
    kubectl.apply({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec})
    wait_for(lambda: kubectl.get("pvc", "c", namespace)["status"]["phase"] == "Bound", "the claim to be bound")
    claim = kubectl.get("pvc", "c", namespace)
    volume = kubectl.get("pv", claim["spec"]["volumeName"])
    assert claim["spec"]["storageClassName"] == "standard"
    assert claim["status"]["capacity"] == {"storage": "3Gi"}
    assert volume["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"]
    kubectl.run("delete", "pvc", "c", "-n", namespace)
    wait_for(lambda: kubectl.get("pv", volume["metadata"]["name"]) is None, "the volume to go")


def test_a_claim_that_a_pod_uses_stays_until_the_pod_is_gone(kubectl: Kubectl, namespace: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    meta = {"name": "c", "namespace": namespace}
    kubectl.apply({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec})
    user = pod(namespace)
    user["spec"]["volumes"] = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
    kubectl.apply(user)
    wait_for_pod(kubectl, namespace, web="running", metrics="running")
    kubectl.run("delete", "pvc", "c", "-n", namespace, "--wait=false")
    assert kubectl.get("pvc", "c", namespace)["metadata"]["deletionTimestamp"]
    kubectl.run("delete", "pod", "p", "-n", namespace)
    wait_for(lambda: kubectl.get("pvc", "c", namespace) is None, "the claim to go")


def test_quota_and_limits_are_enforced(kubectl: Kubectl, namespace: str) -> None:
    limits = [{"type": "Container", "defaultRequest": {"memory": "64Mi"}}]
    for kind, spec in (("ResourceQuota", {"hard": {"pods": "0"}}), ("LimitRange", {"limits": limits})):
        meta = {"name": "x", "namespace": namespace}
        kubectl.apply({"apiVersion": "v1", "kind": kind, "metadata": meta, "spec": spec})
    wait_for(lambda: kubectl.get("quota", "x", namespace).get("status", {}).get("hard"), "the quota to count")
    refused = kubectl.attempt("apply", "-f", "-", given=pod(namespace))
    assert "exceeded quota: x" in refused.stderr
    dry_run = kubectl.attempt("create", "-f", "-", "--dry-run=server", "-o", "json", given=pod(namespace))
    assert dry_run.returncode != 0
    kubectl.run("delete", "quota", "x", "-n", namespace)
    admitted = json.loads(kubectl.attempt("create", "-f", "-", "-o", "json", given=pod(namespace)).stdout)
    assert admitted["spec"]["containers"][0]["resources"]["requests"] == {"memory": "64Mi"}


def test_pod_security_is_enforced(kubectl: Kubectl, namespace: str) -> None:
    kubectl.run("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    refused = kubectl.attempt("apply", "-f", "-", given=pod(namespace))
    assert 'violates PodSecurity "restricted:latest"' in refused.stderr


def test_the_node_is_labelled_as_simulated_and_accepts_a_thousand_pods(kubectl: Kubectl) -> None:
    node = kubectl.get("node", "urumi-node-0")
    ready = next(item for item in node["status"]["conditions"] if item["type"] == "Ready")
    assert (ready["status"], "simulated" in ready["message"]) == ("True", True)
    assert node["status"]["allocatable"]["pods"] == "1k"
    assert node["metadata"]["annotations"]["kwok.x-k8s.io/node"] == "fake"
