"""kill -9 at random moments over the whole life of twenty stores: all converge, and nothing precious is lost."""

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from cluster.local import ClusterInfo
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from testing.store_objects import ask, helm_processes

STORES = 20
ROUNDS = 9
ALIVE_SECONDS = (0.1, 2.2)
REVISIONS_MOST = 8


class Life:
    """What is asked of the stores, and what they held when they were first seen."""

    def __init__(self, kubectl: Kubectl, server: ServerProcess, ids: list[str], dice: random.Random) -> None:
        self.wanted: dict[str, int] = {}
        self._kubectl = kubectl
        self._server = server
        self._ids = ids
        self._dice = dice
        self._held: dict[str, dict[str, Any]] = {}

    def go_on(self) -> None:
        """Ask for something of some stores: to be, to be another version, not to be any more."""
        for store_id in self._dice.sample(self._ids, 7):
            if store_id not in self.wanted:
                self._ask(store_id, 0)
            elif self._dice.random() < 0.25:
                self._kubectl.run("delete", "store", store_id, "-n", self._server.namespace, "--wait=false")
                del self.wanted[store_id]
            else:
                self._ask(store_id, self.wanted[store_id] + 1)

    def note(self) -> None:
        """Note what the stores hold, the first time it is seen."""
        for namespace, held in self._holdings().items():
            self._held.setdefault(namespace, held)

    def lost(self) -> list[str]:
        """Return the namespaces whose passwords or volumes are not what they were."""
        now = self._holdings()
        return [namespace for namespace, held in self._held.items() if now.get(namespace, held) != held]

    def _ask(self, store_id: str, version: int) -> None:
        found = self._kubectl.get("store", store_id, self._server.namespace)
        if found and "deletionTimestamp" in found["metadata"]:
            return
        ask(self._kubectl, self._server, store_id, podAnnotations={"version": str(version)})
        self.wanted[store_id] = version

    def _holdings(self) -> dict[str, dict[str, Any]]:
        """Return passwords and volumes of every namespace of ours that has all of them, by its uid."""
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
def test_stores_converge_whenever_the_server_dies(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, store_id: str, dice: random.Random
) -> None:
    server = ServerProcess(
        local_cluster, kubectl, tmp_path, URUMI_MAX_CONCURRENT_PROVISIONS="4", URUMI_LEASE_SECONDS="6"
    )
    ids = [f"{store_id}-{number}" for number in range(STORES)]
    life = Life(kubectl, server, ids, dice)
    for _ in range(ROUNDS):
        with server:
            life.go_on()
            time.sleep(dice.uniform(*ALIVE_SECONDS))  # the moment of death is the dice's
            server.kill()
        life.note()
    with server:
        for each in life.wanted:
            store = server.wait_for_phase(each, "Ready", seconds=150)
            assert store["release"]["revision"] <= REVISIONS_MOST
        for each in set(ids) - set(life.wanted):
            server.wait_until_gone(each)
            wait_for(lambda each=each: kubectl.get("namespace", f"store-{each}") is None, each)  # type: ignore[misc]
        assert life.lost() == []
    assert helm_processes(store_id) == []
    assert life.wanted, "nothing was left to converge"
