"""What runs: the server of this state folder and others, as real processes."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.doctor.installs import installs, servers
from cluster.doctor.programs import programs
from cluster.place import Place
from testing.kubectl import wait_for
from testing.script import python_script


@contextmanager
def serving(checkout: Path) -> Iterator[int]:
    """Run a process with the command line of a checkout's server."""
    program = checkout / ".venv" / "bin" / "urumi"
    program.parent.mkdir(parents=True)
    program.write_text(python_script("input()"))
    program.chmod(0o755)
    with subprocess.Popen([program, "serve", "--port", "1"], stdin=subprocess.PIPE) as process:
        try:
            wait_for(lambda: any(server.pid == process.pid for server in servers()), "the process in the list")
            yield process.pid
        finally:
            process.kill()


def test_nothing_is_told_before_the_first_start(place: Place) -> None:
    assert next(iter(installs(place))).sentence == "none was started with this state folder"


def test_the_own_server_is_told(place: Place) -> None:
    place.remember("local")
    with serving(place.root) as pid:
        place.server_file.write_text(json.dumps({"url": "http://127.0.0.1:1", "pid": pid}))
        found = list(installs(place))
    assert found[0].sentence == "local"
    assert [(each.level, each.sentence) for each in found if str(pid) in each.sentence] == [
        ("ok", f"http://127.0.0.1:1, pid {pid}")
    ]


def test_a_server_of_another_checkout_with_this_state_is_a_note(place: Place, tmp_path: Path) -> None:
    with serving(tmp_path / "another checkout") as pid:
        place.server_file.write_text(json.dumps({"url": "http://127.0.0.1:1", "pid": pid}))
        [note] = [each for each in installs(place) if str(pid) in each.sentence]
    assert note.level == "note"
    assert "runs from another checkout with the same state folder" in note.sentence
    assert note.hint == "Set URUMI_STATE_DIR and URUMI_PORT to give this checkout its own."


def test_a_server_with_another_state_is_told(place: Place, tmp_path: Path) -> None:
    with serving(tmp_path / "another") as pid:
        [other] = [each for each in installs(place) if str(pid) in each.sentence]
    assert (other.level, other.sentence.startswith("Another one runs: pid ")) == ("ok", True)


def test_programs_are_told_with_their_versions(place: Place) -> None:
    found = {finding.subject: finding.sentence for finding in programs(place)}
    assert found["git"].startswith("git version ")
