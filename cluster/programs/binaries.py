"""The programs of the cluster: built once from pinned Go modules, kept in a per-user cache.

The folder's name is a digest of all inputs: go.mod, go.sum and the build flags. A build runs in a temporary folder
beside it, which gets its final name after every program has reported its version, so a folder with that name is
complete; later changes are detected by the recorded sizes. A lock prevents two builds at the same time. The next build
deletes what an interrupted one left, and is quick thanks to Go's build cache.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cluster.errors import BuildError, DiskSpaceError
from cluster.lock import file_lock
from cluster.programs.toolchain import find_go, minimum_version

MODULE_DIR = Path(__file__).resolve().parent.parent
FREE_BYTES = 4 * 1024**3
REPORT_SECONDS = 15.0
MARKER = "built.json"

# Flags and workspaces of the user's Go must not influence the build.
GO_ENVIRON = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off", "GOTOOLCHAIN": "local"}
# Names of tools whose package path does not end with them.
NAMES = {
    "go.etcd.io/etcd/server/v3": "etcd",
    "sigs.k8s.io/kube-network-policies/cmd/kube-network-policies/standard": "kube-network-policies",
}
VERSION_ARGUMENTS: Mapping[str, tuple[str, ...]] = {"kubectl": ("version", "--client"), "helm": ("version",)}
# Programs that do not print their version; `go version -m` reads it from the file.
SILENT = frozenset({"kube-network-policies", "traefik"})
# Output of the go command that indicates a network failure.
NETWORK_SIGNS = ("dial tcp", "no such host", "i/o timeout", "proxyconnect", "connection refused", "TLS handshake")


@dataclass(frozen=True, slots=True)
class Program:
    """One program: its name, its Go package, and the version that it must report."""

    name: str
    package: str
    version: str


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """The program being built, `number` of `count`, and the time since the build started."""

    name: str
    number: int
    count: int
    elapsed_seconds: float

    def sentence(self) -> str:
        """Return the progress as text."""
        return f"Building {self.number}/{self.count} {self.name} ({self.elapsed_seconds:.0f} s)"


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder of built programs."""

    folder: Path

    def path(self, name: str) -> Path:
        """Return the path of a program."""
        return self.folder / name


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to build, from which module folder, with which linker flags."""

    module_dir: Path
    programs: tuple[Program, ...]
    linker_flags: str
    key: str

    @classmethod
    def read(cls, module_dir: Path = MODULE_DIR) -> "Recipe":
        """Read go.mod and go.sum."""
        go_mod = (module_dir / "go.mod").read_text()
        go_sum = (module_dir / "go.sum").read_text()
        versions = dict(re.findall(r"^\s*(?:require )?(\S+) (v\S+)", go_mod, re.MULTILINE))
        programs = tuple(_programs(go_mod, versions))
        flags = linker_flags(versions)
        parts = (go_mod, go_sum, flags, *(program.name for program in programs))
        key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
        return cls(module_dir, programs, flags, key)

    def only(self, *names: str) -> "Recipe":
        """Return the recipe of some of the programs, with a separate folder."""
        chosen = tuple(program for program in self.programs if program.name in names)
        return replace(self, programs=chosen, key=f"{self.key}-{'-'.join(names)}")


def linker_flags(versions: Mapping[str, str]) -> str:
    """Return the flags that drop debug information and set the versions pinned in go.mod."""
    flags = ["-s", "-w"]
    kubernetes = versions.get("k8s.io/kubernetes")
    if kubernetes is not None:
        major, minor, _ = kubernetes.removeprefix("v").split(".", 2)
        stamp = {"gitVersion": kubernetes, "gitMajor": major, "gitMinor": minor}
        flags += [f"-X k8s.io/component-base/version.{name}={value}" for name, value in stamp.items()]
    helm = versions.get("helm.sh/helm/v4")
    if helm is not None:
        flags.append(f"-X helm.sh/helm/v4/internal/version.version={helm}")
    volumes = versions.get("github.com/rancher/local-path-provisioner")
    if volumes is not None:
        flags.append(f"-X main.VERSION={volumes}")
    return " ".join(flags)


def ensure_binaries(
    cache: Path,
    on_progress: Callable[[BuildProgress], None],
    say: Callable[[str], None],
    recipe: Recipe | None = None,
) -> Binaries:
    """Return the programs, and build those that are not in the cache.

    Raises:
        BuildError: they could not be built; the cache contains no partial build.
    """
    recipe = recipe or Recipe.read()
    folder = cache / "bin" / recipe.key
    if _is_complete(folder, recipe):
        return Binaries(folder)
    with file_lock(cache / "bin.lock", lambda: say("Waiting for another process that is building the programs.")):
        if not _is_complete(folder, recipe):
            _Build(recipe, cache, folder, on_progress).run(say)
    return Binaries(folder)


class _Build:
    """One build, from the sources to the folder with its final name."""

    def __init__(self, recipe: Recipe, cache: Path, folder: Path, on_progress: Callable[[BuildProgress], None]) -> None:
        self._recipe = recipe
        self._cache = cache
        self._folder = folder
        self._on_progress = on_progress
        self._started = time.monotonic()

    def run(self, say: Callable[[str], None]) -> None:
        """Build every program, check it, and give the folder its name."""
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        for leftover in self._folder.parent.glob("*.partial-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if self._folder.exists():
            shutil.rmtree(self._folder)
        go = find_go(minimum_version((self._recipe.module_dir / "go.mod").read_text()), self._cache, say).command
        _check_space(self._folder.parent, go)
        count = len(self._recipe.programs)
        say(f"Building {count} programs from pinned Go modules, once. This takes up to 6 minutes on two cores.")
        partial = Path(tempfile.mkdtemp(prefix=f"{self._recipe.key}.partial-", dir=self._folder.parent))
        try:
            for number, program in enumerate(self._recipe.programs, 1):
                self._compile(go, program, number, partial)
                _check_version(partial / program.name, program, go)
            sizes = {program.name: (partial / program.name).stat().st_size for program in self._recipe.programs}
            (partial / MARKER).write_text(json.dumps(sizes))
            partial.rename(self._folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _compile(self, go: Path, program: Program, number: int, partial: Path) -> None:
        command = [str(go), "build", "-buildvcs=false", "-trimpath", f"-ldflags={self._recipe.linker_flags}"]
        command += ["-o", str(partial / program.name), program.package]
        with tempfile.TemporaryFile("w+") as output:
            with subprocess.Popen(
                command,
                cwd=self._recipe.module_dir,
                # Flags and workspaces of the user's Go must not influence the build.
                env={
                    **os.environ,
                    "CGO_ENABLED": "0",
                    "GOFLAGS": "-mod=readonly",
                    "GOWORK": "off",
                    "GOTOOLCHAIN": "local",
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            ) as process:
                try:
                    self._report_until_done(process, program, number)
                except BaseException:
                    process.kill()
                    raise
            if process.returncode != 0:
                output.seek(0)
                raise _compile_error(program, output.read())

    def _report_until_done(self, process: subprocess.Popen[bytes], program: Program, number: int) -> None:
        while True:
            elapsed = time.monotonic() - self._started
            self._on_progress(BuildProgress(program.name, number, len(self._recipe.programs), elapsed))
            try:
                process.wait(REPORT_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            return


def _programs(go_mod: str, versions: Mapping[str, str]) -> Iterator[Program]:
    block = re.search(r"^tool \((.*?)^\)", go_mod, re.MULTILINE | re.DOTALL)
    single = re.findall(r"^tool ([^\s(]\S*)$", go_mod, re.MULTILINE)
    for package in [*(block[1].split() if block else ()), *single]:
        # The longest module path that the package lies in, as Go finds it.
        module = max((module for module in versions if f"{package}/".startswith(f"{module}/")), key=len, default="")
        name = NAMES.get(package, package.rpartition("/")[2])
        yield Program(name, package, versions.get(module, ""))


def _is_complete(folder: Path, recipe: Recipe) -> bool:
    try:
        sizes = json.loads((folder / MARKER).read_text())
        return sizes.keys() == {program.name for program in recipe.programs} and all(
            (folder / name).stat().st_size == size and os.access(folder / name, os.X_OK) for name, size in sizes.items()
        )
    except (OSError, ValueError, AttributeError):
        return False


def _check_version(path: Path, program: Program, go: Path) -> None:
    own: Sequence[str | Path] = (path, *VERSION_ARGUMENTS.get(program.name, ("--version",)))
    command = (go, "version", "-m", path) if program.name in SILENT else own
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"The built {program.name} does not run: {error}.") from error
    expected = program.version.removeprefix("v")
    got = (done.stdout + done.stderr).strip()
    if done.returncode != 0 or expected not in got:
        raise BuildError(f"The built {program.name} has the wrong version: expected {expected!r}, got {got[-300:]!r}.")


def _check_space(folder: Path, go: Path) -> None:
    caches = subprocess.run(
        [go, "env", "GOCACHE", "GOMODCACHE"], capture_output=True, text=True, check=True, timeout=60
    )
    for place in (folder, *map(Path, caches.stdout.split("\n")[:2])):
        existing = next(parent for parent in (place, *place.parents) if parent.exists())
        free = shutil.disk_usage(existing).free
        if free < FREE_BYTES:
            raise DiskSpaceError(
                f"Disk full: building needs {FREE_BYTES / 1e9:.1f} GB at {place}, {free / 1e9:.1f} GB are free.",
                hint="Free some space, or set URUMI_CACHE_DIR, GOCACHE and GOMODCACHE to a larger disk.",
            )


def _compile_error(program: Program, output: str) -> BuildError:
    log_end = "\n".join(output.strip().splitlines()[-15:])
    message = f"Building {program.name} failed:\n{log_end}\n"
    if "no space left on device" in output:
        return DiskSpaceError(message, hint="The disk is full: free some space and run the command again.")
    if any(sign in output for sign in NETWORK_SIGNS):
        return BuildError(message, hint="Go modules could not be downloaded: check the network, or set GOPROXY.")
    return BuildError(message, hint="Run the command again; packages that are compiled are kept.")
