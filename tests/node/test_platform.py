"""The platform as it runs in a cluster: pods of its own image, its chart's account and permissions, callers with RBAC.

Stores are requested by REST and followed by WebSocket; kubectl only injects failures. Stock WordPress replaces the
shop's image under the same name; it sells nothing, so the storefront check is off.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from cluster.node.images.image import load_images
from cluster.node.images.official import MARIADB
from cluster.node.node import Node
from testing.accounts import Account
from testing.frames import read_frame
from testing.kubectl import Kubectl, wait_for
from testing.node.availability import AvailabilityProbe
from testing.node.images import WOOCOMMERCE_NAME, WORDPRESS
from testing.node.platform import InstalledPlatform
from testing.store_objects import events_of
from urumi.store import namespace_name
from urumi.wire import SUBPROTOCOL

pytestmark = [pytest.mark.node, pytest.mark.timeout(900)]
SHOP = "followed"
READY_SECONDS = 300.0
MIB = 1 << 20


@pytest.fixture(scope="module")
def platform(node: Node, installed: InstalledPlatform, say: Callable[[str], None]) -> Iterator[InstalledPlatform]:
    """The installed platform without storefront checks; its default settings are restored afterwards.

    Its stores are deleted while the next tests run.
    """
    load_images(node, [MARIADB, WORDPRESS], say)
    node.containers.tag(WORDPRESS.full_name(), WOOCOMMERCE_NAME)
    installed.upgrade(STOREFRONT_CHECK="off")
    yield installed
    for store in installed.call("GET", "/stores")[1]["items"]:
        installed.call("DELETE", f"/stores/{store['storeId']}")
    if installed.config:
        installed.upgrade()


@pytest.fixture(scope="module")
def followed(platform: InstalledPlatform) -> list[Any]:
    """Every state of a store until it is Ready, from a live subscription."""
    headers = {"Authorization": f"Bearer {platform.token}"}
    url = platform.url.replace("http", "ws") + "/ws"
    with connect(url, additional_headers=headers, subprotocols=[Subprotocol(SUBPROTOCOL)]) as socket:
        socket.send(json.dumps({"type": "subscribe", "stores": "all"}))
        platform.create(SHOP)
        states: list[Any] = []

        def is_ready() -> bool:
            frame = read_frame(socket.recv(60))
            store = frame.get("store") or {}
            if store.get("storeId") == SHOP:
                states.append(store)
            return store.get("phase") == "Ready"

        wait_for(is_ready, f"a live frame with {SHOP} Ready", READY_SECONDS)
    return states


def refusals(platform: InstalledPlatform) -> list[str]:
    """Return the log lines of the pods about missing permissions."""
    return [line for line in platform.logs().splitlines() if "forbidden" in line.lower() or '"status": 403' in line]


def run_in_pod(kubectl: Kubectl, platform: InstalledPlatform, pod: str, script: str) -> str:
    """Run a shell script in a pod of the platform and return its standard output and error."""
    done = kubectl.attempt("exec", "-n", platform.namespace, pod, "--", "sh", "-c", f"exec 2>&1; {script}")
    return done.stdout.strip()


def containers(kubectl: Kubectl, store_id: str) -> dict[str, Any]:
    """Return the containers of a store's pods, with their restart counts and states."""
    pods = json.loads(kubectl.run("get", "pods", "-n", namespace_name(store_id), "-o", "json"))["items"]
    return {
        f"{pod['metadata']['uid']} {status['name']}": (status["restartCount"], status["state"])
        for pod in pods
        for status in pod["status"]["containerStatuses"]
    }


def work_on(store: Any) -> dict[str, int]:
    """Return the work done on a store: the revision of its release, and the number of events of each type."""
    kinds = ("ProvisioningStarted", "HelmInstallStarted", "DriftCorrected")
    return {"revision": store["release"]["revision"], **{kind: len(events_of(store, kind)) for kind in kinds}}


def create_with_retries(platform: InstalledPlatform, store_id: str) -> None:
    """Request a store until it is accepted; a pod that is being deleted may return 503 with a hint."""

    def is_accepted() -> bool:
        status, answer = platform.call("POST", "/stores", {"storeId": store_id, "engine": "woocommerce"})
        assert status in (200, 202) or (status == 503 and answer["hint"].startswith("Try again")), answer
        return status != 503

    wait_for(is_accepted, f"the store {store_id} to be accepted")


def print_timeline(store: Any, say: Callable[[str], None]) -> None:
    """Print the timeline of a store."""
    for event in store["events"]:
        say(f"{event['timestamp']} {event['type']}: {event['message']}")


def test_both_pods_are_ready_and_one_of_them_leads(platform: InstalledPlatform) -> None:
    assert len(platform.pods()) == 2

    def one_leads() -> bool:
        leads = {pod: platform.at(pod).is_leading() for pod in platform.pods()}
        return any(leads.values()) and leads == {pod: pod == platform.leader() for pod in leads}

    wait_for(one_leads, "exactly the pod that holds the Lease to lead")


def test_helm_test_passes(platform: InstalledPlatform) -> None:
    assert "Succeeded" in platform.helm("test", "urumi")


def test_a_pod_runs_without_privileges_on_a_read_only_filesystem(
    platform: InstalledPlatform, node_kubectl: Kubectl
) -> None:
    for pod in platform.pods():
        assert run_in_pod(node_kubectl, platform, pod, "id -u") == "10001"
        assert run_in_pod(node_kubectl, platform, pod, "grep CapEff /proc/1/status").split() == ["CapEff:", "0" * 16]
        assert "Read-only file system" in run_in_pod(node_kubectl, platform, pod, "touch /usr/share/urumi/mark")


def test_a_viewer_who_creates_a_store_gets_the_missing_permission(
    platform: InstalledPlatform, node_kubectl: Kubectl
) -> None:
    viewer = Account(node_kubectl, platform.namespace, "viewer", "urumi-viewer")
    wait_for(lambda: platform.call("GET", "/stores", **viewer.bearer)[0] == 200, "the viewer to be authorized")
    body = {"storeId": "viewed", "engine": "woocommerce"}
    status, problem = platform.call("POST", "/stores", body, **viewer.bearer)
    assert status == 403
    assert (
        problem["detail"]
        == f"Permission denied: {viewer.user} needs `create` on stores in namespace {platform.namespace}."
    )
    assert "urumi-operator" in problem["hint"]


def test_a_store_is_followed_live_from_the_request_to_ready(
    platform: InstalledPlatform, followed: list[Any], node_kubectl: Kubectl, say: Callable[[str], None]
) -> None:
    phases = [store["phase"] for store in followed]
    assert sorted(phases, key=["Pending", "Provisioning", "Ready"].index) == phases
    messages = list(dict.fromkeys((store.get("progress") or {}).get("message", "") for store in followed))
    for words in ("installing chart", "mariadb 0/1", "mariadb 1/1, wordpress 0/1"):
        assert [message for message in messages if words in message], messages
    types = [event["type"] for event in followed[-1]["events"]]
    assert types[0] == "ProvisioningStarted"
    assert types[-1] == "Ready"
    assert not {"AttemptFailed", "Failed"} & set(types)
    assert platform.call("POST", f"/stores/{SHOP}/credentials")[1]["username"]
    print_timeline(followed[-1], say)
    assert refusals(platform) == []


def test_a_leader_killed_during_a_provision_is_replaced(
    platform: InstalledPlatform, followed: list[Any], node_kubectl: Kubectl, store_id: str, say: Callable[[str], None]
) -> None:
    before = containers(node_kubectl, SHOP)
    second = f"{store_id}-2"
    platform.create(store_id)
    platform.wait_for_message(store_id, "waiting for mariadb")
    with AvailabilityProbe(platform) as probe:
        platform.kill(platform.leader())
        platform.create(second)
        stores = [platform.wait_for_phase(each, "Ready", READY_SECONDS) for each in (store_id, second)]
    say(f"While the leader was killed: {probe.sentence()}.")
    for store in stores:
        print_timeline(store, say)
    assert probe.answers
    assert probe.unexplained() == []
    assert work_on(stores[0]) == {"revision": 1, "ProvisioningStarted": 1, "HelmInstallStarted": 1, "DriftCorrected": 0}
    assert events_of(stores[0], "TakenOver")
    assert not [store for store in stores if events_of(store, "AttemptFailed")]
    assert containers(node_kubectl, SHOP) == before
    platform.wait_until_ready()
    assert refusals(platform) == []


def test_a_leader_whose_pod_is_deleted_by_force_is_replaced(
    platform: InstalledPlatform, followed: list[Any], node_kubectl: Kubectl, say: Callable[[str], None]
) -> None:
    deleted, before = platform.leader(), containers(node_kubectl, SHOP)
    with AvailabilityProbe(platform) as probe:
        node_kubectl.run("delete", "pod", "-n", platform.namespace, deleted, "--force", "--grace-period=0")
        create_with_retries(platform, "torn")
        assert platform.leader() != deleted
        platform.wait_until_ready()
    say(f"While the leader's pod was deleted by force: {probe.sentence()}.")
    assert probe.answers
    assert probe.unexplained() == []
    assert containers(node_kubectl, SHOP) == before
    assert platform.call("DELETE", "/stores/torn")[0] == 202
    assert refusals(platform) == []


def test_an_upgrade_of_the_platform_changes_no_store_and_interrupts_no_caller(
    platform: InstalledPlatform, followed: list[Any], node_kubectl: Kubectl, say: Callable[[str], None]
) -> None:
    pods, running, done = platform.pods(), containers(node_kubectl, SHOP), work_on(platform.store(SHOP))
    with AvailabilityProbe(platform) as probe:
        platform.upgrade()
        wait_for(lambda: platform.leader() not in pods, "a new pod to lead")
    say(f"While the platform was upgraded: {probe.sentence()}.")
    assert not set(pods) & set(platform.pods())
    assert containers(node_kubectl, SHOP) == running
    assert work_on(platform.store(SHOP)) == done
    assert probe.unexplained() == []
    assert refusals(platform) == []


def test_a_pod_exports_its_memory_use_and_stays_below_the_limit(
    platform: InstalledPlatform, say: Callable[[str], None]
) -> None:
    for pod in platform.pods():
        text = platform.at(pod).request_text("GET", "/metrics")[1]
        found = next(line for line in text.splitlines() if line.startswith("process_resident_memory_bytes "))
        memory = float(found.split()[1])
        say(f"{pod} uses {memory / MIB:.0f} MiB")
        assert memory < 150 * MIB
