"""The dashboard in tmux against a real server and cluster, while that server is killed and restarted.

It is one long test, because a real server starts slowly. The other modules test each key.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.local.cluster import ClusterInfo
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from tests.tui.test_main import environ
from tests.tui.tmux import Tmux


@pytest.fixture
def server(local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that may be killed."""
    with ServerProcess(local_cluster, kubectl, tmp_path) as server:
        yield server


@pytest.fixture
def screen(server: ServerProcess, tmp_path: Path) -> Iterator[Tmux]:
    """The dashboard of that server in tmux."""
    given = environ(tmp_path, URUMI_URL=server.url, URUMI_TOKEN=server.token)
    with Tmux(tmp_path, [sys.executable, "-W", "error", "-m", "tui.main"], given) as screen:
        yield screen


def test_stores_appear_live_and_the_dashboard_survives_a_killed_server(
    server: ServerProcess, screen: Tmux, kubectl: Kubectl, store_id: str
) -> None:
    mine, theirs, late = f"{store_id}-mine", f"{store_id}-theirs", f"{store_id}-late"
    screen.until_shown("No stores yet", "● live")

    screen.press("n")
    screen.until_shown("New store")
    screen.type(mine)
    screen.press("Enter")
    screen.until_shown("✓ 1 Ready", mine, "HelmInstalled")
    server.create(theirs, "medusa")
    screen.until_shown("✓ 2 Ready", theirs)

    server.kill()
    screen.until_message("◌ reconnecting")
    screen.until_shown("Connection refused", "✓ 2 Ready", mine, theirs)
    screen.press("Delete")
    screen.until_message("Server unreachable.")
    kubectl.apply(
        {
            "apiVersion": "stores.urumi.ai/v1alpha1",
            "kind": "Store",
            "metadata": {"name": late, "namespace": server.namespace},
            "spec": {"storeId": late, "engine": "woocommerce"},
        }
    )
    server.start()
    screen.press("R")
    screen.until_message("Reconnected after ")
    screen.until_shown("● live", "✓ 3 Ready", mine, theirs, late)

    screen.resize(80, 24)
    screen.type(f":go {mine}")
    screen.press("Enter")
    screen.until_shown(f"{mine}  ✓ Ready")
    screen.press("c")
    wait_for(lambda: screen.copied() == mine, "the id in tmux's buffer")
    screen.press("Delete")
    screen.until_shown(f"Delete {mine}?")
    screen.type(mine)
    screen.press("Enter")
    screen.until_shown("✓ 2 Ready", "2 stores")
    assert server.store(mine) is None
    screen.press("q")
    screen.until_ended(0)
