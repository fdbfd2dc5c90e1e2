"""Every version of some kinds of objects, in the order of the watch, with the time at which it was received."""

import json
import subprocess
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from cluster.local.cluster import ClusterInfo

STORES = "/apis/stores.urumi.ai/v1alpha1/namespaces/{namespace}/stores"
WORKLOADS = ("/apis/apps/v1/deployments", "/apis/apps/v1/statefulsets")


@dataclass(frozen=True)
class Version:
    """One version of an object; `item` is None if it was deleted."""

    received_at: float
    number: int
    item: Any


@dataclass
class History:
    """Watches stores and workloads from its start to its end; use as a context manager."""

    cluster: ClusterInfo
    namespace: str
    versions: dict[str, list[Version]] = field(default_factory=dict)
    _watches: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        for path in (STORES.format(namespace=self.namespace), *WORKLOADS):
            command = [self.cluster.kubectl, "--kubeconfig", self.cluster.kubeconfig, "get", "--raw", f"{path}?watch=1"]
            watch = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE)
            thread = threading.Thread(target=self._read, args=(watch,), daemon=True)
            self._watches.append(watch)
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for watch in self._watches:
            watch.kill()
        for thread, watch in zip(self._threads, self._watches, strict=True):
            thread.join()
            watch.wait()
            if watch.stdout is not None:
                watch.stdout.close()

    def of(self, kind: str, namespace: str, name: str) -> list[Version]:
        """Return the versions of one object, oldest first."""
        return self.versions.get(f"{kind}/{namespace}/{name}", [])

    def _read(self, watch: subprocess.Popen[bytes]) -> None:
        assert watch.stdout is not None
        for line in watch.stdout:
            event = json.loads(line)
            item = event["object"]
            meta = item["metadata"]
            key = f"{item['kind']}/{meta['namespace']}/{meta['name']}"
            version = Version(
                time.monotonic(), int(meta["resourceVersion"]), None if event["type"] == "DELETED" else item
            )
            self.versions.setdefault(key, []).append(version)
