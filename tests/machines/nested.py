"""A run of pytest inside a test: the same tests in another folder, or with another network."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NESTED_SECONDS = 280


def run_tests(
    selected: Sequence[str], checkout: Path = ROOT, before: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> str:
    """Run tests of a checkout and return the last line of the output; the test fails if one of them fails.

    Args:
        before: the command that runs pytest, as in `unshare --net`.
    """
    command = [*before, sys.executable, "-m", "pytest", "-q", "--timeout", "120", "-p", "no:cacheprovider", *selected]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    with subprocess.Popen(
        command,
        cwd=checkout,
        env={**inherited, **(environ or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=NESTED_SECONDS)
        except subprocess.TimeoutExpired:
            # Not SIGKILL, which would leave the servers of the tests running.
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate()
    assert process.returncode == 0, output[-8000:]
    return output.strip().splitlines()[-1]


def copy_checkout(folder: Path) -> None:
    """Copy the files of this checkout, with changes that are not committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            target.chmod(0o700 if os.access(source, os.X_OK) else 0o600)
