"""Whether the package registries respond, asked by their own clients: with the user's mirrors, proxies, certificates.

A client that is not installed is not asked. The three are asked at the same time, each for a few seconds at most.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from cluster.doctor.environment import run
from cluster.doctor.finding import Finding
from cluster.doctor.proxies import redacted
from cluster.folders import cache_root
from cluster.network import network_advice
from cluster.place import Place

ANSWER_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry, the command that asks it for one small package, and the variables of the command."""

    subject: str
    command: Sequence[str | Path]
    variables: Mapping[str, str] = field(default_factory=dict)


def registries(place: Place) -> Iterator[Finding]:
    """Check that every registry whose client is installed responds."""
    with ThreadPoolExecutor() as pool:
        yield from pool.map(ask, asked(place))


def asked(place: Place) -> list[Registry]:
    """Return the registries whose clients are installed."""
    python = place.python if place.python.exists() else Path(sys.executable)
    # pip reports why a connection failed only when it retries.
    pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "--retries", "1"]
    found = [Registry("Python packages", [*pip, "--timeout", "5", "download", "--no-deps", "--no-cache-dir", "six"])]
    go = shutil.which("go") or shutil.which("go", path=str(cache_root() / "toolchain" / "go" / "bin"))
    if go:
        variables = {"GOFLAGS": "-mod=mod", "GOWORK": "off", "GOTOOLCHAIN": "local"}
        found.append(Registry("Go modules", [go, "list", "-m", "golang.org/x/mod@latest"], variables))
    npm = shutil.which("npm")
    if npm:
        found.append(
            Registry("npm packages", [npm, "view", "--fetch-retries=0", "--fetch-timeout=5000", "is-number", "version"])
        )
    return found


def ask(registry: Registry) -> Finding:
    """Ask one registry."""
    with tempfile.TemporaryDirectory() as folder:
        # npm cannot work without a cache, which is in the home folder by default.
        environ = {**os.environ, "npm_config_cache": folder, **registry.variables}
        done = run(registry.command, ANSWER_SECONDS, cwd=Path(folder), environ=environ)
    if not isinstance(done, str):
        return Finding("ok", registry.subject, "the registry responds")
    if "No module named pip" in done:
        return Finding("ok", registry.subject, "not asked: pip is not installed yet")
    advice = network_advice(done) or "Check the network, the proxy and the mirror that this client is configured with."
    return Finding("problem", registry.subject, f"The registry was not reached: {redacted(_line(done))}", advice)


def _line(text: str) -> str:
    """Return the first line that shows the cause."""
    lines = [line for line in text.splitlines() if network_advice(line)] or text.splitlines()
    return lines[0][:300] if lines else "no output"
