"""The copies of shared files inside the charts, which scripts/charts.py writes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the script."""
    command = [sys.executable, str(ROOT / "scripts" / "charts.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the charts and of the Store definition."""
    for name in ("charts", "crds"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("image"))
    return tmp_path


def test_every_copy_equals_its_source() -> None:
    done = run("--check")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("source", "copies"),
    [
        (
            "charts/common/templates/_urumi.tpl",
            [f"charts/{engine}/charts/common/templates/_urumi.tpl" for engine in ("medusa", "woocommerce")],
        ),
        (
            "charts/common/definitions.json",
            [f"charts/{engine}/values.schema.json" for engine in ("medusa", "woocommerce")],
        ),
        ("crds/stores.yaml", ["charts/platform/files/stores.yaml"]),
    ],
    ids=["templates", "definitions", "store"],
)
def test_a_changed_source_is_reported_until_its_copies_are_written(
    checkout: Path, source: str, copies: list[str]
) -> None:
    changed = checkout / source
    changed.write_text(changed.read_text().replace("The ", "Here the ", 1))

    done = run("--check", str(checkout))

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{copy} differs from its source. Run: python scripts/charts.py" for copy in copies
    ]
    assert run(str(checkout)).returncode == 0
    assert run("--check", str(checkout)).returncode == 0


def test_a_template_that_was_removed_from_the_library_is_removed_from_the_charts(checkout: Path) -> None:
    extra = checkout / "charts" / "medusa" / "charts" / "common" / "templates" / "_old.tpl"
    extra.write_text("{{/* removed */}}\n")

    assert run("--check", str(checkout)).returncode == 1
    run(str(checkout))
    assert not extra.exists()
