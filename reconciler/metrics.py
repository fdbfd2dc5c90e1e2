"""The metrics of the reconciler, for Prometheus; the server serves them under /metrics.

Counters and histograms belong to the process and are updated where something happens:

    HELM_SECONDS.labels("upgrade").observe(seconds)

State that can be read at any time (stores, ages, restarts) is read by collectors at each scrape. Labels have a bounded
number of values: never a store or a user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client.metrics_core import Metric


REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

RECONCILE_SECONDS = Histogram(
    "urumi_reconcile_seconds",
    "Duration of one reconcile of one store, without waiting for workloads.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
PROVISION_SECONDS = Histogram(
    "urumi_provision_seconds",
    "Time from the request for a store until it is Ready.",
    buckets=(1, 2.5, 5, 10, 20, 30, 60, 90, 120, 180, 240, 300, 420, 600),
    registry=REGISTRY,
)
FAILURES = Counter(
    "urumi_failures",
    "Failed steps by class: transient, configuration, blocked or timeout.",
    ["reason"],
    registry=REGISTRY,
)
DRIFT_CORRECTIONS = Counter(
    "urumi_drift_corrections",
    "Out-of-band changes and deletions that were reverted.",
    ["kind"],
    registry=REGISTRY,
)
STATUS_WRITES = Counter("urumi_status_writes", "Status writes of stores.", registry=REGISTRY)
HELM_PROCESSES = Gauge("urumi_helm_processes", "Running Helm processes.", registry=REGISTRY)
HELM_SECONDS = Histogram(
    "urumi_helm_seconds",
    "Duration of one Helm process.",
    ["verb"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120),
    registry=REGISTRY,
)

# Created at start, so that a first failure is an increase from 0 for rate().
for _reason in ("transient", "configuration", "blocked", "timeout"):
    FAILURES.labels(_reason)


def gauges(name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
    """Return current gauges, one for each value of a label."""
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for value_of_label, value in values.items():
        family.add_metric((value_of_label,), value)
    return family


def counters(name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
    """Return current counters, one for each value of a label."""
    family = CounterMetricFamily(name, help_text, labels=[label])
    for value_of_label, value in values.items():
        family.add_metric((value_of_label,), value)
    return family
