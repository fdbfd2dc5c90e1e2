"""The metrics of the informers: informers of one kind are merged, the oldest copy counts."""

import time

from reconciler.cache.collector import InformerCollector
from reconciler.cache.informer import Informer
from reconciler.cache.reflector import Restart
from reconciler.kube.resources import SECRETS, STORES, Resource
from testing.apiserver.server import ApiServer


def informer(resource: Resource, *, age_seconds: float, mismatches: int = 0) -> Informer:
    """Return an informer whose last response is some time ago."""
    found = Informer(ApiServer(), resource)
    found.mismatches = mismatches
    found._reflector._last_response_at = time.monotonic() - age_seconds
    return found


def test_informers_of_one_kind_are_merged() -> None:
    first, second = informer(SECRETS, age_seconds=5, mismatches=1), informer(SECRETS, age_seconds=60, mismatches=2)
    first.restarts[Restart.ENDED] = 2
    second.restarts[Restart.ENDED] = 3
    second.restarts[Restart.SILENT] = 1
    collector = InformerCollector([first, second, informer(STORES, age_seconds=0)])
    values = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in collector.collect()
        for sample in family.samples
    }
    assert 60 <= values["urumi_watch_heard_age_seconds", "Secret"] < 3600
    assert values["urumi_watch_heard_age_seconds", "Store"] < 60
    assert values["urumi_watch_audit_mismatches_total", "Secret"] == 3
    assert values["urumi_watch_restarts_total", "Secret", "ended"] == 5
    assert values["urumi_watch_restarts_total", "Secret", "silent"] == 1
