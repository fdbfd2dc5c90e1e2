"""Faults that no proxy can simulate: an API server that is killed, an etcd that is compacted.

These cases damage their cluster, so they run one after the other on a separate cluster. A restarted API server has no
earlier resourceVersion in its cache; once etcd is compacted too, a list or watch that continues from one gets a 410.
"""

import contextlib
import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from cluster.local.cluster import ClusterInfo, LocalCluster
from cluster.local.components import API_SERVER, ETCD
from reconciler.cache.timeouts import InformerTimeouts
from testing.faults.call import later_pages
from testing.faults.proxy import ApiProxy
from testing.kubectl import wait_for
from tests.faults.fault_run import FaultCase, Outcome, run_case

OLD_VERSION = "an etcd compaction while the stream is broken"
OLD_PAGE = "an etcd compaction in the middle of a list"


class DisposableCluster:
    """A separate cluster that may be damaged; use from one thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "cluster"
        self._cluster = LocalCluster(self._folder, fsync=False)
        self._info: ClusterInfo | None = None

    def run_case(self, name: str, folder: Path) -> Outcome:
        """Run one of CLUSTER_FAULTS."""
        if self._info is None:
            self._info = self._cluster.up(lambda message: None)
        return run_case(CLUSTER_FAULTS[name](self), self._info, folder)

    def delete(self) -> None:
        """Stop the cluster and delete it."""
        self._cluster.down(purge=True)

    @contextlib.contextmanager
    def without(self, component: str) -> Iterator[None]:
        """Kill a component, and restart it at the end."""
        self._kill(component)
        yield
        self._cluster.up(lambda message: None)

    @contextlib.contextmanager
    def discarding_versions(self, fault: contextlib.AbstractContextManager[None]) -> Iterator[None]:
        """Inject a fault, and before it ends discard every old version in etcd and the API server."""
        with fault:
            yield
            self._compact()
            with self.without(API_SERVER):
                pass

    def _kill(self, name: str) -> None:
        pid = self._pid(name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: self._pid(name) is None, f"{name} to end")

    def _pid(self, name: str) -> int | None:
        return next(item.pid for item in self._cluster.status().components if item.name == name)

    def _compact(self) -> None:
        revision = self._etcd("/v3/maintenance/status", {})["header"]["revision"]
        self._etcd("/v3/kv/compaction", {"revision": revision, "physical": True})

    def _etcd(self, path: str, body: Any) -> Any:
        connection = HTTPConnection("etcd", timeout=10)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.connect(str(self._folder / "run" / "etcd.sock:0"))
        with contextlib.closing(connection):
            connection.request("POST", path, json.dumps(body))
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            return json.loads(answer.read())


def _without_server(cluster: DisposableCluster) -> FaultCase:
    return FaultCase("the API server is killed", lambda proxy: cluster.without(API_SERVER), seconds=6)


def _without_etcd(cluster: DisposableCluster) -> FaultCase:
    return FaultCase("etcd is killed", lambda proxy: cluster.without(ETCD), seconds=6)


def _old_version(cluster: DisposableCluster) -> FaultCase:
    return FaultCase(OLD_VERSION, lambda proxy: cluster.discarding_versions(proxy.cutting()), seconds=4)


def _old_page(cluster: DisposableCluster) -> FaultCase:
    def hold_back(proxy: ApiProxy) -> contextlib.AbstractContextManager[None]:
        return cluster.discarding_versions(proxy.black_hole(later_pages))

    return FaultCase(OLD_PAGE, hold_back, seconds=2, timeouts=InformerTimeouts(page_size=5), begins_with_it=True)


CLUSTER_FAULTS: dict[str, Callable[[DisposableCluster], FaultCase]] = {
    "the API server is killed and started again": _without_server,
    "etcd is killed and started again": _without_etcd,
    OLD_VERSION: _old_version,
    OLD_PAGE: _old_page,
}
