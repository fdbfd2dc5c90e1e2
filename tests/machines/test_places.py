"""Everything works from a checkout that only its owner may enter, under a name with blanks and letters of any language.

root's home has mode 0700 on most systems, so a checkout below it is such a place.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machines.nested import copy_checkout, run_tests


@pytest.fixture
def private_checkout(tmp_path: Path) -> Iterator[Path]:
    """A copy of this checkout, with mode 0700 everywhere, and a strict umask during the test."""
    mask = os.umask(0o077)
    checkout = tmp_path / "Ada's shops & mügs" / "urumi"
    checkout.mkdir(parents=True)
    copy_checkout(checkout)
    yield checkout
    os.umask(mask)


@pytest.mark.thorough
def test_a_cluster_a_store_and_the_tests_with_scripts_work_in_a_private_checkout(
    private_checkout: Path, cluster_programs: None
) -> None:
    folder = private_checkout.parent / "temporary files"
    folder.mkdir()
    selected = [
        "tests/end_to_end/test_store_life.py::test_a_store_of_each_engine_becomes_ready_and_leaves_nothing",
        "tests/cluster/test_life.py::test_up_ends_with_ready_nodes_and_everything_running",
        "tests/cluster/programs/test_binaries.py::test_programs_are_built_once",
        "tests/setup/test_setup.py::test_down_stops_server_and_cluster_and_keeps_the_data",
    ]
    assert " passed" in run_tests(selected, private_checkout, environ={"TMPDIR": str(folder)})
