"""What people meet: each failure of a real container gives the sentence that an operator needs."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.asking import ask
from tests.kubectl import Kubectl, wait_for
from tests.node import images, layout
from tests.node.node import Node
from tests.node.platform import NodePlatform

pytestmark = [pytest.mark.node, pytest.mark.timeout(900)]
# A provision that cannot succeed is Failed after this; long enough for a database to come up on a busy machine.
PATIENCE = "60"


@pytest.fixture(autouse=True)
def databases(node: Node, say: Callable[[str], None]) -> None:
    """The images that the stores of these tests have; their backend's is missing throughout."""
    images.load_images(node, [images.POSTGRES, images.REDIS], say)


@pytest.fixture
def serve(node: Node, node_kubectl: Kubectl, store_id: str, tmp_path: Path) -> Iterator[Callable[..., NodePlatform]]:
    """A platform with settings of its own, and the end of the store afterwards."""
    started: list[NodePlatform] = []

    def start(**environ: str) -> NodePlatform:
        platform = NodePlatform(node, node_kubectl, tmp_path, MAX_PROVISION_SECONDS=PATIENCE, **environ)
        started.append(platform)
        platform.start()
        return platform

    yield start
    for platform in started:
        platform.call("DELETE", f"/stores/{store_id}")
        platform.wait_until_gone(store_id)
        platform.stop()


def wait_for_error(platform: NodePlatform, store_id: str) -> str:
    """Wait until the store is Failed and return the message of its error."""
    store = platform.wait_for_phase(store_id, "Failed", seconds=240)
    assert store["lastError"]["hint"]
    return str(store["lastError"]["message"])


def container_states(kubectl: Kubectl, store_id: str) -> list[Any]:
    """Return the states of every container of a store."""
    pods = kubectl.run("get", "pods", "-n", f"store-{store_id}", "-o", "json")
    found = []
    for pod in json.loads(pods)["items"]:
        status = pod.get("status") or {}
        for kind in ("initContainerStatuses", "containerStatuses"):
            found += [status_of | {"pod": pod["metadata"]["name"]} for status_of in status.get(kind, ())]
    return found


def told_after(
    platform: NodePlatform, store_id: str, knows: Callable[[], bool], words: str, say: Callable[[str], None]
) -> None:
    """Wait until the cluster knows something and the store says it; tell how long the store took."""
    wait_for(knows, f"the cluster to know of {words!r}", seconds=180)
    began = time.monotonic()
    platform.wait_for_words(store_id, words)
    say(f"{words!r} was said {time.monotonic() - began:.1f} s after the cluster knew")


def is_waiting_for(kubectl: Kubectl, store_id: str, reason: str) -> bool:
    """Return whether some container waits for a reason."""
    states = [each["state"].get("waiting") or {} for each in container_states(kubectl, store_id)]
    return any(state.get("reason") == reason for state in states)


def test_an_image_that_cannot_be_pulled_is_named_with_the_cause(
    serve: Callable[..., NodePlatform], node_kubectl: Kubectl, store_id: str, say: Callable[[str], None]
) -> None:
    platform = serve()
    image = {"repository": "urumi/medusa-backend", "tag": "0.0.0-missing"}
    ask(node_kubectl, platform, store_id, "medusa", backend={"image": image})
    knows = lambda: is_waiting_for(node_kubectl, store_id, "ImagePullBackOff")  # noqa: E731
    told_after(platform, store_id, knows, "urumi/medusa-backend:0.0.0-missing", say)
    message = wait_for_error(platform, store_id)
    assert re.search(r"(ErrImagePull|ImagePullBackOff) urumi/medusa-backend:0\.0\.0-missing: .*no such host", message)
    assert "postgres 1/1" in message


def test_a_container_that_outgrows_its_memory_is_said_to(
    serve: Callable[..., NodePlatform], node_kubectl: Kubectl, store_id: str, say: Callable[[str], None]
) -> None:
    platform = serve()
    little = {"requests": {"cpu": "50m", "memory": "12Mi"}, "limits": {"cpu": "500m", "memory": "12Mi"}}
    ask(node_kubectl, platform, store_id, "medusa", postgres={"resources": little})

    def knows() -> bool:
        states = container_states(node_kubectl, store_id)
        ended = [(each.get(kind) or {}).get("terminated") or {} for each in states for kind in ("state", "lastState")]
        return any(each.get("reason") == "OOMKilled" for each in ended)

    told_after(platform, store_id, knows, "OOMKilled", say)
    message = wait_for_error(platform, store_id)
    assert "OOMKilled" in message
    assert "postgres 0/1" in message


def test_a_quota_that_is_too_small_is_said_with_its_numbers(
    serve: Callable[..., NodePlatform], node_kubectl: Kubectl, store_id: str, say: Callable[[str], None]
) -> None:
    platform = serve(STORE_QUOTA="requests.memory=128Mi")
    platform.create(store_id, "medusa")

    def knows() -> bool:
        return "exceeded quota" in node_kubectl.run("get", "events", "-n", f"store-{store_id}")

    told_after(platform, store_id, knows, "exceeded quota", say)
    message = wait_for_error(platform, store_id)
    assert "exceeded quota" in message
    assert "requests.memory=128Mi" in message


def test_a_volume_that_is_full_is_said_by_the_one_that_fills_it(
    node: Node, serve: Callable[..., NodePlatform], node_kubectl: Kubectl, store_id: str, say: Callable[[str], None]
) -> None:
    storage_class = f"small-{store_id}"
    for item in small_volumes(node, storage_class):
        node_kubectl.apply(item)
    platform = serve(STORAGE_CLASS=storage_class)
    platform.create(store_id, "medusa")

    def knows() -> bool:
        logs = node_kubectl.attempt("logs", "-n", f"store-{store_id}", "postgres-0", "--previous").stdout
        return "No space left on device" in logs

    told_after(platform, store_id, knows, "No space left on device", say)
    assert "No space left on device" in wait_for_error(platform, store_id)


def small_volumes(node: Node, storage_class: str) -> list[dict[str, Any]]:
    """Return a storage class and two volumes of it that hold far less than they promise."""
    items: list[dict[str, Any]] = [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": storage_class},
            "provisioner": "kubernetes.io/no-provisioner",
            "volumeBindingMode": "WaitForFirstConsumer",
        }
    ]
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [layout.NODE]}
    for number in range(2):
        name = f"{storage_class}-{number}"
        path = node.folder.volumes / name
        node.inside("mkdir", str(path))
        node.inside("mount", "-t", "tmpfs", "-o", "size=16m,mode=777", "tmpfs", str(path))
        spec = {
            "capacity": {"storage": "5Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": storage_class,
            "persistentVolumeReclaimPolicy": "Retain",
            "local": {"path": str(path)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        }
        items.append({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec})
    return items
