"""The build step that copies charts and Store definition into the package, so that a wheel works without a checkout.

    charts/<engine>/ -> reconciler/charts/<engine>/     what Helm reads; no image sources, no values for chart tools
    crds/            -> reconciler/crds/

setuptools runs it through `[tool.setuptools.cmdclass]` in pyproject.toml. An editable installation copies nothing:
`reconciler.package_data` finds the folders of the checkout.
"""

import shutil
from pathlib import Path

from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent.parent
NOT_ENGINES = ("platform", "common")
UNPACKAGED = shutil.ignore_patterns("image", "ci", ".DS_Store", "*.swp", "*.orig", "*~")


class BuildPy(build_py):
    """Builds the Python packages and then copies the data."""

    def run(self) -> None:
        """Build the packages."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "reconciler"
        for name in ("charts", "crds"):
            shutil.rmtree(target / name, ignore_errors=True)
        shutil.copytree(ROOT / "crds", target / "crds")
        charts = [path.parent for path in (ROOT / "charts").glob("*/Chart.yaml") if path.parent.name not in NOT_ENGINES]
        for chart in charts:
            shutil.copytree(chart, target / "charts" / chart.name, ignore=UNPACKAGED)
