"""The versions of other programs that are found on PATH. None of them is required for the local cluster."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from cluster.doctor.environment import first_line, run
from cluster.doctor.finding import Finding
from cluster.place import Place

VERSION_ARGUMENTS = {
    "git": ("--version",),
    "docker": ("--version",),
    "podman": ("--version",),
    "kind": ("version",),
    "kubectl": ("version", "--client"),
    "helm": ("version", "--short"),
    "go": ("version",),
    "node": ("--version",),
    "npm": ("--version",),
    "chromium": ("--version",),
    "tmux": ("-V",),
}
# The doctor also has a line about the cluster with this name.
SUBJECTS = {"node": "Node.js"}
CALL_SECONDS = 5.0


def programs(place: Place) -> Iterator[Finding]:
    """Report which programs are on PATH, with their versions."""
    with ThreadPoolExecutor() as pool:
        found = dict(zip(VERSION_ARGUMENTS, pool.map(_version, VERSION_ARGUMENTS), strict=True))
    yield from (Finding("ok", SUBJECTS.get(name, name), version) for name, version in found.items() if version)
    missing = [name for name, version in found.items() if not version]
    if missing:
        yield Finding("ok", "not installed", f"{', '.join(missing)}; the local cluster needs none of them")


def _version(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        return ""
    done = run([path, *VERSION_ARGUMENTS[name]], CALL_SECONDS)
    if isinstance(done, str):
        return f"{path} does not report its version: {first_line(done)}"
    line = next(iter(done.stdout.strip().splitlines()), "no version")
    return f"{line} at {path}"
