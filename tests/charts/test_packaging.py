"""The files of a package of a chart, and the notes that it prints."""

import shutil
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.charts.conftest import CHARTS

if TYPE_CHECKING:
    from tests.charts.conftest import Chart


def test_the_source_of_the_image_stays_out_of_the_release(chart: "Chart", tmp_path: Path) -> None:
    """A release stores its chart in one Secret of at most 1 MiB, and node_modules alone is 700 times as large."""
    copy = tmp_path / chart.engine
    shutil.copytree(chart.path, copy)
    (copy / "image" / "src").mkdir(parents=True, exist_ok=True)
    (copy / "image" / "src" / "big.bin").write_bytes(bytes(2**21))

    done = chart.tools.helm("package", str(copy), "--destination", str(tmp_path))

    assert done.exit_code == 0, done.stderr
    [archive] = tmp_path.glob("*.tgz")
    with tarfile.open(archive) as package:
        names = package.getnames()
    assert f"{chart.engine}/charts/common/templates/_urumi.tpl" in names
    assert not [name for name in names if name.split("/")[1] in ("image", "ci")]


def test_the_notes_say_where_the_shop_is_and_how_to_sign_in(chart: "Chart", store_values: dict[str, Any]) -> None:
    where = (f"{chart.engine}-shop-a", str(chart.path), "--namespace", "store-shop-a")
    done = chart.tools.helm("install", *where, "--dry-run=client", values=store_values)

    assert done.exit_code == 0, done.stderr
    notes = done.stdout.split("NOTES:")[1]
    admin = {"woocommerce": "/wp-admin/", "medusa": "/app"}[chart.engine]
    assert f"http://shop-a.127.0.0.1.nip.io{admin}" in notes
    assert "kubectl -n store-shop-a get secret store-admin" in notes


def test_every_chart_ignores_the_same_files() -> None:
    assert len({path.read_bytes() for path in CHARTS.glob("*/.helmignore")}) == 1
