"""Python, .venv and the checkout, with real git repositories and real Pythons."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cluster.doctor.environment import checkout, environment, python, run
from cluster.place import Place


def commit(place: Place, seconds: float) -> None:
    """Make a repository with one commit at that time."""
    when = f"{seconds:.0f} +0000"
    environ = {"PATH": os.environ["PATH"], "GIT_COMMITTER_DATE": when, "GIT_AUTHOR_DATE": when, "HOME": str(place.root)}
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-C", str(place.root)]
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "One"]):
        subprocess.run([*git, *command], env=environ, check=True)


def make_environment(place: Place) -> Path:
    """Make a .venv that looks installed."""
    folder = place.root / ".venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / "bin" / "pip").write_text(f"#!{folder}/bin/python\n")
    (folder / "urumi-installed").write_text("")
    return folder


def test_the_python_is_told(place: Place) -> None:
    [finding] = python(place)
    assert finding.level == "ok"
    assert finding.sentence.endswith(f" at {sys.executable}")


@pytest.mark.parametrize(("version", "level"), [((3, 10, 13), "problem"), ((3, 99, 0), "note")])
def test_an_old_or_an_untried_python_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], level: str
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    [finding] = python(place)
    assert finding.level == level
    assert "URUMI_PYTHON" in finding.hint


def test_the_environment_is_ok_if_it_runs_and_is_complete(place: Place) -> None:
    [finding] = environment(place)
    assert finding.sentence == "does not exist yet; ./setup.sh makes it"
    folder = make_environment(place)
    assert [each.level for each in environment(place)] == ["ok"]
    (folder / "bin" / "pip").write_text("#!/elsewhere/.venv/bin/python\n")
    assert [each.sentence for each in environment(place)] == ["It was made for another folder."]
    (folder / "urumi-installed").unlink()
    assert [each.sentence for each in environment(place)] == ["The installation was interrupted."]


def test_an_environment_whose_python_is_gone_is_a_problem(place: Place) -> None:
    folder = make_environment(place)
    (folder / "bin" / "python").unlink()
    (folder / "bin" / "python").symlink_to("/opt/python-that-was-removed")
    [finding] = environment(place)
    assert (finding.level, finding.hint) == ("problem", "Delete it and run ./setup.sh")
    assert "No such file or directory" in finding.sentence


def test_the_commit_and_the_changes_are_told(place: Place) -> None:
    commit(place, time.time() - 60)
    first, clock = checkout(place)
    assert (first.level, clock.level) == ("ok", "ok")
    assert "changed" not in first.sentence
    (place.root / "new").write_text("")
    assert next(iter(checkout(place))).sentence.endswith(", 1 files changed")


def test_a_clock_before_the_newest_commit_is_a_problem(place: Place) -> None:
    commit(place, time.time() + 86400)
    _, clock = checkout(place)
    assert clock.level == "problem"
    assert "before the checkout's newest commit" in clock.sentence


def test_a_folder_without_git_is_a_note(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(place.root.parent))
    [finding] = checkout(place)
    assert finding.level == "note"
    assert "not a git repository" in finding.sentence


def test_a_command_that_fails_hangs_or_is_missing_is_told() -> None:
    assert run(["sh", "-c", "echo why >&2; exit 3"]) == "why"
    assert run(["sh", "-c", "exit 3"]) == "sh ended with 3."
    assert run(["sleep", "9"], 0.05) == "sleep did not respond within 0 s."
    assert run(["/nonexistent/program"]) == "/nonexistent/program: No such file or directory."
