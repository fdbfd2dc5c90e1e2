"""Values in words, and a store as YAML."""

from datetime import timedelta

import pytest

from testing.stores import START, event, failed, make_store, provisioning
from tui.text.values import (
    age,
    attempt_words,
    clock,
    duration,
    host_of,
    now_words,
    plural,
    since_words,
    web_address,
)
from tui.text.yaml import yaml_text
from urumi.wire import Store


@pytest.mark.parametrize(
    ("seconds", "words"),
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
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (86400, "24 h"), (172800, "2 d")]
)
def test_ages(seconds: float, words: str) -> None:
    assert age(seconds) == words


def test_times_of_another_day_have_the_day() -> None:
    assert clock(START, START) == "10:00:00"
    assert clock(START, START + timedelta(days=1)) == "24 Nov 10:00:00"


def test_counts() -> None:
    assert (plural(1, "store"), plural(10_000, "store")) == ("1 store", "10,000 stores")


@pytest.mark.parametrize("address", ["javascript:alert(1)", "//x", "http://", "http://[::1", "", "ftp://x"])
def test_only_web_addresses_are_followed(address: str) -> None:
    assert web_address(address) == ""
    assert host_of(address) == address


@pytest.mark.parametrize(
    ("store", "words"),
    [
        pytest.param(make_store(), "shop-1.127.0.0.1.nip.io", id="ready"),
        pytest.param(provisioning(), "5/5 waiting for wordpress 0/1", id="provisioning"),
        pytest.param(failed(), "ImagePullBackOff: no image", id="failed"),
        pytest.param(make_store(phase="Failed"), "no reason was given", id="failed-without-a-reason"),
        pytest.param(make_store(phase="Pending"), "waiting for its turn", id="pending"),
        pytest.param(make_store(phase="Deleting"), "being deleted", id="deleting"),
        pytest.param(
            make_store(phase="Degraded", conditions=[{"type": "Ready", "status": "False", "reason": "CrashLoop"}]),
            "CrashLoop",
            id="degraded-by-its-condition",
        ),
    ],
)
def test_what_a_store_is_at(store: Store, words: str) -> None:
    assert now_words(store) == words


def test_how_long_a_store_is_there() -> None:
    now = START + timedelta(minutes=5)
    assert since_words(make_store(ready_at=START + timedelta(minutes=2)), now) == "for 3 min"
    assert since_words(failed(), now) == "asked for 5 min ago"
    assert since_words(make_store(created_at=None), now) == ""


def test_which_attempt_failed_and_when_the_next_is_made() -> None:
    later = START + timedelta(seconds=40)
    assert attempt_words(failed(attempts=3, next_retry_at=later), START) == "attempt 3, next in 40 s, r now"
    assert attempt_words(failed(attempts=3, next_retry_at=later), later) == "attempt 3"
    assert attempt_words(make_store(attempts=3), START) == ""


def test_yaml_quotes_what_would_be_read_as_something_else() -> None:
    store = make_store(
        namespace="yes",
        release_name="a: b",
        admin_url="- x",
        attempts=3,
        release={"revision": 1, "chart_version": "0.10", "digest": "null"},
        events=[event("Ready", 'a "b"\nc'), event("Gone")],
    )
    lines = yaml_text(store).splitlines()
    for expected in (
        'namespace: "yes"',
        'releaseName: "a: b"',
        'adminUrl: "- x"',
        "attempts: 3",
        "release:",
        "  revision: 1",
        '  chartVersion: "0.10"',
        '  digest: "null"',
        "events:",
        "- type: Ready",
        '  message: "a \\"b\\"\\nc"',
        "- type: Gone",
        "conditions: []",
    ):
        assert expected in lines
