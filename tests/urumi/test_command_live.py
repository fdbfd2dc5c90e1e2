"""The commands that keep running: create --wait, delete --wait, events --follow, watch."""

import json

import pytest

from testing.peer.server import Peer
from testing.stores import event, failed, make_store, provisioning
from tests.urumi.command import Command, Running
from urumi.store import Phase
from urumi.wire import Snapshot, Store, StoreEvent, dump

NAMESPACE = event("NamespaceReady", "namespace store-shop-1", seconds=0.2)
INSTALLED = event("HelmInstalled", "revision 1", at=2)


def timeline(*events: StoreEvent) -> list[dict[str, object]]:
    """Return the timeline of a store as JSON."""
    return [dump(each) for each in events]


def wait_for_subscription(peer: Peer) -> Store:
    """Wait until the command has subscribed to its store, and return the store."""
    peer.wait_for_subscriptions(1)
    return peer.stores["shop-1"]


@pytest.fixture
def creation(urumi: Command, peer: Peer) -> Running:
    """`urumi create shop-1 --wait` after its subscription."""
    running = urumi.start("create", "shop-1", "--engine", "woocommerce", "--wait", "--timeout", "20")
    wait_for_subscription(peer)
    assert running.err_line() == "Store shop-1 requested (Pending)."
    assert running.err_line().startswith("Waiting up to 20 s")
    return running


def test_create_reports_each_event_once_and_ends_with_ready(creation: Running, peer: Peer) -> None:
    peer.put(provisioning(events=timeline(NAMESPACE)))
    assert creation.err_line() == "2026-11-24T10:00:00Z  NamespaceReady  namespace store-shop-1  (0.2 s)"
    peer.put(provisioning(events=timeline(NAMESPACE, INSTALLED)))
    assert creation.err_line() == "2026-11-24T10:00:02Z  HelmInstalled  revision 1"
    peer.put(provisioning(message="waiting for mariadb 0/1", events=timeline(NAMESPACE, INSTALLED)))
    assert creation.err_line() == "  5/5 health: waiting for mariadb 0/1"
    peer.put(make_store(events=timeline(NAMESPACE, INSTALLED), simulated=True))
    out, err = creation.rest()
    assert creation.wait() == 0
    assert out == ["shop-1  Ready  http://shop-1.127.0.0.1.nip.io"]
    assert [line for line in err if line.startswith("Store shop-1 is Ready")]
    assert err[-1].startswith("Containers are simulated")


def test_create_of_a_store_that_fails_reports_why_and_is_code_7(creation: Running, peer: Peer) -> None:
    peer.put(failed())
    out, err = creation.rest()
    assert (creation.wait(), out) == (7, ["shop-1  Failed  http://shop-1.127.0.0.1.nip.io"])
    assert err[-1] == "urumi: Store shop-1 is Failed: health: ImagePullBackOff: no image. Check the image."


def test_create_survives_a_restart_of_the_server(creation: Running, peer: Peer) -> None:
    peer.put(provisioning(events=timeline(NAMESPACE)))
    creation.err_line()
    peer.stop()
    assert creation.err_line().startswith("Reconnecting: ")
    peer.forget()
    peer.stores["shop-1"] = make_store(events=timeline(NAMESPACE, INSTALLED))
    peer.start()
    out, err = creation.rest()
    assert (creation.wait(), out) == (0, ["shop-1  Ready  http://shop-1.127.0.0.1.nip.io"])
    assert "Reconnected." in err
    assert len([line for line in err if "NamespaceReady" in line]) == 0
    assert len([line for line in err if "HelmInstalled" in line]) == 1


@pytest.mark.parametrize("way", ["deleting", "gone", "replaced"])
def test_create_ends_when_the_store_is_deleted_during_the_wait(creation: Running, peer: Peer, way: str) -> None:
    peer.put(provisioning())
    creation.err_line()
    if way == "deleting":
        peer.put(make_store(phase="Deleting"))
    elif way == "gone":
        peer.remove("shop-1")
    else:
        peer.put(make_store(uid="another"))
    _, err = creation.rest()
    assert creation.wait() == 7
    assert err[-1] == "urumi: Store shop-1 was deleted while waiting for it."


def test_create_ignores_the_deletion_of_an_older_store_with_the_same_id(urumi: Command, peer: Peer) -> None:
    older = make_store(uid="older", phase="Deleting")
    peer.opening = [Snapshot(epoch=peer.epoch, seq=0, stores=(older,), last=True)]
    running = urumi.start("create", "shop-1", "--engine", "woocommerce", "--wait")
    new = wait_for_subscription(peer)
    peer.put(older)
    peer.remove("shop-1")
    peer.put(new)
    peer.put(make_store())
    assert running.wait() == 0


def test_create_reports_the_progress_when_the_timeout_elapses(urumi: Command, peer: Peer) -> None:
    peer.put(provisioning())
    done = urumi("create", "shop-1", "--engine", "woocommerce", "--wait", "--timeout", "0.2")
    assert (done.code, done.out) == (7, "")
    last = done.err.splitlines()[-1]
    assert last.startswith("urumi: Store shop-1 is not Ready after 0.2 s: Provisioning, 5/5 health: waiting for")
    assert last.endswith("Run `urumi get shop-1` for details; the operation continues.")


def test_create_of_a_ready_store_ends_immediately_with_json(urumi: Command, peer: Peer) -> None:
    peer.put(make_store())
    done = urumi("create", "shop-1", "--engine", "woocommerce", "--wait", "--json")
    assert (done.code, done.json) == (0, dump(make_store()))


def test_ctrl_c_ends_the_wait_without_a_message(creation: Running, peer: Peer) -> None:
    creation.interrupt()
    assert creation.rest() == ([], [])
    assert creation.wait() == 130
    assert "shop-1" in peer.stores


def test_delete_waits_until_the_store_is_gone(urumi: Command, peer: Peer) -> None:
    peer.put(make_store(events=timeline(NAMESPACE)))
    peer.on_delete = lambda store_id: peer.put(make_store(phase="Deleting", events=timeline(NAMESPACE)))
    running = urumi.start("delete", "shop-1", "--yes", "--wait")
    peer.wait_for_subscriptions(1)
    peer.put(make_store(phase="Deleting", events=timeline(NAMESPACE, event("ReleaseUninstalled", "gone", at=3))))
    assert running.err_line().startswith("Deleting store shop-1. Waiting")
    assert running.err_line() == "2026-11-24T10:00:03Z  ReleaseUninstalled  gone"
    peer.remove("shop-1")
    assert running.rest() == (["shop-1  Deleted"], ["Store shop-1 is gone."])
    assert running.wait() == 0


def test_delete_notices_a_deletion_that_happened_while_disconnected(urumi: Command, peer: Peer) -> None:
    peer.put(make_store())
    peer.on_delete = lambda store_id: peer.put(make_store(phase="Deleting"))
    running = urumi.start("delete", "shop-1", "--yes", "--wait")
    peer.wait_for_lines()
    peer.stop()
    peer.forget()
    del peer.stores["shop-1"]
    running.err_line()
    peer.start()
    assert running.wait() == 0


def test_delete_that_takes_too_long_is_code_7(urumi: Command, peer: Peer) -> None:
    peer.put(make_store())
    progress = {"step": "namespace", "index": 2, "total": 3, "message": "a finalizer is left"}
    peer.on_delete = lambda store_id: peer.put(make_store(phase="Deleting", progress=progress))
    done = urumi("delete", "shop-1", "--yes", "--wait", "--timeout", "0.3")
    assert done.code == 7
    assert "is not gone after 0.3 s: Deleting, 2/3 namespace: a finalizer is left." in done.err


def test_events_follow_until_the_store_is_gone(urumi: Command, peer: Peer) -> None:
    peer.put(provisioning(events=timeline(NAMESPACE)))
    running = urumi.start("events", "shop-1", "--follow")
    assert "NamespaceReady" in running.out_line()
    peer.wait_for_lines()
    peer.put(make_store("shop-2", events=timeline(event("Other"))))
    peer.put(provisioning(events=timeline(NAMESPACE, INSTALLED)))
    assert "HelmInstalled" in running.out_line()
    peer.remove("shop-1")
    assert running.rest() == ([], ["Store shop-1 is gone."])
    assert running.wait() == 0


def test_followed_events_as_json_are_one_object_a_line(urumi: Command, peer: Peer) -> None:
    peer.put(provisioning(events=timeline(NAMESPACE, INSTALLED)))
    running = urumi.start("events", "shop-1", "--follow", "--json")
    assert [json.loads(running.out_line()) for _ in range(2)] == timeline(NAMESPACE, INSTALLED)


def test_watch_prints_existing_stores_and_then_each_change_once(urumi: Command, peer: Peer) -> None:
    peer.put(make_store("shop-1"))
    running = urumi.start("watch")
    assert _without_time(running.out_line()) == "shop-1  Ready  http://shop-1.127.0.0.1.nip.io"
    assert running.err_line() == "Watching 1 store. Press ctrl-c to stop."
    peer.put(provisioning("shop-2"))
    peer.put(provisioning("shop-2", attempts=2))
    peer.put(failed("shop-2"))
    peer.remove("shop-1")
    assert [_without_time(running.out_line()) for _ in range(3)] == [
        "shop-2  Provisioning  5/5 health: waiting for wordpress 0/1",
        "shop-2  Failed  health: ImagePullBackOff: no image",
        "shop-1  Deleted",
    ]
    running.interrupt()
    assert running.rest() == ([], [])
    assert running.wait() == 130


def test_watch_reports_a_lost_connection_and_repeats_nothing(urumi: Command, peer: Peer) -> None:
    peer.put(make_store("shop-1"))
    peer.put(make_store("shop-2"))
    running = urumi.start("watch")
    running.out_line()
    running.out_line()
    running.err_line()
    peer.stop()
    assert running.err_line().startswith("Reconnecting: the server closed the connection (1012 the server restarts).")
    peer.forget()
    peer.stores["shop-2"] = failed("shop-2")
    peer.start()
    assert _without_time(running.out_line()).startswith("shop-2  Failed")
    lines = iter(running.err_line, "Reconnected.")
    assert all(line.startswith("Reconnecting: ") for line in lines)
    peer.put(failed("shop-1"))
    assert _without_time(running.out_line()).startswith("shop-1  Failed")


def test_watch_selects_stores_and_names_the_missing_ones(urumi: Command, peer: Peer) -> None:
    peer.put(make_store("shop-1"))
    running = urumi.start("watch", "shop-9", "shop-1", "shop-9")
    assert running.err_line() == "Not found yet: shop-9."
    assert running.err_line() == "Watching 1 store. Press ctrl-c to stop."
    assert peer.subscriptions[0]["stores"] == ["shop-9", "shop-1"]


def test_watch_as_json_prints_every_change(urumi: Command, peer: Peer) -> None:
    running = urumi.start("watch", "--json")
    running.err_line()
    peer.put(provisioning("shop-1"))
    peer.put(provisioning("shop-1", attempts=2))
    peer.remove("shop-1")
    first, second, third = (json.loads(running.out_line()) for _ in range(3))
    assert {
        "op": "upsert",
        "storeId": "shop-1",
        "phase": "Provisioning",
        "uid": "uid-of-shop-1",
    }.items() <= first.items()
    assert first["message"] == "5/5 health: waiting for wordpress 0/1"
    assert (first["store"], second["store"]) == (dump(provisioning()), dump(provisioning(attempts=2)))
    assert (third["op"], third["phase"], "store" in third) == ("delete", "Deleted", False)


def test_watch_reports_when_the_server_loses_the_cluster(urumi: Command, peer: Peer) -> None:
    running = urumi.start("watch")
    running.err_line()
    peer.bookmark(age_seconds=61.0)
    peer.bookmark(age_seconds=95.0)
    peer.bookmark(age_seconds=105.0)
    peer.bookmark(age_seconds=0.5)
    peer.bookmark(age_seconds=4.0, cluster_error="The Kubernetes API at https://k:6443 does not answer: \x1brefused.")
    peer.bookmark()
    assert [running.err_line() for _ in range(4)] == [
        "No response from the cluster for 95 s; this may be out of date.",
        "The cluster responds again.",
        "No response from the cluster for 4 s; this may be out of date. "
        "The Kubernetes API at https://k:6443 does not answer: \\x1brefused.",
        "The cluster responds again.",
    ]


def test_a_token_that_stops_working_ends_a_watch(urumi: Command, peer: Peer) -> None:
    running = urumi.start("watch")
    running.err_line()
    peer.denial = 401
    peer.goodbye(retry_ms=1)
    _, err = running.rest()
    assert running.wait() == 5
    assert "the token was not accepted" in err[-1]


def test_a_hostile_message_stays_on_its_line(urumi: Command, peer: Peer) -> None:
    running = urumi.start("watch")
    running.err_line()
    peer.put(provisioning(message="a\nshop-9  Ready  \x1b[2J"))
    assert _without_time(running.out_line()) == "shop-1  Provisioning  5/5 health: a shop-9  Ready  \\x1b[2J"
    assert peer.stores["shop-1"].phase is Phase.PROVISIONING


def _without_time(line: str) -> str:
    return line.partition("  ")[2]
