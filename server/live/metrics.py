"""The metrics of the live feed."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from reconciler.metrics import REGISTRY

DROPPED = Counter(
    "urumi_ws_dropped", "Live subscribers that the server dropped, by reason.", ["reason"], registry=REGISTRY
)
SEND_SECONDS = Histogram(
    "urumi_ws_send_seconds",
    "Time until a live subscriber read what was sent to it; changes that it read at once are not measured.",
    buckets=(0.0005, 0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5),
    registry=REGISTRY,
)
for _reason in ("slow", "forgotten"):
    DROPPED.labels(_reason)
