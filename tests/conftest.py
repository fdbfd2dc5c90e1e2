"""What every test may use: one real cluster for the whole run, and servers as processes of their own.

Nothing about Kubernetes is mocked. The cluster is the project's own local one, in a temporary folder, with an etcd that
does not sync to disk. Stores of different tests share it, so every test uses ids of its own.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.local import ClusterInfo, LocalCluster
from testing.kubectl import Kubectl
from testing.serve import ServerProcess

CRD = Path(__file__).resolve().parent.parent / "crds" / "stores.yaml"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --node: run the tests with real containers, and only those."""
    parser.addoption("--node", action="store_true", help="run the tests that bring a real node up (Linux, root)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose by --node, and put the tests with a browser last.

    While Playwright runs, its event loop is in the way of every async test. The shops come just before, so that they do
    not run beside everything else; a shop's browser ends with its module, the page's with the run.
    """
    with_node = bool(config.getoption("--node"))
    left_out = [item for item in items if (item.get_closest_marker("node") is not None) != with_node]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    path = item.path.as_posix()
    if "tests/page/" in path:
        return 3
    if "tests/shops/" in path:
        return 2 if path.endswith("test_browser.py") else 1
    return 0


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio only, as the product does."""
    return "asyncio"


@pytest.fixture(scope="session")
def local_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterInfo]:
    """A running cluster with the Store CRD."""
    cluster = LocalCluster(tmp_path_factory.mktemp("cluster"), fsync=False)
    info = cluster.up(lambda words: None)
    try:
        Kubectl(info).run("apply", "-f", str(CRD))
        yield info
    finally:
        cluster.down(purge=True)


@pytest.fixture(scope="session")
def kubectl(local_cluster: ClusterInfo) -> Kubectl:
    """kubectl against the cluster."""
    return Kubectl(local_cluster)


@pytest.fixture
def store_id() -> str:
    """An id that no other test uses."""
    return f"t-{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
def platform(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A server with its reconciler that most tests share."""
    with ServerProcess(local_cluster, kubectl, tmp_path_factory.mktemp("server")) as server:
        yield server
