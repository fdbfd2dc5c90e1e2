"""The metrics of the informers, read at each scrape; nothing is counted here."""

from __future__ import annotations

from collections import Counter as Tally
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from reconciler.metrics import counters, gauges

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client.metrics_core import Metric

    from reconciler.cache.informer import Informer


class InformerCollector(Collector):
    """Reads the informers at each scrape; informers of the same kind are merged, with the larger age."""

    def __init__(self, informers: Sequence[Informer]) -> None:
        self._informers = informers

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of the informers."""
        ages: dict[str, float] = {}
        mismatches: Tally[str] = Tally()
        restarts: Tally[tuple[str, str]] = Tally()
        for informer in self._informers:
            kind = informer.resource.kind
            ages[kind] = max(ages.get(kind, 0.0), informer.seconds_since_last_response())
            mismatches[kind] += informer.mismatches
            restarts.update({(kind, reason.value): count for reason, count in informer.restarts.items()})
        yield gauges("urumi_watch_heard_age_seconds", "Time since the last response about a kind.", "kind", ages)
        yield counters(
            "urumi_watch_audit_mismatches",
            "Objects that a consistency check found wrong; must stay 0.",
            "kind",
            mismatches,
        )
        ends = CounterMetricFamily("urumi_watch_restarts", "Watches that ended, by reason.", labels=["kind", "reason"])
        for (kind, reason), count in sorted(restarts.items()):
            ends.add_metric((kind, reason), count)
        yield ends
