"""Two servers on one cluster: only the leader acts, and no two helm processes ever work on one store."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster.local.cluster import ClusterInfo
from testing.faults.helm_watch import HelmWatch, slow_helm
from testing.faults.proxy import ApiProxy
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from testing.store_objects import events_of

LEASE_SECONDS = "3"
# Longer than a lease, so that a helm process that was not killed would still run when the other server begins.
HELM_SECONDS = 4.0


@dataclass
class Pair:
    """The leader, the standby server, and the proxy between the leader and the API server."""

    leader: ServerProcess
    other: ServerProcess
    proxy: ApiProxy
    store_ids: list[str]

    def create_stores(self) -> None:
        """Create the stores and wait until the leader's helm works on each."""
        for store_id in self.store_ids:
            self.leader.create(store_id)

    def wait_until_ready(self) -> None:
        """Wait until every store is Ready, as the other server reports it."""
        for store_id in self.store_ids:
            self.other.wait_for_phase(store_id, "Ready", seconds=120)


@pytest.fixture
def pair(local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, store_id: str) -> Iterator[Pair]:
    """Two servers of one platform namespace; the first leads and reaches the API through a proxy."""
    environ = {
        "URUMI_LEASE_SECONDS": LEASE_SECONDS,
        "URUMI_HELM": str(slow_helm(tmp_path, local_cluster.helm, HELM_SECONDS)),
    }
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with ApiProxy(local_cluster, tmp_path) as proxy:
        leader = ServerProcess(proxy.cluster, kubectl, tmp_path / "a", **environ)
        with leader:
            wait_for(leader.is_leading, "the first server to lead")
            other = ServerProcess(local_cluster, kubectl, tmp_path / "b", namespace=leader.namespace, **environ)
            with other:
                assert not other.is_leading()
                yield Pair(leader, other, proxy, [f"{store_id}-{number}" for number in range(2)])


def wait_for_helm(pair: Pair, watch: HelmWatch) -> None:
    """Wait until helm works on every store."""
    wait_for(lambda: set(watch.now()) == set(pair.store_ids), "helm to be at work on every store", seconds=30)


def test_both_servers_return_the_same_stores_and_only_the_leader_acts(pair: Pair) -> None:
    with HelmWatch(pair.store_ids) as watch:
        pair.create_stores()
        pair.wait_until_ready()
    assert watch.overlaps == set()
    for store_id in pair.store_ids:
        assert len(watch.seen[store_id]) == 1
        assert events_of(pair.other.store(store_id), "TakenOver") == []
        wait_for(lambda each=store_id: pair.leader.store(each) == pair.other.store(each), "equal reports")  # type: ignore[misc]
    assert (pair.leader.is_leading(), pair.other.is_leading()) == (True, False)


def test_a_killed_leader_is_replaced_and_no_provision_is_lost(pair: Pair) -> None:
    with HelmWatch(pair.store_ids) as watch:
        pair.create_stores()
        wait_for_helm(pair, watch)
        pair.leader.kill()
        pair.wait_until_ready()
    assert watch.overlaps == set()
    assert pair.other.is_leading()
    for store_id in pair.store_ids:
        assert len(events_of(pair.other.store(store_id), "TakenOver")) == 1
    pair.leader.start()


def test_a_frozen_leader_is_fenced_and_steps_down_when_it_wakes(pair: Pair) -> None:
    with HelmWatch(pair.store_ids) as watch:
        pair.create_stores()
        wait_for_helm(pair, watch)
        before = {store_id: set(pids) for store_id, pids in watch.seen.items()}
        pair.leader.freeze()
        try:
            wait_for(lambda: not any(before[each] & watch.now()[each] for each in before), "its helm to be killed")
            pair.wait_until_ready()
        finally:
            pair.leader.thaw()
        wait_for(lambda: not pair.leader.is_leading(), "the first server to step down")
        after = {store_id: set(pids) for store_id, pids in watch.seen.items()}
        assert pair.other.is_leading()
        assert pair.leader.store(pair.store_ids[0]) == pair.other.store(pair.store_ids[0])
    assert watch.overlaps == set()
    assert watch.seen == after


def test_a_leader_cut_off_from_the_api_stops_before_the_other_begins(pair: Pair) -> None:
    with HelmWatch(pair.store_ids) as watch:
        pair.create_stores()
        wait_for_helm(pair, watch)
        with pair.proxy.black_hole():
            wait_for(lambda: not pair.leader.is_leading(), "the first server to step down")
            pair.wait_until_ready()
            assert pair.other.is_leading()
        wait_for(
            lambda: pair.leader.store(pair.store_ids[0]) == pair.other.store(pair.store_ids[0]),
            "its view to be current",
        )
        assert not pair.leader.is_leading()
    assert watch.overlaps == set()


def test_a_leader_that_stops_hands_over_immediately(pair: Pair) -> None:
    pair.leader.stop()
    wait_for(pair.other.is_leading, "the other server to lead", seconds=2 * float(LEASE_SECONDS))
    pair.leader.start()
