"""The charts as chart tools such as `ct` use them: linted, and rendered with each of their ci/*-values.yaml."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.charts.conftest import CHARTS

if TYPE_CHECKING:
    from tests.charts.conftest import Tools

ALL = sorted(path.parent for path in CHARTS.glob("*/Chart.yaml"))
CASES = sorted(CHARTS.glob("*/ci/*-values.yaml"))


def test_every_chart_that_can_be_installed_has_values_for_the_tools() -> None:
    assert {case.parents[1] for case in CASES} == set(ALL) - {CHARTS / "common"}


def test_lint_finds_nothing_in_the_charts_as_they_are(tools: "Tools") -> None:
    done = tools.helm("lint", "--strict", *map(str, ALL))
    assert done.exit_code == 0, done.stdout
    assert f"{len(ALL)} chart(s) linted, 0 chart(s) failed" in done.stdout + done.stderr


@pytest.mark.parametrize("values", CASES, ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_lint_and_template_pass_with_the_values_of_the_chart(tools: "Tools", values: Path) -> None:
    chart = str(values.parents[1])
    for command in (["lint", "--strict", chart], ["template", "name", chart]):
        done = tools.helm(*command, "--values", str(values))
        assert done.exit_code == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["woocommerce", "medusa"])
def test_the_library_is_found_without_a_dependency_build(tools: "Tools", name: str) -> None:
    done = tools.helm("dependency", "list", str(CHARTS / name))
    assert done.stdout.splitlines()[1].split() == ["common", "0.1.0", "file://../common", "unpacked"]


@pytest.mark.parametrize("name", ["woocommerce", "medusa"])
@pytest.mark.parametrize("key", ["common.x", "global.x", "common.global.x"])
def test_the_library_has_nothing_to_set(tools: "Tools", name: str, key: str) -> None:
    values = str(CHARTS / name / "ci" / "local-values.yaml")
    done = tools.helm("template", "name", str(CHARTS / name), "--values", values, "--set", f"{key}=1")
    assert done.exit_code != 0
    assert "not allowed" in done.stderr
