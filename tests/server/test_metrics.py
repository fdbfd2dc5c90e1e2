"""GET /metrics of a server on a real cluster: complete from the start, correct, with bounded labels."""

import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from urumi.wire import SUBPROTOCOL

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(server: ServerProcess) -> Samples:
    """Return every sample by its name and labels, as Prometheus reads them."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        text = answer.read().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    """Return one sample."""
    return samples[name, frozenset(labels.items())]


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("urumi_stores", {"phase": "Ready"}),
        ("urumi_stores", {"phase": "Degraded"}),
        ("urumi_watch_heard_age_seconds", {"kind": "Store"}),
        ("urumi_watch_audit_mismatches_total", {"kind": "Pod"}),
        ("urumi_reconcile_seconds_count", {}),
        ("urumi_provision_seconds_bucket", {"le": "600.0"}),
        ("urumi_failures_total", {"reason": "transient"}),
        ("urumi_helm_processes", {}),
        ("urumi_status_writes_total", {}),
        ("urumi_leader", {}),
        ("urumi_queue_depth", {}),
        ("urumi_ws_clients", {}),
        ("urumi_ws_dropped_total", {"reason": "slow"}),
        ("urumi_ws_send_seconds_count", {}),
        ("process_resident_memory_bytes", {}),
    ],
)
def test_every_documented_metric_is_exported(platform: ServerProcess, name: str, labels: dict[str, str]) -> None:
    assert value(scrape(platform), name, **labels) >= 0


def test_stores_are_counted_by_phase(platform: ServerProcess, store_id: str) -> None:
    before = value(scrape(platform), "urumi_stores", phase="Ready")
    platform.create(store_id)
    platform.wait_for_phase(store_id, "Ready")
    assert value(scrape(platform), "urumi_stores", phase="Ready") == before + 1
    platform.call("DELETE", f"/stores/{store_id}")
    platform.wait_until_gone(store_id)
    assert value(scrape(platform), "urumi_stores", phase="Ready") == before


def test_the_only_server_leads_and_no_consistency_check_failed(platform: ServerProcess) -> None:
    wait_for(lambda: value(scrape(platform), "urumi_leader") == 1, "the server to lead")
    samples = scrape(platform)
    wrong = {labels for (name, labels), count in samples.items() if "mismatches_total" in name and count}
    assert wrong == set()
    ages = [age for (name, _), age in samples.items() if name == "urumi_watch_heard_age_seconds"]
    assert len(ages) >= 12
    assert max(ages) < 75


def test_requests_are_counted_by_route_and_never_by_path(platform: ServerProcess) -> None:
    for path in ("/stores/no-such-store-1", "/stores/no-such-store-2"):
        assert platform.call("GET", path)[0] == 404
    for number in range(3):
        assert platform.call("GET", f"/odd/{number}")[0] == 404
    assert platform.call("PUT", "/stores")[0] == 405
    assert platform.call("BREW", "/stores")[0] == 405
    samples = scrape(platform)

    def count(route: str, method: str, code: str) -> float:
        return value(samples, "urumi_http_requests_total", route=route, method=method, code=code)

    assert count("/stores/{store_id}", "GET", "404") >= 2
    assert count("none", "GET", "404") >= 3
    assert count("/stores", "PUT", "405") >= 1
    assert count("/stores", "other", "405") >= 1
    routes = {dict(labels)["route"] for name, labels in samples if name == "urumi_http_requests_total"}
    assert {route for route in routes if "no-such" in route or "odd" in route} == set()


def test_live_subscribers_are_counted_while_they_are_connected(platform: ServerProcess) -> None:
    url = platform.url.replace("http", "ws") + "/ws"
    before = value(scrape(platform), "urumi_ws_clients")
    headers = {"Authorization": f"Bearer {platform.token}"}
    with connect(url, additional_headers=headers, subprotocols=[Subprotocol(SUBPROTOCOL)]) as socket:
        socket.send('{"type": "subscribe", "stores": "all"}')
        socket.recv(10)
        wait_for(lambda: value(scrape(platform), "urumi_ws_clients") == before + 1, "the subscriber to be counted")
    wait_for(lambda: value(scrape(platform), "urumi_ws_clients") == before, "the subscriber to be gone")
    samples = scrape(platform)
    assert value(samples, "urumi_ws_send_seconds_count") >= 2
    assert value(samples, "urumi_http_requests_total", route="/ws", method="GET", code="101") >= 1


def test_no_label_names_a_store(platform: ServerProcess, kubectl: Kubectl, store_id: str) -> None:
    platform.create(store_id)
    platform.wait_for_phase(store_id, "Ready")
    with urllib.request.urlopen(f"{platform.url}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    assert store_id not in text
    assert platform.namespace not in text
    assert "127.0.0.1" not in text
