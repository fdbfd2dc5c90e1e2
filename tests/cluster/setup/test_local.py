"""The local target: what prevents it, and how it names the way to real shops."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from cluster.doctor.finding import Finding
from cluster.doctor.report import raise_problems
from cluster.errors import ObstacleError
from cluster.ports import free_port
from cluster.setup.local import LocalTarget
from tests.cluster.place import make_place

ROOT = Finding("problem", "node", "A node needs root, this is user 1000.", "Run it as root.")
INSTALL = Finding("note", "packages", "These Debian packages will be installed: runc.")


@pytest.mark.parametrize(
    ("obstacles", "expected"),
    [
        ([], "containers are simulated; real shops on this machine: ./setup.sh --cluster node"),
        ([INSTALL], "containers are simulated; real shops on this machine: ./setup.sh --cluster node"),
        (
            [INSTALL, ROOT],
            "containers are simulated. Real shops (./setup.sh --cluster node): A node needs root, this is user 1000.",
        ),
    ],
    ids=["none", "note", "problem"],
)
def test_the_way_to_real_shops_is_named_with_what_it_needs(
    tmp_path: Path, obstacles: list[Finding], expected: str
) -> None:
    assert LocalTarget(lambda place: obstacles)._about_real_shops(make_place(tmp_path)) == expected


def test_a_disk_without_space_for_etcd_ends_the_run_before_etcd_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, target = make_place(tmp_path), LocalTarget(lambda place: [])
    monkeypatch.setenv("URUMI_PORT", str(free_port()))
    raise_problems(target.obstacles(place))
    usage = namedtuple("usage", "total used free")  # as shutil.disk_usage returns it
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(9, 9, 20_000_000))
    with pytest.raises(ObstacleError) as caught:
        raise_problems(target.obstacles(place))
    assert caught.value.message == (
        f"0.0 GB free; 0.5 GB needed, at {place.state}. Free some space, or set URUMI_STATE_DIR to a folder on a larger"
        " disk."
    )
