"""Values as text: durations, ages, times, counts, addresses."""

from datetime import timedelta

import pytest

from testing.stores import START
from tui.text.values import age, clock, duration, host_of, moment, plural, web_address


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "<0.1 s"),
        (0.24, "0.2 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (60.0, "1 min"),
        (83.0, "1 min 23 s"),
        (3600.0, "1 h"),
        (3660.0, "1 h 1 min"),
        (90000.0, "25 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (86400, "24 h"), (172800, "2 d")]
)
def test_ages(seconds: float, text: str) -> None:
    assert age(seconds) == text


def test_times_of_another_day_have_the_day() -> None:
    assert clock(START, START) == "10:00:00"
    assert clock(START, START + timedelta(days=1)) == "24 Nov 10:00:00"


def test_a_moment_has_date_and_time_zone() -> None:
    assert moment(START) == "24 Nov 2026 10:00:00 UTC"


def test_counts() -> None:
    assert (plural(1, "store"), plural(10_000, "store")) == ("1 store", "10,000 stores")
    assert plural(2, "address", "addresses") == "2 addresses"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "//x", "http://", "http://[::1", "", "ftp://x"])
def test_only_web_addresses_are_followed(address: str) -> None:
    assert web_address(address) == ""
    assert host_of(address) == address
