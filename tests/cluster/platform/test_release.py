"""The release: its token, its installation, and the reasons why its pods are not ready."""

import json
from typing import Any

import pytest

from cluster.errors import ClusterError
from cluster.platform.clients import Clients
from cluster.platform.release import Release
from tests.cluster.platform.conftest import Machine


@pytest.fixture
def release(machine: Machine) -> Release:
    """The release on the cluster of the substitutes."""
    return Release(Clients.find(machine.place.root, machine.console.say), machine.console.say)


def pods(*status: Any) -> str:
    """Return a list of pods with these statuses as kubectl prints it."""
    return json.dumps({"items": [{"status": each} for each in status]})


def waiting(reason: str, message: str = "", exit_code: int | None = None) -> Any:
    """Return the status of a pod whose container waits, after it exited."""
    ended = {} if exit_code is None else {"terminated": {"exitCode": exit_code}}
    state = {"waiting": {"reason": reason, "message": message}}
    return {"phase": "Pending", "containerStatuses": [{"state": state, "lastState": ended}]}


READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
UNSCHEDULABLE = {
    "phase": "Pending",
    "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes: no cpu"}
    ],
}


@pytest.mark.parametrize(
    ("statuses", "reason"),
    [
        ([], "no pod yet"),
        (
            [waiting("ImagePullBackOff", 'Back-off pulling "urumi:1"')] * 2,
            'ImagePullBackOff Back-off pulling "urumi:1"',
        ),
        ([waiting("CrashLoopBackOff", "back-off 10s", 78), READY], "CrashLoopBackOff (exit code 78) back-off 10s"),
        (
            [waiting("CreateContainerConfigError", 'secret "urumi-token" not found'), UNSCHEDULABLE],
            'CreateContainerConfigError secret "urumi-token" not found; Unschedulable 0/1 nodes: no cpu',
        ),
        ([{"phase": "Running", "containerStatuses": [{"state": {"running": {}}}]}], "Running, not ready"),
    ],
)
def test_the_reason_is_that_of_the_pods_that_are_not_ready(
    machine: Machine, release: Release, statuses: list[Any], reason: str
) -> None:
    machine.answer("pods", pods(*statuses))
    assert release.reason() == reason


def test_pods_that_the_cluster_refuses_to_create_are_explained(machine: Machine, release: Release) -> None:
    refused = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: small"}
    machine.answer("replicasets", json.dumps({"items": [{"status": {"conditions": [refused]}}]}))
    assert release.reason() == "FailedCreate exceeded quota: small"


def test_a_wait_that_is_too_long_ends_with_the_reason_and_two_commands(machine: Machine, release: Release) -> None:
    machine.set(ROLLOUT_CODE="1", URUMI_ROLLOUT_SECONDS="1")
    machine.answer("pods", pods(waiting("ImagePullBackOff", "no such image")))
    with pytest.raises(ClusterError) as caught:
        release.wait()
    assert "      waiting for the server's pods, 0 s: ImagePullBackOff no such image" in machine.console.lines
    words = caught.value.sentence()
    assert words.startswith("The server is not ready after 1 s: ImagePullBackOff no such image. Run: kubectl -n store-")
    assert words.endswith("To roll back: helm -n store-platform rollback urumi")


def test_a_given_token_travels_on_standard_input_only(machine: Machine, release: Release) -> None:
    release.ensure_token("a-secret-token")
    assert [line for line in machine.calls if "a-secret-token" in line] == ["a-secret-token"]


def test_an_existing_token_is_kept_and_read(machine: Machine, release: Release) -> None:
    machine.set(TOKEN_CODE="0")
    release.ensure_token("another")
    assert release.read_token() == "the-token"
    assert [line for line in machine.changes if "create secret" in line] == []


@pytest.mark.parametrize("data", ["AA==AA", "gA=="], ids=["not base64", "not text"])
def test_a_secret_without_a_token_is_refused(machine: Machine, release: Release, data: str) -> None:
    machine.set(TOKEN_DATA=data)
    with pytest.raises(ClusterError, match="has no key `token` with text in it") as caught:
        release.read_token()
    assert data not in caught.value.sentence()


def test_a_refused_change_refers_to_the_message_above(machine: Machine, release: Release) -> None:
    machine.set(HELM_CODE="1", NAMESPACE_CODE="1", CREATE_CODE="1")
    with pytest.raises(ClusterError, match="Helm could not install charts/platform: see its message above"):
        release.apply()
    with pytest.raises(ClusterError, match="The namespace store-platform could not be created: see kubectl's message"):
        release.ensure_token()


def test_the_namespace_is_the_one_of_the_variable(machine: Machine) -> None:
    machine.set(PLATFORM_NAMESPACE="shops-eu")
    release = Release(Clients.find(machine.place.root, machine.console.say), machine.console.say)
    release.apply("--set", "a=b")
    assert machine.calls[-1] == (
        "helm upgrade --install urumi charts/platform --namespace shops-eu --take-ownership --force-conflicts --set a=b"
    )
