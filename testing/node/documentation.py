"""The commands in the documentation, run exactly as documented."""

import os
import re
import subprocess
from pathlib import Path

from cluster.node.folders import ROOT
from cluster.node.node import Node

RUN_SECONDS = 300.0


class Backup:
    """The section "Backup and restore" of a page, for a store of the node; the backup is in a folder."""

    def __init__(self, page: str, node: Node, store_id: str, folder: Path) -> None:
        text = (ROOT / "docs" / page).read_text()
        [commands] = re.findall(r"^## Backup and restore\n\n```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        names, _, rest = commands.partition("\n")
        self._names = names.replace("store=shop-a;", f"store={store_id};")
        assert self._names != names, f"{page} should name its example shop-a"
        self._backup, _, self._restore = rest.partition("# Restore")
        kubectl = Path(node.cluster.kubectl)
        self._environ = {
            **os.environ,
            "PATH": f"{kubectl.parent}:{os.environ['PATH']}",
            "KUBECONFIG": str(node.cluster.kubeconfig),
        }
        self._folder = folder

    def take(self) -> None:
        """Run the commands of the backup."""
        self._run(self._backup)

    def restore(self) -> None:
        """Run the commands of the restore."""
        self._run(f"#{self._restore}")

    def _run(self, commands: str) -> None:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{self._names}\n{commands}"],
            cwd=self._folder,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
