"""The first start of the local cluster, compared with compiling every program by its own `go build`.

Every way makes all programs of cluster/go.mod with empty caches of its own: Go's two, pip's and Urumi's. `packages`
uses package registries alone; `releases` a mirror on loopback that serves every program, made from those of this user's
cache: it measures everything but the network. The environment that setup.sh makes is not part of any way.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.bench import ROOT
from cluster.folders import cache_root
from cluster.programs.binaries import Binaries, ensure_binaries
from cluster.programs.golang.toolchain import find_go, minimum_version
from cluster.programs.recipe import Recipe
from cluster.programs.sources.platform import this_platform

WAYS = ("today", "packages", "releases")
TARGETS = {"packages": 0.65, "releases": 0.2}
SITE = "https://releases.example"
# What an older build did: the same flags for the linker, none for the compiler, one program after another.
BUILD = ("build", "-buildvcs=false", "-trimpath")
ENVIRON = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off", "GOTOOLCHAIN": "local"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one way took: time on the clock, and of the processors."""

    seconds: float
    processor_seconds: float


def note(words: str) -> None:
    """Print a line of the report or of the progress."""
    print(words, flush=True)


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a log."""

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


def make(cache: Path) -> Binaries:
    """Return the programs in a cache, made if they are not there."""
    return ensure_binaries(cache, lambda build: note(f"  {build.sentence()}"), lambda words: note(f"  {words}"))


def build_each() -> None:
    """Compile every program by a command of its own."""
    recipe = Recipe.read()
    go = find_go(minimum_version((recipe.module_dir / "go.mod").read_text()), cache_root(), note).command
    for program in recipe.programs:
        target = cache_root() / "today" / program.name
        command = [str(go), *BUILD, f"-ldflags={recipe.linker_flags}", "-o", str(target), program.package]
        subprocess.run(command, cwd=recipe.module_dir, env={**os.environ, **ENVIRON}, check=True)
        note(f"  {program.name}")


@contextmanager
def mirror(folder: Path, programs: Binaries) -> Iterator[Mapping[str, str]]:
    """Serve every program as a release file, and return the settings that use it."""
    site = folder / "site" / "releases.example"
    site.mkdir(parents=True)
    pins = ""
    for program in Recipe.read().programs:
        (site / program.name).symlink_to(programs.path(program.name))
        digest = sha256((site / program.name).read_bytes()).hexdigest()
        pins += f'[[release]]\nprogram = "{program.name}"\nversion = "{program.version}"\n[release.platforms]\n'
        pins += f'"{this_platform()}" = {{ url = "{SITE}/{program.name}", sha256 = "{digest}" }}\n'
    (folder / "pins.toml").write_text(pins)
    handler = partial(QuietHandler, directory=str(site.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {
            "URUMI_RELEASE_MIRROR": f"http://127.0.0.1:{server.server_address[1]}",
            "URUMI_RELEASE_PINS": str(folder / "pins.toml"),
            "no_proxy": "127.0.0.1",
        }
        server.shutdown()


def measure(way: str, settings: Mapping[str, str]) -> Cost:
    """Run one way in a process of its own, with empty caches."""
    with tempfile.TemporaryDirectory(prefix=f"cold-{way}-") as name:
        folder = Path(name)
        # Go protects its folder of modules from being written to, and so from being deleted.
        caches = {"GOCACHE": "go", "GOMODCACHE": "modules", "URUMI_CACHE_DIR": "a b", "PIP_CACHE_DIR": "pip"}
        environ = {**os.environ, **settings, **{key: str(folder / place) for key, place in caches.items()}}
        before, began = os.times(), time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "benchmarks.cold_start", "--only", way], cwd=ROOT, env=environ, check=True
        )
        took, after = time.monotonic() - began, os.times()
        subprocess.run(["chmod", "-R", "u+w", folder], check=True)
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(took, used)


def run_all(ways: list[str]) -> None:
    """Measure the ways, and print what each took and the ratios."""
    costs: dict[str, Cost] = {}
    with tempfile.TemporaryDirectory(prefix="cold-mirror-") as folder:
        for way in ways:
            note(f"{way}:")
            if way == "releases":
                with mirror(Path(folder), make(cache_root())) as settings:
                    costs[way] = measure(way, settings)
            else:
                costs[way] = measure(way, {"URUMI_RELEASE_MIRROR": "off"})
    for way, cost in costs.items():
        note(f"{way:<10}{cost.seconds:8.1f} s {cost.processor_seconds:8.1f} processor s" + _ratios(way, cost, costs))


def _ratios(way: str, cost: Cost, costs: Mapping[str, Cost]) -> str:
    reference = costs.get("today")
    if reference is None or way not in TARGETS:
        return ""
    clock, processor = cost.seconds / reference.seconds, cost.processor_seconds / reference.processor_seconds
    return f"  {clock:.2f}x on the clock, {processor:.2f}x of the processors; target {TARGETS[way]}x"


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ways", nargs="*", metavar="WAY", help=f"which of {', '.join(WAYS)} (default: all)")
    parser.add_argument("--only", choices=WAYS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if unknown := set(args.ways) - set(WAYS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; ways are {', '.join(WAYS)}")
    one: Callable[[], object] = build_each if args.only == "today" else lambda: make(cache_root())
    if args.only:
        one()
    else:
        run_all(list(args.ways or WAYS))


if __name__ == "__main__":
    main()
