"""Watches the helm processes of the machine, and slows helm down so that each process is seen."""

import os
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Self

POLL_SECONDS = 0.02
SLOW_HELM = """\
#!/bin/bash
sleep {seconds}
exec {helm} "$@"
"""


def slow_helm(folder: Path, helm: Path, seconds: float) -> Path:
    """Return a helm that waits before it starts; a signal to its process group stops both."""
    script = folder / "slow-helm"
    script.write_text(SLOW_HELM.format(seconds=seconds, helm=helm))
    script.chmod(0o755)
    return script


class HelmWatch:
    """Records fifty times a second which helm processes work on some stores; use as a context manager."""

    def __init__(self, store_ids: list[str]) -> None:
        self.overlaps: set[tuple[str, tuple[int, ...]]] = set()
        self.seen: dict[str, set[int]] = defaultdict(set)
        self._store_ids = store_ids
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def now(self) -> dict[str, set[int]]:
        """Return the process groups of the running helm processes, by store; children belong to the same group."""
        found: dict[str, set[int]] = defaultdict(set)
        for name in filter(str.isdigit, os.listdir("/proc")):
            words = _command_line(name)
            if any("helm" in word.rpartition("/")[2] for word in words):
                for store_id in self._store_ids:
                    if any(word.endswith(f"-{store_id}") for word in words):
                        found[store_id] |= _group(name)
        return found

    def _poll(self) -> None:
        while not self._ended.is_set():
            for store_id, pids in self.now().items():
                self.seen[store_id] |= pids
                if len(pids) > 1:
                    self.overlaps.add((store_id, tuple(sorted(pids))))
            time.sleep(POLL_SECONDS)


def _group(pid: str) -> set[int]:
    try:
        return {os.getpgid(int(pid))}
    except ProcessLookupError:
        return set()


def _command_line(pid: str) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []
