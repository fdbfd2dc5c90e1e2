"""Somebody with Docker who follows README in a fresh copy of this checkout."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from testing.docker.engine import ROOT, Engine

SETUP_SECONDS = 1500.0
NAMESPACE = "store-platform"


class User:
    """Runs the project's commands in the machine of a Docker engine."""

    def __init__(self, engine: Engine, node_image: str, kubectl: Path, say: Callable[[str], None]) -> None:
        self.engine = engine
        self.checkout = engine.folder / "urumi"
        self._environ = {"URUMI_KIND_IMAGE": node_image}
        self._kubectl = kubectl
        self._say = say

    @property
    def state(self) -> Path:
        """The state folder of setup.sh."""
        return self.engine.home / ".local" / "state" / "urumi"

    @property
    def token(self) -> str:
        """The token that setup.sh created."""
        return (self.state / "token").read_text().strip()

    def clone(self) -> None:
        """Copy the files of this checkout that git knows, as they are now."""
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.checkout / name)

    def setup(self, *words: str) -> str:
        """Run setup.sh and return its output."""
        return self._run("./setup.sh", *words, timeout_seconds=SETUP_SECONDS, on_line=self._say)

    def urumi(self, *words: str) -> str:
        """Run the command `urumi`."""
        return self._run(".venv/bin/urumi", *words)

    def store(self, store_id: str) -> Any:
        """Return a store."""
        return self._json("get", store_id)

    def verify(self, store_id: str) -> Any:
        """Place a test order in a store's shop, and return what was checked."""
        return self._json("verify", store_id)

    def kubectl(self, *words: str) -> str:
        """Run kubectl with the kubeconfig that setup.sh names."""
        return self._run(self._kubectl, "--kubeconfig", self.state / "kind.kubeconfig", *words)

    def server_images(self) -> list[str]:
        """Return the image of each ready pod of the server."""
        pods = json.loads(
            self.kubectl("-n", NAMESPACE, "get", "pods", "-l", "app.kubernetes.io/name=urumi", "-o", "json")
        )
        statuses = [status for pod in pods["items"] for status in pod["status"]["containerStatuses"]]
        return [status["image"] for status in statuses if status["ready"]]

    def order_status(self, store_id: str, number: str) -> str:
        """Return the status of an order of a Medusa store from its database; empty without such an order."""
        psql = ("psql", "--host=127.0.0.1", "--username=medusa", "--dbname=medusa", "-tA", "--command")
        query = 'SELECT display_id, status FROM "order"'
        rows = self.kubectl("exec", "-n", f"store-{store_id}", "postgres-0", "-c", "postgres", "--", *psql, query)
        return dict(row.split("|") for row in rows.split()).get(number.lstrip("#"), "")

    def usage(self) -> str:
        """Return the memory of the node, the disk space of Docker, and the inotify instances of the machine."""
        memory = self.engine.docker("stats", "--no-stream", "--format", "{{.MemUsage}}").strip()
        disk = self.engine.docker("system", "df", "--format", "{{.Type}} {{.Size}}").replace("\n", ", ").strip(", ")
        inotify = "find /proc/[0-9]*/fd -lname anon_inode:inotify 2>/dev/null | wc -l"
        return f"memory {memory}; {disk}; inotify {self.engine.run('sh', '-c', inotify).strip()}"

    def _json(self, *words: str) -> Any:
        text = self.urumi(*words, "--json")
        # Progress on standard error comes first.
        return json.loads(text[text.index("{") :])

    def _run(self, *words: str | Path, **options: Any) -> str:
        return self.engine.run(*words, environ=self._environ, folder=self.checkout, **options)
