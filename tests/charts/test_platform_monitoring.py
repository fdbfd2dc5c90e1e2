"""The rules and the dashboard for Prometheus and Grafana use metrics that the server exports under /metrics."""

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.setup.checkout import SOURCE
from urumi.store import Phase

if TYPE_CHECKING:
    from testing.serve import ServerProcess
    from tests.charts.conftest import Chart, Manifest, Rendered

ALL_ON = {
    "monitoring": {
        "serviceMonitor": {"enabled": True, "labels": {"release": "kube-prometheus-stack"}},
        "rules": {"enabled": True, "provisionP95Seconds": 123, "watchAgeSeconds": 77},
        "dashboard": {"enabled": True},
    }
}
# The names of a metric family in queries, by type.
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
OPERATIONS = SOURCE / "docs" / "operations.md"
METRIC = re.compile(r"\b(?:urumi|process)_[a-z_]+\b")
PHASE = re.compile(r'phase="(\w+)"')
# The labels that Prometheus adds to a series of a pod.
SCRAPED = {"namespace", "job", "pod"}


@pytest.fixture
def engine() -> str:
    """The folder of the chart."""
    return "platform"


@pytest.fixture
def store_values() -> dict[str, Any]:
    """Everything for Prometheus and Grafana."""
    return ALL_ON


@pytest.fixture
def rules(rendered: "Rendered") -> "list[Manifest]":
    """The alerts."""
    [group] = rendered.named("PrometheusRule", "urumi")["spec"]["groups"]
    found: list[Manifest] = group["rules"]
    return found


@pytest.fixture
def dashboard(rendered: "Rendered") -> Any:
    """The dashboard as Grafana reads it."""
    return json.loads(rendered.named("ConfigMap", "urumi-dashboard")["data"]["urumi.json"])


@pytest.fixture
def queries(rules: "list[Manifest]", dashboard: Any) -> list[str]:
    """Every Prometheus query."""
    return [rule["expr"] for rule in rules] + [
        target["expr"] for panel in dashboard["panels"] for target in panel["targets"]
    ]


@pytest.fixture
def exported(platform: "ServerProcess") -> dict[str, set[str]]:
    """The labels of every metric of a running server, by the name that a query uses."""
    with urllib.request.urlopen(f"{platform.url}/metrics", timeout=10) as answer:
        return dict(labels_by_name(answer.read().decode()))


def labels_by_name(text: str) -> Iterator[tuple[str, set[str]]]:
    """Yield what a query may use, including families without a series."""
    for family in text_string_to_metric_families(text):
        labels = {label for sample in family.samples for label in sample.labels}
        for suffix in SUFFIXES.get(family.type, ()):
            yield family.name + suffix, labels


def test_every_metric_of_a_query_exists(queries: list[str], exported: dict[str, set[str]]) -> None:
    asked = {name for query in queries for name in METRIC.findall(query)}
    assert len(asked) > 15
    assert asked - exported.keys() == set()


def test_every_label_of_a_grouping_exists(queries: list[str], exported: dict[str, set[str]]) -> None:
    # Helm has not run in every server; the label is taken from the code.
    exported["urumi_helm_seconds_bucket"] |= {"verb", "le"}
    exported["urumi_drift_corrections_total"] |= {"kind"}
    exported["urumi_watch_restarts_total"] |= {"kind", "reason"}
    exported["urumi_http_requests_total"] |= {"code"}
    for query in queries:
        known = SCRAPED.union(*(exported[name] for name in METRIC.findall(query)))
        grouped = {label for by in re.findall(r"by \(([^)]*)\)", query) for label in by.split(", ")}
        assert grouped <= known, query


def test_every_phase_of_a_query_exists(queries: list[str]) -> None:
    asked = {phase for query in queries for phase in PHASE.findall(query)}
    assert asked >= {"Failed", "Degraded"}
    assert asked <= {phase.value for phase in Phase}


def test_every_alert_has_an_action_and_a_severity(rules: "list[Manifest]") -> None:
    for rule in rules:
        assert rule["annotations"].keys() == {"summary", "action"}, rule["alert"]
        assert rule["labels"]["severity"] in ("warning", "critical")


def test_what_an_alert_points_to_is_in_the_documentation(rules: "list[Manifest]") -> None:
    actions = "\n".join(rule["annotations"]["action"] for rule in rules)
    named = re.findall(r"docs/operations\.md: ([a-z ]+)", actions)
    headings = re.findall(r"^### (.+)$", OPERATIONS.read_text(), re.MULTILINE)
    assert len(named) == 3
    assert set(named) <= {heading.lower() for heading in headings}


def test_every_threshold_of_the_values_is_used_in_its_alert(rules: "list[Manifest]") -> None:
    expressions = {rule["alert"]: rule["expr"] for rule in rules}
    assert expressions["UrumiProvisionsSlow"].endswith("> 123")
    assert expressions["UrumiWatchSilent"].endswith("> 77")
    assert {"UrumiFailures", "UrumiStoresStalled", "UrumiNobodyLeads"} <= expressions.keys()


def test_the_queries_of_the_rules_are_of_this_installation_only(rules: "list[Manifest]") -> None:
    for rule in rules:
        selectors = re.findall(r"\{(.*?)\}", rule["expr"])
        assert selectors
        assert all('namespace="store-shop-a", job="urumi"' in each for each in selectors), rule["expr"]


def test_the_panels_do_not_overlap(dashboard: Any) -> None:
    cells = [
        (x, y)
        for panel in dashboard["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_prometheus_finds_the_service_and_the_network_policy_allows_it(rendered: "Rendered") -> None:
    monitor = rendered.named("ServiceMonitor", "urumi")
    service = rendered.named("Service", "urumi")
    [endpoint] = monitor["spec"]["endpoints"]
    [rule] = rendered.named("NetworkPolicy", "urumi")["spec"]["ingress"]

    assert monitor["metadata"]["labels"]["release"] == "kube-prometheus-stack"
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
    assert "monitoring" in rule["from"][0]["namespaceSelector"]["matchExpressions"][0]["values"]


def test_monitoring_objects_are_rendered_only_if_enabled(chart: "Chart") -> None:
    plain = chart.render({})
    assert plain.of_kind("ServiceMonitor", "PrometheusRule") == []
    assert [found["metadata"]["name"] for found in plain.of_kind("ConfigMap")] == ["urumi"]
