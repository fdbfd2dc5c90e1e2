"""The time that the compiler still needs: from what it has done on this machine, never a constant."""

import pytest

from cluster.programs.golang.estimate import Estimate, Package, duration

# a <- b <- main, c <- main
PACKAGES = {
    "a": Package(100.0, ()),
    "b": Package(200.0, ("a",)),
    "c": Package(100.0, ()),
    "main": Package(400.0, ("b", "c", "unlisted")),
}


def test_before_anything_is_compiled_nothing_is_known() -> None:
    estimate = Estimate(PACKAGES)
    assert estimate.share() == 0
    assert estimate.seconds_left(10.0) is None


def test_the_speed_of_an_earlier_build_is_used_until_this_one_has_its_own() -> None:
    estimate = Estimate(PACKAGES, known_rate=80.0)
    assert estimate.seconds_left(0.0) == 10.0
    estimate.begins("a")
    estimate.begins("b")
    assert estimate.rate(30.0) == 10.0
    assert estimate.seconds_left(30.0) == 70.0


def test_what_a_compiled_package_imports_is_done_even_if_it_was_kept_from_before() -> None:
    estimate = Estimate(PACKAGES)
    estimate.begins("main")
    assert estimate.share() == 0.5
    assert estimate.seconds_left(4.0) == 4.0


def test_other_output_of_go_is_not_a_package() -> None:
    estimate = Estimate(PACKAGES)
    estimate.begins("go: downloading example.com v1.0.0")
    assert estimate.share() == 0


def test_without_packages_everything_is_done() -> None:
    assert Estimate({}).share() == 1.0


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "10 s"), (11.0, "20 s"), (49.0, "50 s"), (61.0, "1 min"), (200.0, "3 min")]
)
def test_a_duration_is_as_coarse_as_it_is_long(seconds: float, text: str) -> None:
    assert duration(seconds) == text
