"""What the platform counts about itself, for Prometheus; the server shows it under /metrics.

Counters and histograms are of the process and are counted where something happens:

    HELM_SECONDS.labels("upgrade").observe(seconds)

What can be read at any time (stores, silence, restarts) is not counted but read when somebody asks, by collectors of
the one who has it. No label ever holds a store, a user or anything else that has no end.
"""

from __future__ import annotations

from collections import Counter as Tally
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from prometheus_client.metrics_core import Metric

    from reconciler.cache.informer import Informer

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

RECONCILE_SECONDS = Histogram(
    "urumi_reconcile_seconds",
    "One reconcile of one store, waiting for workloads not included.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
PROVISION_SECONDS = Histogram(
    "urumi_provision_seconds",
    "From the request for a store to Ready, for stores that became Ready.",
    buckets=(1, 2.5, 5, 10, 20, 30, 60, 90, 120, 180, 240, 300, 420, 600),
    registry=REGISTRY,
)
FAILURES = Counter(
    "urumi_failures",
    "Steps that failed, by what is done about it: transient, configuration, blocked or timeout.",
    ["reason"],
    registry=REGISTRY,
)
DRIFT_CORRECTIONS = Counter(
    "urumi_drift_corrections",
    "Objects that somebody else changed or deleted and that were put back.",
    ["kind"],
    registry=REGISTRY,
)
STATUS_WRITES = Counter("urumi_status_writes", "Writes of a store's status.", registry=REGISTRY)
HELM_PROCESSES = Gauge("urumi_helm_processes", "Helm processes that run now.", registry=REGISTRY)
HELM_SECONDS = Histogram(
    "urumi_helm_seconds",
    "One run of Helm.",
    ["verb"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120),
    registry=REGISTRY,
)

# Series that exist from the start, so that a first failure is a step from 0 and not a series out of nowhere.
for _reason in ("transient", "configuration", "blocked", "timeout"):
    FAILURES.labels(_reason)


class InformerCollector(Collector):
    """Reads informers when somebody asks; two informers of one kind are told as one, by the older copy."""

    def __init__(self, informers: Sequence[Informer]) -> None:
        self._informers = informers

    def collect(self) -> Iterator[Metric]:
        """Yield what informers know of themselves."""
        silence: dict[str, float] = {}
        mismatches: Tally[str] = Tally()
        restarts: Tally[tuple[str, str]] = Tally()
        for informer in self._informers:
            kind = informer.resource.kind
            silence[kind] = max(silence.get(kind, 0.0), informer.seconds_since_last_response())
            mismatches[kind] += informer.mismatches
            restarts.update({(kind, reason.value): count for reason, count in informer.restarts.items()})
        yield gauges("urumi_watch_heard_age_seconds", "Since when the API said nothing about a kind.", "kind", silence)
        yield counters("urumi_watch_audit_mismatches", "Objects whose copy was wrong; must stay 0.", "kind", mismatches)
        ends = CounterMetricFamily("urumi_watch_restarts", "Streams that ended, and why.", labels=["kind", "reason"])
        for (kind, reason), count in sorted(restarts.items()):
            ends.add_metric((kind, reason), count)
        yield ends


def gauges(name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
    """Return gauges that were just read, one for each value of a label."""
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for value_of_label, value in values.items():
        family.add_metric((value_of_label,), value)
    return family


def counters(name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
    """Return counters that were just read, one for each value of a label."""
    family = CounterMetricFamily(name, help_text, labels=[label])
    for value_of_label, value in values.items():
        family.add_metric((value_of_label,), value)
    return family
