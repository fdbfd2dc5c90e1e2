"""The frame of `./setup.sh doctor`: findings as lines, as an exit code and as an error."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.doctor import report
from cluster.doctor.finding import Finding
from cluster.errors import ObstacleError
from cluster.place import Place
from tests.cluster.place import make_place

FINE = Finding("ok", "Python", "Python 3.13.5 at /usr/bin/python3.")
NOTE = Finding("note", "loopback", "::1 does not exist.", "Use 127.0.0.1.")
TAKEN = Finding("problem", "port 80", "Port 80 of 127.0.0.1 is in use.", "Free it.")
FULL = Finding("problem", "disk", "5 MB are free.", "Free some space.")


def test_each_finding_is_a_line_and_its_hint_the_next_one() -> None:
    assert list(report.lines([FINE, NOTE, TAKEN])) == [
        "ok      Python           Python 3.13.5 at /usr/bin/python3.",
        "note    loopback         ::1 does not exist.",
        "                         Use 127.0.0.1.",
        "problem port 80          Port 80 of 127.0.0.1 is in use.",
        "                         Free it.",
    ]


@pytest.mark.parametrize(("findings", "code"), [([], 0), ([FINE, NOTE], 0), ([FINE, TAKEN], 1)], ids=str)
def test_only_a_problem_makes_the_exit_code_1(findings: list[Finding], code: int) -> None:
    assert report.exit_code(findings) == code


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        ([FINE], "No problems."),
        ([FINE, NOTE], "No problems. Notes: 1; the local cluster works without them."),
        ([TAKEN, NOTE, FULL], "Problems: 2. Do what the line below each says, then run ./setup.sh doctor again."),
    ],
    ids=str,
)
def test_the_last_line_says_what_to_do(findings: list[Finding], words: str) -> None:
    assert report.summary(findings) == words


def test_every_problem_is_in_the_error_with_its_hint() -> None:
    with pytest.raises(ObstacleError) as caught:
        report.raise_problems([FINE, TAKEN, NOTE, FULL])
    assert caught.value.sentence() == "Port 80 of 127.0.0.1 is in use. Free it.\n5 MB are free. Free some space."


def test_without_a_problem_nothing_is_raised() -> None:
    report.raise_problems([FINE, NOTE])


def test_a_defect_in_one_check_does_not_hide_the_others(tmp_path: Path) -> None:
    def disk_space(place: Place) -> Iterator[Finding]:
        yield FINE
        raise ZeroDivisionError("division by zero")

    def ports(place: Place) -> Iterator[Finding]:
        yield TAKEN

    found = report.run_checks([disk_space, ports], make_place(tmp_path))
    assert found[-1] == TAKEN
    assert found[-2].subject == "disk space"
    assert found[-2].sentence == "The check failed: ZeroDivisionError: division by zero"
