"""A cluster that the tests of this folder share, and fixtures for tests that need their own.

The clusters are real, in temporary folders, with the programs of the user's cache. Only the building of programs is
tested with a substitute for the go command, as a real cold build takes minutes.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.local.cluster import LocalCluster
from tests.cluster.running import FOREIGN_KUBECONFIG, RunningCluster, Shell, start


@pytest.fixture
def shell(cluster_programs: None, tmp_path: Path) -> Iterator[Shell]:
    """A shell whose cluster is purged at the end."""
    shell = Shell(tmp_path)
    config = tmp_path / ".kube" / "config"
    config.parent.mkdir()
    config.write_text(FOREIGN_KUBECONFIG)
    try:
        yield shell
    finally:
        LocalCluster(shell.state_dir).down(purge=True)
    assert config.read_text() == FOREIGN_KUBECONFIG


@pytest.fixture(scope="session")
def shared(cluster_programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    """A cluster for tests that do not change it."""
    folder = tmp_path_factory.mktemp("shared") / "cluster"
    running = start(folder)
    try:
        yield running
    finally:
        running.cluster.down(purge=True)
    assert not folder.exists()


@pytest.fixture
def own(cluster_programs: None, tmp_path: Path) -> Iterator[RunningCluster]:
    """A cluster for one test."""
    running = start(tmp_path / "cluster")
    try:
        yield running
    finally:
        running.cluster.down(purge=True)
