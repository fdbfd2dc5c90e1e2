"""The pins of finished programs: complete, of the versions in go.mod, and with two sources for each sum."""

import re
import tomllib

import pytest

from cluster.programs.recipe import Recipe
from cluster.programs.sources.pins import PINS, Pins

PLATFORMS = ["linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64"]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_pin_is_of_a_program_in_the_version_that_go_mod_pins(platform: str) -> None:
    versions = {program.name: program.version for program in Recipe.read().programs}
    pins = Pins.read(platform)
    assert pins.releases
    for pin in (*pins.releases, *pins.wheels):
        assert versions[pin.program] == pin.version
        assert re.fullmatch(r"[0-9a-f]{64}", pin.sha256)
        assert pin.version.removeprefix("v") in pin.origin or pin in pins.wheels


def test_each_sum_of_a_release_file_has_two_sources() -> None:
    for release in tomllib.loads(PINS.read_text())["release"]:
        assert len(release["sources"]) == 2, release["program"]


def test_a_wheel_is_one_version_of_a_package() -> None:
    for pin in Pins.read("linux/amd64").wheels:
        assert re.fullmatch(r"[a-z0-9.-]+==[0-9.]+", pin.origin)


def test_an_unknown_platform_has_no_pins() -> None:
    assert Pins.read("plan9/386") == Pins((), ())
