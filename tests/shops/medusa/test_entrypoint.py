"""The storefront's entrypoint under the tools of Debian and of Alpine, which read the same awk differently."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from testing.shops.medusa.storefront import SOURCES

TITLES = [
    "Ada's Mugs",
    r'"Mugs" & <b>More</b> \ Co',
    "\\",
    r"\\\" && \n",
    "två\tkoppar\x1b\x01 på rad",
    "two\nlines\n\nand an end",
]
TOOLS = ("awk", "cat", "cut", "dirname", "mkdir", "sed", "sh", "tr")


def toolbox(folder: Path, awk: str) -> Path:
    """Return a folder for PATH with a no-op nginx and the given awk; with busybox all tools are busybox's."""
    folder.mkdir()
    for tool in TOOLS:
        program = "busybox" if awk == "busybox" else awk if tool == "awk" else tool
        found = shutil.which(program)
        assert found is not None, f"{program} is missing; as root ./setup.sh test installs it on Debian"
        (folder / tool).symlink_to(found)
    (folder / "nginx").write_text("#!/bin/sh\n")
    (folder / "nginx").chmod(0o755)
    return folder


@pytest.mark.parametrize("awk", ["mawk", "gawk", "busybox"])
@pytest.mark.parametrize("title", TITLES, ids=repr)
def test_a_title_is_rendered_the_same_with_every_awk(tmp_path: Path, awk: str, title: str) -> None:
    path = toolbox(tmp_path / "tools", awk)
    environ = {
        "PATH": str(path),
        "URUMI_STORE_ID": "shop-a",
        "URUMI_STORE_TITLE": title,
        "URUMI_PUBLISHABLE_KEY": "pk_1",
        "URUMI_RUN_DIR": str(tmp_path / "run"),
    }
    done = subprocess.run(
        [path / "sh", SOURCES / "urumi-storefront"], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    # Control characters become blanks, except for line ends.
    expected = "".join(each if each == "\n" or each >= " " else " " for each in title)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config == {"storeId": "shop-a", "title": expected, "publishableKey": "pk_1"}
