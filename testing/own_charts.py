"""The engines' charts with other defaults, from which a server provisions."""

import shutil
from pathlib import Path

CHARTS = Path(__file__).resolve().parents[1] / "charts"


def changed_charts(folder: Path, old: str, new: str) -> Path:
    """Return a copy of both engines' charts with one line of values.yaml replaced."""
    copy = folder / "charts"
    for engine in ("medusa", "woocommerce"):
        shutil.copytree(CHARTS / engine, copy / engine, ignore=shutil.ignore_patterns("image"))
        values = copy / engine / "values.yaml"
        text = values.read_text()
        assert text.count(old) == 1, f"{values} should contain {old!r} once"
        values.write_text(text.replace(old, new))
    return copy
