"""A cluster that the tests of this folder share, and the means to have one's own.

Nothing is mocked: the clusters are real, in temporary folders, with the programs of the user's cache. Only the building
of programs is tested with a stand-in for the go command, as a real cold build takes minutes.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.local import LocalCluster
from tests.cluster.running import FOREIGN_KUBECONFIG, RunningCluster, Shell, start


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
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
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    """A cluster for tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("shared") / "cluster"
    running = start(folder)
    try:
        yield running
    finally:
        running.cluster.down(purge=True)
    assert not folder.exists()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[RunningCluster]:
    """A cluster of one test's own."""
    running = start(tmp_path / "cluster")
    try:
        yield running
    finally:
        running.cluster.down(purge=True)
