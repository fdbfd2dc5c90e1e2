"""`.ci/run`: every part runs, is timed, and is skipped only with a reason."""

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from cluster.place import Place
from cluster.setup import ci
from cluster.setup.ci import PARTS, run_parts
from tests.cluster.place import Transcript, make_place


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A checkout in which every command passes, except those in the file `fails`."""
    made = make_place(tmp_path)
    made.root.mkdir()
    for name in ("scripts/check", "setup.sh"):
        path = made.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text('#!/bin/sh\necho "$0 $*" >>calls\n! grep -qx -- "$*" fails 2>/dev/null\n')
        path.chmod(0o755)
    monkeypatch.setattr(ci, "missing_packages", lambda *_: [])
    monkeypatch.setattr(ci, "ask_module", lambda *_: "")
    for part in PARTS:
        monkeypatch.delenv(part.switch or "NONE", raising=False)
    return made


def lines(place: Place) -> list[str]:
    """Return the lines at the end of the run, without the seconds."""
    assert isinstance(place.console, Transcript)
    return [line.rpartition(" after ")[0] or line for line in place.console.lines[-1].strip().splitlines()]


def test_every_part_runs(place: Place) -> None:
    assert run_parts(place) == 0
    assert (place.root / "calls").read_text().splitlines() == [
        "scripts/check --static",
        "./setup.sh test --all",
        "./setup.sh test --node",
        "./setup.sh test --docker",
    ]
    assert lines(place) == [f"{part.name} passed" for part in PARTS]


def test_a_failure_does_not_hide_the_other_parts(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    (place.root / "fails").write_text("--static\ntest --node\n")
    assert run_parts(place) == 1
    assert [line.rpartition(" ")[2] for line in lines(place)] == ["failed", "passed", "failed", "passed"]
    assert capsys.readouterr().err == "setup.sh: A check failed; see above.\n"


def test_a_part_can_be_switched_off(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_TESTS", "0")
    assert run_parts(place) == 0
    assert lines(place)[-1] == "tests with Docker skipped: DOCKER_TESTS is 0."


def test_a_machine_that_cannot_run_a_part_is_not_a_failure(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ci, "ask_module", lambda _, module, __: "It needs root." if "node" in module else "")
    assert run_parts(place) == 0
    assert lines(place)[2] == "tests with real containers skipped: It needs root."
    assert (place.root / "calls").read_text().splitlines()[-1] == "./setup.sh test --docker"


def test_a_check_that_fails_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ci, "MACHINES", {"--node": "not.here"})
    place = make_place(tmp_path)
    place.root.mkdir()
    reason = ci._obstacle(place, PARTS[2])
    assert reason == "The check of what the tests need failed: see the message of not.here above."


@pytest.mark.parametrize(("user", "count"), [(0, 1), (1000, 0)], ids=["root", "user"])
def test_only_root_installs_packages(place: Place, monkeypatch: pytest.MonkeyPatch, user: int, count: int) -> None:
    installed: list[list[str]] = []
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(ci, "missing_packages", lambda _, module: ["runc"] if "node" in module else [])
    monkeypatch.setattr(ci, "apt_install", lambda _, __, packages: installed.append(packages))
    run_parts(place)
    assert installed == [["runc"]] * count


def test_the_script_is_valid_for_any_shell() -> None:
    root = Path(__file__).resolve().parents[3]
    for shell in ("sh", "bash"):
        subprocess.run([shell, "-n", root / ".ci" / "run"], check=True)


def test_a_part_that_would_not_end_in_time_is_skipped(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of the run is less than the part may take with empty caches."""
    clock = iter(range(0, 10**6, 600))
    monkeypatch.setattr("cluster.setup.ci.time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    assert run_parts(place) == 0
    assert lines(place)[-1] == (
        "tests with Docker skipped: 100 of the 90 min of a run are over, and it may take 25. "
        "Run it alone: ./setup.sh test --docker"
    )
    assert "./setup.sh test --docker" not in (place.root / "calls").read_text()
