"""SIGTERM of a real server with many open sockets and a running Helm: clients are notified, nothing is left over."""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from cluster.local.cluster import ClusterInfo
from testing.faults.helm_watch import HelmWatch, slow_helm
from testing.frames import read_frame
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from urumi.wire import SUBPROTOCOL

pytestmark = pytest.mark.anyio
SOCKETS = 300
SUBSCRIBE = json.dumps({"type": "subscribe", "stores": "all"})
# The grace period of charts/platform without the preStop sleep.
GRACE_SECONDS = 40


async def open_line(server: ServerProcess, stack: contextlib.AsyncExitStack, **options: Any) -> ClientConnection:
    """Open a live socket."""
    url, headers = server.url.replace("http", "ws") + "/ws", {"Authorization": f"Bearer {server.token}"}
    line = connect(url, additional_headers=headers, subprotocols=[Subprotocol(SUBPROTOCOL)], open_timeout=60, **options)
    return await stack.enter_async_context(line)


async def subscribe(line: ClientConnection) -> None:
    """Subscribe and read the snapshot."""
    await line.send(SUBSCRIBE)
    while read_frame(await line.recv())["type"] != "bookmark":
        pass


def end_hard(server: ServerProcess) -> None:
    """Kill the server if the test has failed before its end."""
    if server.running:
        server.kill()


async def end_of(line: ClientConnection) -> tuple[str, int]:
    """Return the type of the last frame and the close code."""
    last = ""
    with contextlib.suppress(ConnectionClosed):
        async for text in line:
            last = read_frame(text)["type"]
    return last, line.close_code or 0


async def test_a_stop_with_open_sockets_and_a_running_helm_ends_within_the_grace_period(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, store_id: str
) -> None:
    helm = str(slow_helm(tmp_path, local_cluster.helm, 120))
    server = ServerProcess(local_cluster, kubectl, tmp_path, URUMI_HELM=helm)
    async with contextlib.AsyncExitStack() as stack:
        await asyncio.to_thread(server.start)
        stack.callback(end_hard, server)
        lines = [await open_line(server, stack) for _ in range(SOCKETS)]
        await asyncio.gather(*map(subscribe, lines))
        mute = await open_line(server, stack)
        await asyncio.to_thread(server.create, store_id)
        helms = HelmWatch([store_id])
        await asyncio.to_thread(wait_for, lambda: helms.now()[store_id], "helm to be at work")

        stopping = asyncio.create_task(asyncio.to_thread(server.stop, GRACE_SECONDS))
        async with asyncio.timeout(GRACE_SECONDS):
            ends = await asyncio.gather(*map(end_of, lines))
        assert await stopping == 0
        assert set(ends) == {("goodbye", 1012)}
        assert (await end_of(mute))[1] == 1012
    assert not helms.now()[store_id]
    assert_structured(server.log.read_text())
    kubectl.run(
        "patch", "store", store_id, "-n", server.namespace, "--type=merge", "-p", '{"metadata":{"finalizers":[]}}'
    )
    kubectl.run("delete", "namespace", server.namespace, "--wait=false")


def assert_structured(log: str) -> None:
    """Assert that each line is one JSON object with a time and a level, and none reports a defect."""
    lines = [json.loads(line) for line in log.splitlines()]
    assert all({"ts", "level", "logger", "msg"} <= line.keys() for line in lines)
    assert [line for line in lines if line["level"] in ("error", "critical") or "exception" in line] == []
    # Messages are constant texts; the lines of uvicorn would name each socket.
    assert len({line["msg"] for line in lines}) < 40
