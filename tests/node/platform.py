"""The platform beside the node: the server's process of this machine, in the node's network, reached by a door."""

import shutil
import sys
from pathlib import Path
from typing import Any

from tests.kubectl import Kubectl, wait_for
from tests.node.node import ROOT, Node
from tests.serve import ServerProcess

CHARTS = ROOT / "charts"


class NodePlatform(ServerProcess):
    """`urumi serve` in the node's network, where the names of Services lead to shops."""

    def __init__(self, node: Node, kubectl: Kubectl, folder: Path, **environ: str) -> None:
        super().__init__(node.cluster, kubectl, folder, **environ)
        self._node = node
        node.open_door(self.port, "127.0.0.1", self.port)

    def start(self) -> None:
        """Start the server in the network that the node has now, and wait until it is ready."""
        # It dies with the test run, as the node does.
        self.python = ("setpriv", "--pdeathsig", "KILL", *self._node.in_network(sys.executable))
        super().start()

    def wait_for_words(self, store_id: str, words: str, seconds: float = 120.0) -> Any:
        """Wait until a store's progress or error contains words, and return the store."""
        seen: list[str] = []

        def look() -> Any:
            store = self.store(store_id) or {}
            parts = (store.get("progress") or {}, store.get("lastError") or {})
            said = " ".join(part["message"] for part in parts if part.get("message"))
            if said and said not in seen[-1:]:
                seen.append(said)
            return store if words in said else None

        return wait_for(look, f"store {store_id} to say {words!r}; it said {seen}", seconds)


def changed_charts(folder: Path, engine: str, *changes: tuple[str, str]) -> Path:
    """Return a copy of the charts in which lines of an engine's values.yaml read differently."""
    copy = folder / "charts"
    for name in ("medusa", "woocommerce"):
        shutil.copytree(CHARTS / name, copy / name, ignore=shutil.ignore_patterns("image"))
    values = copy / engine / "values.yaml"
    text = values.read_text()
    for old, new in changes:
        assert text.count(old) == 1, f"{values} should have {old!r} once"
        text = text.replace(old, new)
    values.write_text(text)
    return copy
