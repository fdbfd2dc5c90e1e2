"""Everything that a chart renders, compared with the files in snapshots/, so that a change is a diff in review.

Each engine has one file with the values of the platform on one machine, and one with `ci/production-values.yaml` merged
into them. After an intended change, run `RENEW_SNAPSHOTS=1 ./setup.sh test tests/charts/test_snapshots.py` and read the
diff.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from reconciler.store.desired import deep_merge

if TYPE_CHECKING:
    from tests.charts.conftest import Chart

SNAPSHOTS = Path(__file__).with_name("snapshots")


@pytest.mark.parametrize("name", ["local", "production"])
def test_the_chart_renders_its_snapshot(chart: "Chart", store_values: dict[str, Any], name: str) -> None:
    snapshot = SNAPSHOTS / f"{chart.engine}-{name}.yaml"
    own = yaml.safe_load((chart.path / "ci" / f"{name}-values.yaml").read_text())
    values = store_values if name == "local" else deep_merge(store_values, own)
    done = chart.template(values)
    assert done.exit_code == 0, done.stderr

    if os.environ.get("RENEW_SNAPSHOTS"):
        snapshot.parent.mkdir(exist_ok=True)
        snapshot.write_text(done.stdout)

    assert snapshot.read_text() == done.stdout, f"{snapshot.name} differs; renew it with RENEW_SNAPSHOTS=1"
