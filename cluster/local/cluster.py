"""The local cluster: up, down, status.

`up` starts the components that are not running. It serves as first start, restart after a reboot and repair, and does
nothing on a healthy cluster. One file lock serializes everything that changes the cluster.

`status` takes no lock and may see a cluster in the middle of a change. Nothing supervises the components: one that
exits stays down until the next `up`.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cluster.api import Api
from cluster.errors import ApiServerError
from cluster.folders import StateFolder, cache_root, default_state_dir, delete_if_empty
from cluster.local import simulation
from cluster.local.component import Component, stop_all
from cluster.local.components import NAMES, STOP_GROUPS, Launches
from cluster.local.credentials import Credentials
from cluster.local.start import GRACE_SECONDS, Say, Start, remembered_port, server_url
from cluster.lock import file_lock
from cluster.programs.binaries import ensure_binaries


@dataclass(frozen=True, slots=True)
class ClusterInfo:
    """The address of a running cluster, and the paths of its programs."""

    kubeconfig: Path
    server: str
    bin_dir: Path
    helm: Path
    kubectl: Path


class ClusterState(StrEnum):
    """The state of a cluster as a whole."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """A component, its pid if it is running, and its log."""

    name: str
    pid: int | None
    log: Path


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """The status of a cluster; `problems` explains a state other than up."""

    state: ClusterState
    kubeconfig: Path
    server: str | None
    nodes: tuple[str, ...]
    ready_nodes: tuple[str, ...]
    components: tuple[ComponentStatus, ...]
    problems: tuple[str, ...]


class LocalCluster:
    """One cluster in one folder.

    Args:
        state_dir: its folder; by default the user's cluster.
        node_count: the minimum number of nodes, with 1,000 pods each.
        fsync: whether etcd waits for the disk. Without it writes are faster, and a crash of the machine may lose data.
    """

    def __init__(self, state_dir: Path | None = None, node_count: int = 1, *, fsync: bool = True) -> None:
        self._folder = StateFolder((state_dir or default_state_dir()).absolute())
        self._node_count = node_count
        self._fsync = fsync
        self._credentials = Credentials(self._folder.pki)
        self._components = {name: Component(name, self._folder) for name in NAMES}

    def up(self, progress: Say) -> ClusterInfo:
        """Start what is not running of the cluster, and return its address.

        Raises:
            ClusterError: the programs could not be built, or a component did not start; names it and the cause.
        """
        with self._locked(progress):
            self._folder.make()
            binaries = ensure_binaries(cache_root(), lambda build: progress(build.sentence()), progress)
            launches = Launches(self._folder, binaries, self._credentials, self._fsync)
            server = Start(self._folder, self._components, launches, progress).run(self._node_count)
            path = binaries.path
            return ClusterInfo(self._folder.kubeconfig, server, binaries.folder, path("helm"), path("kubectl"))

    def down(self, purge: bool = False) -> None:
        """Stop the cluster; with `purge`, also delete its data, credentials and logs.

        Raises:
            StopError: a process survived.
        """
        if not self._folder.root.exists():
            return
        with self._locked(lambda words: None):
            for group in STOP_GROUPS:
                stop_all([self._components[name] for name in group], GRACE_SECONDS)
            if purge:
                self._delete_files()

    def status(self) -> ClusterStatus:
        """Return the status of the cluster."""
        found = tuple(ComponentStatus(item.name, item.pid(), item.log) for item in self._components.values())
        missing = [item.name for item in found if item.pid is None]
        if len(missing) == len(found):
            return self._status(ClusterState.DOWN, found)
        problems = [f"{name} is not running" for name in missing]
        nodes: list[str] = []
        ready: list[str] = []
        try:
            port, authority = remembered_port(self._folder), self._credentials.authority_pem()
            if port is None or authority is None or not self._credentials.tokens.exists():
                raise ApiServerError("The API server has not been started yet.")
            api = Api(server_url(port), authority, self._credentials.token)
            nodes, ready = simulation.node_names(api), simulation.ready_nodes(api)
            problems += [f"node {name} is not ready" for name in nodes if name not in ready]
        except ApiServerError as error:
            problems.append(error.message)
        state = ClusterState.DEGRADED if problems else ClusterState.UP
        return self._status(state, found, nodes, ready, problems)

    def _status(
        self,
        state: ClusterState,
        found: tuple[ComponentStatus, ...],
        nodes: list[str] | None = None,
        ready: list[str] | None = None,
        problems: list[str] | None = None,
    ) -> ClusterStatus:
        port = remembered_port(self._folder)
        server = None if port is None else server_url(port)
        return ClusterStatus(
            state, self._folder.kubeconfig, server, tuple(nodes or ()), tuple(ready or ()), found, tuple(problems or ())
        )

    @contextmanager
    def _locked(self, say: Say) -> Iterator[None]:
        with file_lock(self._folder.lock, lambda: say("Waiting for another command that changes the cluster.")):
            yield

    def _delete_files(self) -> None:
        # Only the files of a cluster: the given folder may contain others.
        folder = self._folder
        for tree in (folder.data, folder.run, folder.logs, folder.pki):
            shutil.rmtree(tree, ignore_errors=True)
        for file in (folder.kubeconfig, folder.settings, folder.lock):
            file.unlink(missing_ok=True)
        delete_if_empty(folder.root)
