"""Schemathesis against a running server: valid and invalid requests, and every response conforms to the document."""

import random
import re
import subprocess
import sys
from pathlib import Path

from cluster.local.cluster import ClusterInfo
from testing.kubectl import Kubectl
from tests.server.api import idle_server

EXAMPLES = 8


def test_generated_requests_get_conforming_responses_and_no_defect(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, rng: random.Random
) -> None:
    with idle_server(local_cluster, kubectl, tmp_path / "server", URUMI_MAX_ACTIVE_STORES="40") as server:
        server.create("shop-1")
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json"),
            *("--header", f"Authorization: Bearer {server.token}"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES)),
            *("--header", f"Origin: {server.url}"),
            # A cursor and a key are opaque: the schema cannot state that one belongs to another list or was used.
            *("--exclude-checks", "positive_data_acceptance"),
            *("--seed", str(rng.randrange(2**32)), "--no-color", "--continue-on-failure"),
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stdout[-12000:] + done.stderr[-2000:]
        found = re.search(r"Operations: +(\d+) selected / (\d+) total", done.stdout)
        tested = re.search(r"Tested: +(\d+)", done.stdout)
        assert found is not None, done.stdout
        assert tested is not None, done.stdout
        assert {*found.groups(), tested.group(1)} == {tested.group(1)}, "an operation was not tested"
        assert int(tested.group(1)) >= 14
        assert '"level": "error"' not in server.log.read_text()
