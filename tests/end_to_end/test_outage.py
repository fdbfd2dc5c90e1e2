"""The Kubernetes API becomes unreachable for the server, and returns: the live feed reports both immediately."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cluster.local.cluster import ClusterInfo
from testing.faults.proxy import ApiProxy
from testing.kubectl import Kubectl
from testing.serve import ServerProcess
from urumi.config import Target
from urumi.live import FeedEvent, Heartbeat, LiveFeed, StoreSnapshot

pytestmark = pytest.mark.anyio


async def until_heartbeat(events: AsyncIterator[FeedEvent], *, has_error: bool) -> tuple[Heartbeat, list[FeedEvent]]:
    """Return the first heartbeat with or without a cluster error, and the events before it."""
    before: list[FeedEvent] = []
    async for event in events:
        if isinstance(event, Heartbeat) and bool(event.cluster_error) == has_error:
            return event, before
        before.append(event)
    raise AssertionError("the feed ended")


@pytest.mark.parametrize("fault", ["nothing listens", "nothing passes"])
async def test_an_unreachable_api_server_and_its_return_are_reported(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, store_id: str, fault: str
) -> None:
    with ApiProxy(local_cluster, tmp_path) as proxy, ServerProcess(proxy.cluster, kubectl, tmp_path) as server:
        server.create(store_id)
        server.wait_for_phase(store_id, "Ready")
        events = LiveFeed(Target(server.url, server.token)).events()
        heartbeat, before = await until_heartbeat(events, has_error=False)
        assert any(isinstance(event, StoreSnapshot) for event in before)
        with proxy.cutting() if fault == "nothing listens" else proxy.black_hole():
            heartbeat, _ = await until_heartbeat(events, has_error=True)
            assert re.match(r"The Kubernetes API at http://127.0.0.1:\d+ does not answer: .", heartbeat.cluster_error)
            kubectl.run("annotate", "store", store_id, "-n", server.namespace, "changed=unseen")
            kubectl.run("patch", "store", store_id, "-n", server.namespace, "--type=merge", "-p", EDIT)
        _, events_since = await until_heartbeat(events, has_error=False)
        await events.aclose()
        changed = server.wait_for_phase(store_id, "Ready")
        assert changed["generation"] == changed["observedGeneration"] == 2
        assert not any(isinstance(event, StoreSnapshot) for event in events_since), (
            "the connection of the live feed was lost, although only the cluster was unreachable"
        )


EDIT = '{"spec": {"values": {"podAnnotations": {"edited": "meanwhile"}}}}'
