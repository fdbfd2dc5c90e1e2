"""The life of a cluster: up, up again, degraded, down, up with its data, on another port, purged."""

import os
import shutil
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.errors import StartError
from cluster.local import components
from cluster.local.cluster import ClusterState, LocalCluster
from cluster.local.component import is_alive
from testing.kubectl import wait_for
from tests.cluster.running import RunningCluster


def kill(running: RunningCluster, name: str) -> None:
    """Kill a component and wait until it has exited."""
    pid = running.pids()[name]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: running.pids()[name] is None, f"{name} to be gone")


def is_gone(pid: int | None) -> bool:
    """Return whether nothing runs under a pid."""
    return pid is not None and not is_alive(pid)


def test_up_ends_with_ready_nodes_and_everything_running(shared: RunningCluster) -> None:
    status = shared.cluster.status()
    assert status.state is ClusterState.UP
    assert status.nodes == status.ready_nodes == ("urumi-node-0",)
    assert status.problems == ()
    assert shared.kubectl.run("get", "--raw", "/readyz") == "ok"


def test_a_second_up_changes_nothing_and_reports_it(shared: RunningCluster) -> None:
    before = shared.pids(), shared.info.kubeconfig.stat().st_mtime_ns
    assert shared.up() == ["The cluster is already up."]
    assert (shared.pids(), shared.info.kubeconfig.stat().st_mtime_ns) == before


def test_up_restarts_what_died_and_nothing_else(own: RunningCluster) -> None:
    before = own.pids()
    for name in ("kube-scheduler", "kwok"):
        kill(own, name)
    status = own.cluster.status()
    assert status.state is ClusterState.DEGRADED
    assert status.problems == ("kube-scheduler is not running", "kwok is not running")
    assert own.up() == ["Starting kube-scheduler.", "Starting kwok."]
    assert {name for name, pid in own.pids().items() if pid != before[name]} == {"kube-scheduler", "kwok"}
    assert own.cluster.status().state is ClusterState.UP


def test_more_nodes_can_be_added_while_it_runs(own: RunningCluster) -> None:
    before = own.pids()
    said: list[str] = []
    LocalCluster(own.folder, node_count=3, fsync=False).up(said.append)
    assert own.cluster.status().ready_nodes == ("urumi-node-0", "urumi-node-1", "urumi-node-2")
    assert own.pids() == before


def test_changed_stages_restart_kwok(own: RunningCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = tmp_path / "stages"
    shutil.copytree(components.STAGES_DIR, stages)
    (stages / "node.yaml").write_text((stages / "node.yaml").read_text().replace("300000", "400000"))
    monkeypatch.setattr(components, "STAGES_DIR", stages)
    before = own.pids()
    assert own.up() == ["Restarting kwok: its version or settings changed."]
    assert {name for name, pid in own.pids().items() if pid != before[name]} == {"kwok"}


def test_a_component_that_cannot_be_repaired_is_named_and_the_others_stay(
    own: RunningCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = own.pids()
    monkeypatch.setattr(components, "SCHEDULER_CONFIG", {"kind": "Nonsense"})
    with pytest.raises(StartError, match="kube-scheduler exited during startup"):
        own.up()
    assert own.pids() == {**before, "kube-scheduler": None}


def test_down_leaves_no_process_and_the_next_up_has_the_data(own: RunningCluster) -> None:
    own.kubectl.run("create", "configmap", "kept", "--from-literal=key=value")
    config = own.info.kubeconfig.read_text()
    pids = own.pids()
    own.cluster.down()
    assert all(is_gone(pid) for pid in pids.values())
    assert own.cluster.status().state is ClusterState.DOWN
    own.up()
    assert own.kubectl.get("configmap", "kept", "default")["data"] == {"key": "value"}
    assert own.info.kubeconfig.read_text() == config


def test_a_taken_port_is_replaced_in_the_kubeconfig_too(own: RunningCluster) -> None:
    taken = int(own.info.server.rpartition(":")[2])
    own.cluster.down()
    with socket.create_server(("127.0.0.1", taken)):
        said = own.up()
        assert str(taken) not in own.info.server
        assert own.info.server in own.info.kubeconfig.read_text()
        assert any(f"Port {taken} is in use by another program" in words for words in said)
        assert own.kubectl.run("get", "--raw", "/readyz") == "ok"


def test_purge_deletes_only_the_files_of_the_cluster(own: RunningCluster) -> None:
    pids = own.pids()
    (own.folder / "notes.txt").write_text("mine")
    own.cluster.down(purge=True)
    assert [path.name for path in own.folder.iterdir()] == ["notes.txt"]
    assert all(is_gone(pid) for pid in pids.values())
    own.cluster.down(purge=True)


def break_etcd(folder: Path) -> None:
    """Put a file where etcd's data belongs."""
    (folder / "etcd").write_text("not a folder")


def break_api_server(folder: Path) -> None:
    """Replace the key with an invalid one."""
    (folder / "pki").mkdir()
    (folder / "pki" / "service-account.key").write_text("no key")


@pytest.mark.parametrize(
    ("name", "damage"), [("etcd", break_etcd), ("kube-apiserver", break_api_server)], ids=["etcd", "kube-apiserver"]
)
def test_a_component_that_dies_at_its_start_is_named_with_the_end_of_its_log(
    tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    folder = tmp_path / "cluster"
    folder.mkdir()
    damage(folder)
    cluster = LocalCluster(folder, fsync=False)
    with pytest.raises(StartError) as failure:
        cluster.up(lambda words: None)
    log = folder / "logs" / f"{name}.log"
    assert f"{name} exited during startup" in failure.value.message
    assert log.read_text().splitlines()[-1] in failure.value.message
    assert failure.value.hint == f"See {log}"
    assert cluster.status().state is ClusterState.DOWN
