"""Runs a program to learn whether it works and has the pinned version, whatever source it came from."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from cluster.errors import BuildError
from cluster.programs.recipe import Program

VERSION_ARGUMENTS: Mapping[str, tuple[str, ...]] = {"kubectl": ("version", "--client"), "helm": ("version",)}
# Programs that do not print their version; `go version -m` reads it from the file.
SILENT = frozenset({"containerd-shim-runc-v2", "crictl", "kube-network-policies", "kubeadm", "traefik"})


def check_version(path: Path, program: Program, go: Path | None) -> None:
    """Check a program; `go` reads the version of one that does not print it.

    Raises:
        BuildError: it does not run, or reports another version.
    """
    own: Sequence[str | Path] = (path, *VERSION_ARGUMENTS.get(program.name, ("--version",)))
    command = (go, "version", "-m", path) if go is not None and program.name in SILENT else own
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"The new {program.name} does not run: {error}.") from error
    expected = program.version.removeprefix("v")
    got = (done.stdout + done.stderr).strip()
    if done.returncode != 0 or expected not in got:
        raise BuildError(f"The new {program.name} has the wrong version: expected {expected!r}, got {got[-300:]!r}.")
