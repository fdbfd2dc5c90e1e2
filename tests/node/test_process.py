"""A process outside the namespaces: found again, never confused with another one, killed for good."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.node.folders import NodeFolder
from cluster.node.outside.process import Process

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def folder(tmp_path: Path) -> NodeFolder:
    """The folders of a node."""
    found = NodeFolder(tmp_path / "node", tmp_path / "storage")
    found.make()
    return found


def test_a_detached_process_is_found_and_killed_by_another_object(folder: NodeFolder) -> None:
    Process("relay", folder, is_bound=False).start(SLEEP)
    found = Process("relay", folder, is_bound=False)
    try:
        assert found.runs(SLEEP)
        assert not found.runs([*SLEEP, "other"])
        pid = found.pid()
        assert pid is not None
        assert os.getsid(pid) != os.getsid(0)
    finally:
        found.kill()
    assert found.pid() is None


def test_a_pid_that_belongs_to_another_process_is_not_the_process(folder: NodeFolder) -> None:
    (folder.run / "relay.json").write_text(json.dumps({"pid": os.getpid(), "started": "another boot 12"}))
    process = Process("relay", folder, is_bound=False)

    assert process.pid() is None
    process.kill()


@pytest.mark.parametrize("record", ["", "[]", "null", '{"started": "1"}'])
def test_a_damaged_record_counts_as_no_process(record: str, folder: NodeFolder) -> None:
    (folder.run / "relay.json").write_text(record)

    assert Process("relay", folder, is_bound=False).pid() is None


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal at a parent's end is Linux's")
def test_a_bound_process_ends_with_the_one_that_started_it(folder: NodeFolder) -> None:
    script = (
        "import sys; from pathlib import Path; from cluster.node.folders import NodeFolder;"
        "from cluster.node.outside.process import Process;"
        "process = Process('init', NodeFolder(Path(sys.argv[1]), Path(sys.argv[2])), is_bound=True);"
        "process.start(sys.argv[3:]); print(process.pid())"
    )
    words = [sys.executable, "-c", script, str(folder.root), str(folder.storage), *SLEEP]
    done = subprocess.run(words, capture_output=True, text=True, check=True)

    assert int(done.stdout) > 0
    assert Process("init", folder, is_bound=False).wait(30)
