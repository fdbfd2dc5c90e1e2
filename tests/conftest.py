"""Options and fixtures for all tests: the run's tier and seed, one real cluster, and servers as separate processes.

The cluster is the project's local one, in a temporary folder, with an etcd that does not sync to disk. All tests of a
process share it, so every test uses its own store ids; with pytest-xdist each worker has a cluster.
"""

import os
import random
import secrets
import signal
from collections import defaultdict
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from xdist.workermanage import WorkerController  # type: ignore[import-untyped]

from cluster.local.cluster import ClusterInfo, LocalCluster
from testing import seed, tiers
from testing.kubectl import Kubectl
from testing.proxy import exempt_loopback
from testing.serve import ServerProcess

# Tests in several folders share the node of the run.
pytest_plugins = ("testing.node.fixtures",)
CRD = Path(__file__).resolve().parent.parent / "crds" / "stores.yaml"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --fast, --all, --node, --docker and --seed."""
    tiers.add_options(parser)
    seed.add_option(parser)


def pytest_configure() -> None:
    """Reach the servers of the tests directly, and let their programs be interrupted."""
    exempt_loopback(os.environ)
    # A shell starts what runs in the background with SIGINT ignored, which every program of the tests would inherit.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Give a worker of pytest-xdist the seed."""
    node.workerinput[seed.KEY] = seed.seed_of(node.config)


def pytest_report_header(config: pytest.Config) -> str:
    """Print the tier and the seed of the run."""
    return f"tests: {tiers.choose_tier(config)}, repeat with --seed {seed.seed_of(config)}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the tier, and put those with a browser last.

    While Playwright runs, its event loop blocks every async test in the same process. The shops come just before, so
    that they do not run beside everything else; a shop's browser ends with its module, the page's with the run.
    """
    for item in items:
        tiers.mark(item)
    tier = tiers.choose_tier(config)
    chosen = tiers.select(tier, items)
    config.hook.pytest_deselected(items=list(set(items) - set(chosen)))
    # A file is one unit for pytest-xdist, so it is as late as the latest of its tests.
    places: defaultdict[Path, int] = defaultdict(int)
    for item in chosen:
        places[item.path] = max(places[item.path], _place(item))
    items[:] = sorted(chosen, key=lambda item: places[item.path])


def _place(item: pytest.Item) -> int:
    if item.get_closest_marker("shop"):
        return 2 if item.get_closest_marker("browser") else 1
    return 3 if item.get_closest_marker("browser") else 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Print the seed with a failure."""
    report = yield
    if report.failed:
        report.sections.append(("Seed", f"--seed {seed.seed_of(item.config)}"))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the time of each folder."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds["/".join(report.nodeid.split("/")[:2])] += report.duration
    if sum(seconds.values()) > 10:
        terminalreporter.section("seconds by folder")
        for folder, spent in sorted(seconds.items(), key=lambda item: -item[1]):
            terminalreporter.write_line(f"{spent:8.1f}  {folder}")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio only, as the product does."""
    return "asyncio"


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """The random choices of one test; the run's seed repeats them."""
    return random.Random(seed.derived(request.config, request.node.name))


@pytest.fixture(autouse=True)
def seeded_random(request: pytest.FixtureRequest) -> None:
    """Seed the choices that the product makes with `random`, such as jitter."""
    random.seed(seed.derived(request.config, request.node.name))


@pytest.fixture(scope="session")
def cluster_programs() -> None:
    """Used by every fixture that starts a local cluster; marks their tests with `cluster`."""


@pytest.fixture(scope="session")
def local_cluster(cluster_programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterInfo]:
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
