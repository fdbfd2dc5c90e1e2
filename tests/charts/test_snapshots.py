"""What a chart renders, whole, beside the files that say what it rendered before: a diff to read in review.

One file for what the platform gives on one machine and one for production, an engine. After a wanted change:
`RENEW_SNAPSHOTS=1 ./setup.sh test tests/charts/test_snapshots.py`, and read the diff.
"""

import os
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.charts.conftest import Chart

SNAPSHOTS = Path(__file__).with_name("snapshots")

# What a production of one's own would lay over the values of one machine, by engine; `{}` is production without it.
PRODUCTION: dict[str, dict[str, Any]] = {
    "woocommerce": {
        "mail": {"host": "smtp.example.com", "from": "shop@example.com", "secretName": "store-mail"},
        "shop": {"country": "IN:KA", "currency": "INR", "shippingCost": "49"},
        "networkPolicy": {"enabled": True, "callers": ["traefik"]},
    },
    "medusa": {},
}


def production(values: dict[str, Any], engine: str) -> dict[str, Any]:
    """The same store with TLS under a domain of its own, on a named class of storage."""
    changed = deepcopy(values)
    changed["store"] |= {"host": "shop-a.example.com", "scheme": "https"}
    changed["ingress"]["tls"] = {"enabled": True, "secretName": "shop-a-tls"}
    changed["storage"] = {"className": "fast"}
    return changed | PRODUCTION[engine]


@pytest.mark.parametrize("name", ["local", "production"])
def test_the_chart_renders_what_it_did(chart: "Chart", store_values: dict[str, Any], name: str) -> None:
    snapshot = SNAPSHOTS / f"{chart.engine}-{name}.yaml"
    values = store_values if name == "local" else production(store_values, chart.engine)
    done = chart.template(values)
    assert done.exit_code == 0, done.stderr

    if os.environ.get("RENEW_SNAPSHOTS"):
        snapshot.parent.mkdir(exist_ok=True)
        snapshot.write_text(done.stdout)

    assert snapshot.read_text() == done.stdout, f"{snapshot.name} differs; renew it with RENEW_SNAPSHOTS=1"
