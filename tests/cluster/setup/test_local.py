"""The local target: how it names the way to real shops."""

from pathlib import Path

import pytest

from cluster.doctor.finding import Finding
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
