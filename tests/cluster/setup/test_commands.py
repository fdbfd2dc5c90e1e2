"""`./setup.sh down --purge` with a state folder that cannot be deleted itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.setup.commands import down
from tests.cluster.place import Transcript, make_place

SOURCE = Path(__file__).parents[3]
PURGE = """\
from pathlib import Path; import sys
from cluster.setup.commands import down
from tests.cluster.place import make_place
place = make_place(Path(sys.argv[1]))
place.remember("local")
down(place, purge=True)
print(place.console.lines[-1])
"""


def test_a_state_folder_behind_a_link_is_emptied_and_the_rest_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "large disk" / "cluster").mkdir(parents=True)
    (tmp_path / "state").symlink_to(tmp_path / "large disk")
    monkeypatch.setenv("URUMI_STATE_DIR", str(tmp_path / "state"))
    console = Transcript()
    place = make_place(tmp_path, console)
    place.remember("local")
    down(place, purge=True)
    assert console.lines[-2] == "The token, logs and settings are deleted."
    assert console.lines[-1] == f"The empty folder {place.state} could not be deleted and remains: it is a link."
    assert list(place.state.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="needs root on Linux, to mount")
def test_a_state_folder_that_is_a_mount_point_is_emptied(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    mount = 'mount -t tmpfs none "$1/state" && exec "$0" -c "$PURGE" "$1"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mount, sys.executable, tmp_path],
        env={**os.environ, "PURGE": PURGE, "PYTHONPATH": str(SOURCE), "URUMI_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.endswith("/state could not be deleted and remains: Device or resource busy.\n")
