"""The node's own /var and /run: what is written there is gone with the node, its data is not."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.node.folders import ROOT, NodeFolder

pytestmark = pytest.mark.node
SCRIPT = """\
import sys
from pathlib import Path
from cluster.node import layout
from cluster.node.folders import NodeFolder
from cluster.node.inside import init

folder = NodeFolder(Path(sys.argv[1]), Path(sys.argv[2]))
init._mount_private(folder)
(folder.root / "data").write_text("kept")
(folder.containerd / "image").write_text("kept")
(layout.KUBELET_FOLDER / "pod").write_text("kept")
Path("/var/urumi-of-the-node").write_text("lost")
Path("/run/urumi-of-the-node").write_text("lost")
"""


@pytest.fixture(params=["/var/tmp", "/run"])
def folder(request: pytest.FixtureRequest) -> Iterator[NodeFolder]:
    """The folders of a node where the node has its own layer."""
    with tempfile.TemporaryDirectory(dir=request.param) as root:
        found = NodeFolder(Path(root) / "node", Path(root) / "node" / "containerd")
        found.make()
        (found.etc / "resolv.conf").touch()
        yield found


def test_the_data_of_a_node_is_kept_wherever_it_is(folder: NodeFolder) -> None:
    before = Path("/proc/self/mountinfo").read_text()
    unshare = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--propagation", "private"]
    command = [*unshare, sys.executable, "-c", SCRIPT, str(folder.root), str(folder.storage)]
    subprocess.run(command, cwd=ROOT, check=True)

    kept = [folder.root / "data", folder.containerd / "image", folder.kubelet / "pod"]
    assert [path.read_text() for path in kept] == ["kept"] * 3
    assert not Path("/var/urumi-of-the-node").exists()
    assert not Path("/run/urumi-of-the-node").exists()
    assert Path("/proc/self/mountinfo").read_text() == before
