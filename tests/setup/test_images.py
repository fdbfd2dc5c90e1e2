"""The server's image: its locked dependencies, its base images, and what the chart expects of it."""

import re
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.setup.checkout import SOURCE


def locked() -> dict[str, str]:
    """Return the version of every package in the image, by its name."""
    pins = re.findall(r"^([a-z0-9.-]+)==(\S+) \\\n    --hash=sha256:", requirements(), re.MULTILINE)
    return dict(pins)


def requirements() -> str:
    """Return the lock."""
    return (SOURCE / "server" / "requirements.txt").read_text()


def test_the_lock_has_every_dependency_in_its_range() -> None:
    declared = re.search(r"^dependencies = \[\n(.*?)^\]", (SOURCE / "pyproject.toml").read_text(), re.M | re.S)
    assert declared is not None
    wanted = [Requirement(text) for text in re.findall(r'^  "(.+?)"', declared[1], re.M)]
    found = locked()
    wrong = [str(each) for each in wanted if found.get(canonicalize_name(each.name), "none") not in each.specifier]
    assert len(wanted) > 5
    assert not wrong, f"server/requirements.txt lacks {wrong}: run scripts/lock"


def test_every_package_of_the_lock_has_a_checksum() -> None:
    assert len(locked()) == len(re.findall(r"^\S+==", requirements(), re.M)) > 30


@pytest.mark.parametrize("name", ["GO_IMAGE", "PYTHON_IMAGE"])
def test_a_base_image_has_an_exact_tag_and_can_be_replaced(name: str) -> None:
    dockerfile = (SOURCE / "server" / "Dockerfile").read_text()
    [image] = re.findall(rf"^ARG {name}=(\S+)$", dockerfile, re.M)
    assert re.fullmatch(r"\S+:\d+\.\d+\.\d+-[a-z-]+", image)
    assert f"FROM ${{{name}}}" in dockerfile


def test_the_image_has_the_user_and_the_charts_that_the_chart_expects() -> None:
    dockerfile = (SOURCE / "server" / "Dockerfile").read_text()
    values = yaml.safe_load((SOURCE / "charts" / "platform" / "values.yaml").read_text())
    assert f"USER {values['runAsUser']}:{values['runAsUser']}" in dockerfile
    assert "COPY charts /usr/share/urumi/charts" in dockerfile
    for engine in ("woocommerce", "medusa"):
        assert (Path(SOURCE) / "charts" / engine / "Chart.yaml").is_file()
