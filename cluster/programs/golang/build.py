"""Compiles programs from their pinned Go modules, in one run of the go command for all of them.

Go's build cache keeps every finished package, so an interrupted build continues where it stopped. `-v` makes Go print
the packages as it comes to them; the estimate of the time left is made from that.
"""

import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import BuildError, DiskSpaceError
from cluster.network import network_advice
from cluster.programs.beside import beside
from cluster.programs.golang.estimate import Estimate, Package, duration
from cluster.programs.recipe import COMPILER_FLAGS, Program, Recipe

# Flags and workspaces of the user's Go must not influence the build.
GO_ENVIRON = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off", "GOTOOLCHAIN": "local"}
POLL_SECONDS = 0.5
REPORT_SECONDS = 15.0
STOP_SECONDS = 10.0
# Fields of `go list`, one package a line: path, folder, imports, files.
LISTING = '{{.ImportPath}}\t{{.Dir}}\t{{join .Imports " "}}\t{{join .GoFiles "/"}}'
# What the whole build and the packages that come before it are compiled with.
COMMON_FLAGS = ("-buildvcs=false", "-trimpath", *(f"-gcflags={where}={what}" for where, what in COMPILER_FLAGS.items()))
# Packages of the standard library that stand for almost all that the programs use of it.
STANDARD = ("database/sql", "encoding/json", "html/template", "net/http/pprof", "os/exec", "testing")
# Remembers how fast this machine compiles.
RATE = "compile-rate.json"


def _ignore(lines: Sequence[str]) -> None:
    """Follow nothing."""


def _every(seconds: float) -> Callable[[], bool]:
    """Return a function that is true once in this time."""
    last = time.monotonic()

    def is_due() -> bool:
        nonlocal last
        if time.monotonic() - last < seconds:
            return False
        last = time.monotonic()
        return True

    return is_due


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """How much of the source is compiled, from 0 to 1, and about how long the rest takes, if that is known.

    Before the compiler starts, `share` is None and `modules` counts the downloaded ones.
    """

    share: float | None
    seconds_left: float | None = None
    modules: int = 0

    def sentence(self) -> str:
        """Return the progress as text."""
        if self.share is None:
            return f"Downloading Go modules: {self.modules} so far."
        left = "" if self.seconds_left is None else f", about {duration(self.seconds_left)} left"
        return f"Compiling: {self.share * 100:.0f} %{left}."


class GoBuild:
    """One build of some programs into a folder.

    Args:
        watch: called twice a second; what it raises ends the build.
    """

    def __init__(
        self,
        recipe: Recipe,
        go: Path,
        cache: Path,
        on_progress: Callable[[BuildProgress], None],
        watch: Callable[[], None],
    ) -> None:
        self._recipe = recipe
        self._go = go
        self._rate_file = cache / RATE
        self._on_progress = on_progress
        self._watch = watch

    def run(self, programs: Sequence[Program], folder: Path) -> None:
        """Compile the programs.

        Raises:
            BuildError: the go command failed; quotes the end of its output.
        """
        packages = [program.package for program in programs]
        names = ", ".join(program.name for program in programs)
        # Loading the packages downloads their modules, while the processors are idle.
        standard = beside(lambda: self._call(["build", *COMMON_FLAGS, *STANDARD], names))
        listing = self._call(["list", "-deps", "-f", LISTING, *packages], names, self._count_downloads())
        estimate = Estimate(_packages(listing), self._known_rate())
        standard.result()
        started = time.monotonic()
        is_due = _every(REPORT_SECONDS)

        def follow(lines: Sequence[str]) -> None:
            for line in lines:
                estimate.begins(line)
            if is_due():
                left = estimate.seconds_left(time.monotonic() - started)
                self._on_progress(BuildProgress(estimate.share(), left))

        flags = ["-v", *COMMON_FLAGS, f"-ldflags={self._recipe.linker_flags}"]
        self._call(["build", *flags, "-o", f"{folder}{os.sep}", *packages], names, follow)
        self._rate_file.write_text(json.dumps(estimate.rate(time.monotonic() - started)))
        for program in programs:
            (folder / executable_name(program.package)).replace(folder / program.name)

    def _count_downloads(self) -> Callable[[Sequence[str]], None]:
        modules = 0
        is_due = _every(REPORT_SECONDS)

        def follow(lines: Sequence[str]) -> None:
            nonlocal modules
            modules += sum(line.startswith("go: downloading ") for line in lines)
            if modules and is_due():
                self._on_progress(BuildProgress(None, modules=modules))

        return follow

    def _call(self, arguments: Sequence[str], names: str, follow: Callable[[Sequence[str]], None] = _ignore) -> str:
        """Run the go command, pass on the lines of its error output, and return its standard output."""
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            with subprocess.Popen(
                [str(self._go), *arguments],
                cwd=self._recipe.module_dir,
                env={**os.environ, **GO_ENVIRON},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
            ) as process:
                try:
                    self._follow_until_done(process, errors.fileno(), follow)
                except BaseException:
                    _stop(process)
                    raise
            output.seek(0)
            errors.seek(0)
            if process.returncode != 0:
                raise _failure(names, errors.read())
            return output.read()

    def _follow_until_done(
        self, process: subprocess.Popen[bytes], errors: int, follow: Callable[[Sequence[str]], None]
    ) -> None:
        offset = 0
        while process.poll() is None:
            try:
                process.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                self._watch()
            # At an offset of its own, as the go command writes at the file's.
            lines, rest, _ = os.pread(errors, 1024**2, offset).rpartition(b"\n")
            offset += len(lines) + len(rest)
            follow(lines.decode(errors="replace").splitlines())

    def _known_rate(self) -> float:
        try:
            return float(json.loads(self._rate_file.read_text()))
        except (OSError, ValueError, TypeError):
            return 0.0


def go_folders(go: Path) -> tuple[Path, Path]:
    """Return where Go keeps compiled packages, and where the modules' sources."""
    command = [str(go), "env", "GOCACHE", "GOMODCACHE"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    cache, modules = done.stdout.split("\n")[:2]
    return Path(cache), Path(modules)


def executable_name(package: str) -> str:
    """Return the name that Go gives a program: the last part of its path that is no major version."""
    *_, parent, last = package.split("/")
    return parent if re.fullmatch(r"v\d+", last) else last


def _packages(listing: str) -> Mapping[str, Package]:
    rows = (line.split("\t") for line in listing.splitlines())
    return {path: Package(_size(folder, files), tuple(imports.split())) for path, folder, imports, files in rows}


def _size(folder: str, files: str) -> float:
    return float(sum(os.stat(os.path.join(folder, name)).st_size for name in files.split("/") if name))


def _stop(process: subprocess.Popen[bytes]) -> None:
    # On an interrupt Go ends its compilers and deletes its temporary files, which a kill would leave behind.
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _failure(names: str, output: str) -> BuildError:
    log_end = "\n".join(output.strip().splitlines()[-15:])
    message = f"Compiling {names} failed:\n{log_end}\n"
    if "no space left on device" in output:
        return DiskSpaceError(message, hint="The disk is full: free some space and run the command again.")
    if advice := network_advice(output):
        return BuildError(message, hint=f"{advice} GOPROXY names a mirror of Go modules.")
    return BuildError(message, hint="Run the command again; packages that are compiled are kept.")
