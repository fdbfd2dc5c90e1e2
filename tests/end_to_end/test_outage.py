"""The Kubernetes API gets out of the server's reach: whoever watches is told at once, and of its return as well."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cluster.local import ClusterInfo
from testing.faults.proxy import ApiProxy
from testing.kubectl import Kubectl
from testing.serve import ServerProcess
from urumi.config import Target
from urumi.live import FeedEvent, Heartbeat, LiveFeed, StoreSnapshot

pytestmark = pytest.mark.anyio


async def until_heard(events: AsyncIterator[FeedEvent], *, in_trouble: bool) -> tuple[Heartbeat, list[FeedEvent]]:
    """Return the first word of the server that says so, and what came before it."""
    before: list[FeedEvent] = []
    async for event in events:
        if isinstance(event, Heartbeat) and bool(event.cluster_error) == in_trouble:
            return event, before
        before.append(event)
    raise AssertionError("the feed ended")


@pytest.mark.parametrize("fault", ["nothing listens", "nothing passes"])
async def test_an_api_server_out_of_reach_is_told_and_so_is_its_return(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, store_id: str, fault: str
) -> None:
    with ApiProxy(local_cluster, tmp_path) as proxy, ServerProcess(proxy.cluster, kubectl, tmp_path) as server:
        server.create(store_id)
        server.wait_for_phase(store_id, "Ready")
        events = LiveFeed(Target(server.url, server.token)).events()
        heard, before = await until_heard(events, in_trouble=False)
        assert any(isinstance(event, StoreSnapshot) for event in before)
        with proxy.cutting() if fault == "nothing listens" else proxy.black_hole():
            heard, _ = await until_heard(events, in_trouble=True)
            assert re.match(r"The Kubernetes API at http://127.0.0.1:\d+ does not answer: .", heard.cluster_error)
            kubectl.run("annotate", "store", store_id, "-n", server.namespace, "while=nobody-saw")
            kubectl.run("patch", "store", store_id, "-n", server.namespace, "--type=merge", "-p", EDIT)
        _, seen = await until_heard(events, in_trouble=False)
        await events.aclose()
        changed = server.wait_for_phase(store_id, "Ready")
        assert changed["generation"] == changed["observedGeneration"] == 2
        assert not any(isinstance(event, StoreSnapshot) for event in seen), (
            "the line was lost, which nothing was wrong with"
        )


EDIT = '{"spec": {"values": {"podAnnotations": {"edited": "meanwhile"}}}}'
