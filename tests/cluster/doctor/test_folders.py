"""The folders that Urumi writes to: each problem names the folder, its owner and the variable that moves it."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.doctor.finding import Finding
from cluster.doctor.folders import folders, home, umask
from cluster.place import Place

SOURCE = Path(__file__).resolve().parents[3]
# Run as root in a mount namespace: prints the findings about a folder on another file system.
LOOK = """
import sys
from pathlib import Path
from cluster.doctor.folders import folders
from cluster.place import Place
place = Place(Path(sys.argv[1]), Path(sys.argv[2]), None, Path(sys.executable))
for finding in folders(place):
    print(finding.level, finding.sentence, finding.hint, sep="|")
"""


def found(place: Place, subject: str) -> Finding:
    """Return the finding about one of the folders."""
    [finding] = [finding for finding in folders(place) if finding.subject == subject]
    return finding


def test_folders_that_can_be_written_to_are_ok(place: Place) -> None:
    assert [(each.level, each.sentence) for each in folders(place)] == [
        ("ok", str(place.root)),
        ("ok", str(place.state)),
        ("ok", str(place.root.parent / "cache")),
        ("ok", str(place.root.parent / "temporary")),
    ]


def test_a_folder_that_does_not_exist_is_ok_if_it_can_be_created(place: Place) -> None:
    place.state.rmdir()
    assert found(place, "state").level == "ok"


def test_another_users_folder_is_a_problem_with_its_owner_and_the_variable(place: Place, another_user: None) -> None:
    nobody = pwd.getpwuid(os.geteuid()).pw_name
    finding = found(place, "cache")
    cache = place.root.parent / "cache"
    assert finding.level == "problem"
    assert finding.sentence == (
        f"The cache folder {cache} cannot be used: {cache} belongs to root with mode 0755, and this is {nobody}."
    )
    assert finding.hint == f"Set URUMI_CACHE_DIR to a folder of yours, or run: sudo chown -R {nobody} '{cache}'"


def test_a_folder_that_cannot_be_created_is_a_problem(place: Place, another_user: None) -> None:
    os.seteuid(0)
    place.state.rmdir()
    os.seteuid(65534)
    finding = found(place, "state")
    assert f"it cannot be created, because {place.state.parent} belongs to root" in finding.sentence
    assert finding.hint == "Set URUMI_STATE_DIR to a folder of yours."


def test_a_private_folder_above_it_is_named(place: Place, another_user: None) -> None:
    os.seteuid(0)
    private = place.state.parent / "private"
    private.mkdir(mode=0o700)
    inside = Place(place.root, private / "a" / "state", place.console, place.python)
    os.seteuid(65534)
    assert f"{private} belongs to root with mode 0700" in found(inside, "state").sentence


def test_what_a_run_with_sudo_left_is_named(place: Place, another_user: None) -> None:
    os.seteuid(0)
    os.chown(place.state, 65534, -1)
    (place.state / "cluster").mkdir(mode=0o700)
    os.seteuid(65534)
    finding = found(place, "state")
    assert f"{place.state}/cluster belongs to root with mode 0700, as after a run with sudo." in finding.sentence
    assert finding.hint.endswith(f"'{place.state}/cluster'")


def test_a_file_in_the_place_of_a_folder_is_a_problem(place: Place) -> None:
    place.state.rmdir()
    place.state.write_text("")
    assert f"{place.state} is not a folder" in found(place, "state").sentence


def test_a_link_to_nothing_is_a_problem(place: Place) -> None:
    place.state.rmdir()
    place.state.symlink_to("/nonexistent/disk")
    assert f"{place.state} is a link to /nonexistent/disk, which does not exist" in found(place, "state").sentence


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="needs root on Linux, to mount")
def test_a_read_only_and_a_noexec_file_system_are_problems(tmp_path: Path) -> None:
    checkout, state = tmp_path / "checkout", tmp_path / "state"
    checkout.mkdir()
    state.mkdir()
    mount = 'mount -t tmpfs -o noexec none "$1" && mount -t tmpfs -o ro none "$2" && exec "$0" -c "$LOOK" "$1" "$2"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mount, sys.executable, checkout, state],
        env={**os.environ, "LOOK": LOOK, "PYTHONPATH": str(SOURCE), "URUMI_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    first, second = done.stdout.splitlines()[:2]
    assert first.startswith(
        f"problem|No program can be started from {checkout}: its file system is mounted with noexec."
    )
    assert second.startswith(f"problem|The state folder {state} cannot be used: {state} is on a read-only file system.")


def test_a_home_that_does_not_exist_is_a_note(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/dev/null/home")
    [finding] = home(place)
    assert finding.level == "note"
    assert finding.sentence.startswith(
        "/dev/null/home cannot be used: it cannot be created, because /dev/null is not a folder"
    )
    assert "URUMI_STATE_DIR" in finding.hint


def test_the_umask_is_told_and_kept(place: Place) -> None:
    before = os.umask(0o077)
    try:
        assert [finding.sentence for finding in umask(place)] == ["0077"]
        assert os.umask(0o077) == 0o077
    finally:
        os.umask(before)
