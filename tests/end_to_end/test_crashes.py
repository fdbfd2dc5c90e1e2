"""kill -9 at random times during the whole life of twenty stores: all converge, and no password or volume is lost."""

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from cluster.local.cluster import ClusterInfo
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from testing.store_objects import create_store, helm_processes

STORES = 20
ROUNDS = 9
ALIVE_SECONDS = (0.1, 2.2)
REVISIONS_MOST = 8


class Requests:
    """The requested state of the stores, and their first passwords and volumes."""

    def __init__(self, kubectl: Kubectl, server: ServerProcess, ids: list[str], rng: random.Random) -> None:
        self.wanted: dict[str, int] = {}
        self._kubectl = kubectl
        self._server = server
        self._ids = ids
        self._rng = rng
        self._held: dict[str, dict[str, Any]] = {}

    def make_some(self) -> None:
        """Create, change or delete some of the stores."""
        for store_id in self._rng.sample(self._ids, 7):
            if store_id not in self.wanted:
                self._request(store_id, 0)
            elif self._rng.random() < 0.25:
                self._kubectl.run("delete", "store", store_id, "-n", self._server.namespace, "--wait=false")
                del self.wanted[store_id]
            else:
                self._request(store_id, self.wanted[store_id] + 1)

    def record(self) -> None:
        """Record the passwords and volumes of stores that are new."""
        for namespace, held in self._passwords_and_volumes().items():
            self._held.setdefault(namespace, held)

    def lost(self) -> list[str]:
        """Return the namespaces whose passwords or volumes have changed."""
        now = self._passwords_and_volumes()
        return [namespace for namespace, held in self._held.items() if now.get(namespace, held) != held]

    def _request(self, store_id: str, version: int) -> None:
        found = self._kubectl.get("store", store_id, self._server.namespace)
        if found and "deletionTimestamp" in found["metadata"]:
            return
        create_store(self._kubectl, self._server, store_id, podAnnotations={"version": str(version)})
        self.wanted[store_id] = version

    def _passwords_and_volumes(self) -> dict[str, dict[str, Any]]:
        """Return passwords and volumes of every namespace of these stores that has all of them, by its uid."""
        kinds = "secrets,persistentvolumeclaims"
        listed = json.loads(self._kubectl.run("get", kinds, "-A", "-l", "urumi.ai/managed-store=true", "-o", "json"))
        spaces = json.loads(self._kubectl.run("get", "ns", "-l", "urumi.ai/managed-store=true", "-o", "json"))["items"]
        uids = {space["metadata"]["name"]: space["metadata"]["uid"] for space in spaces}
        found: dict[str, dict[str, Any]] = {}
        for item in listed["items"]:
            meta = item["metadata"]
            if meta["namespace"].removeprefix("store-") in self._ids and meta["namespace"] in uids:
                held = found.setdefault(uids[meta["namespace"]], {})
                held[meta["name"]] = item.get("data") or meta["uid"]
        return {uid: held for uid, held in found.items() if len(held) == 4}


@pytest.mark.thorough
def test_stores_converge_whenever_the_server_is_killed(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, store_id: str, rng: random.Random
) -> None:
    server = ServerProcess(
        local_cluster, kubectl, tmp_path, URUMI_MAX_CONCURRENT_PROVISIONS="4", URUMI_LEASE_SECONDS="6"
    )
    ids = [f"{store_id}-{number}" for number in range(STORES)]
    requests = Requests(kubectl, server, ids, rng)
    for _ in range(ROUNDS):
        with server:
            requests.make_some()
            time.sleep(rng.uniform(*ALIVE_SECONDS))  # a random time of death
            server.kill()
        requests.record()
    with server:
        for each in requests.wanted:
            store = server.wait_for_phase(each, "Ready", seconds=150)
            assert store["release"]["revision"] <= REVISIONS_MOST
        for each in set(ids) - set(requests.wanted):
            server.wait_until_gone(each)
            wait_for(lambda each=each: kubectl.get("namespace", f"store-{each}") is None, each)  # type: ignore[misc]
        assert requests.lost() == []
    assert helm_processes(store_id) == []
    assert requests.wanted, "every store was deleted, so nothing could converge"
