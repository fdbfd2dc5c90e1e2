"""The programs of a cluster in a per-user cache, fetched or compiled once.

The folder's name is a digest of all inputs: go.mod, go.sum and the build flags. Programs are collected in a folder
beside it, which gets its final name after each has reported its version, so a folder with that name is complete; later
changes are detected by the recorded sizes. A lock prevents two builds at the same time.

Three sources, for each program the first that has it: a release file, a wheel, its Go module. Files arrive while the go
command compiles what only it can make. What an interrupted run has finished is kept: programs in the folder beside,
downloads as partial files, compiled packages in Go's cache.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster.lock import file_lock
from cluster.programs.assembly import Assembly, is_complete
from cluster.programs.golang.build import BuildProgress
from cluster.programs.recipe import Recipe

__all__ = ["Binaries", "BuildProgress", "Recipe", "ensure_binaries"]


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder of programs."""

    folder: Path

    def path(self, name: str) -> Path:
        """Return the path of a program."""
        return self.folder / name


def ensure_binaries(
    cache: Path,
    on_progress: Callable[[BuildProgress], None],
    say: Callable[[str], None],
    recipe: Recipe | None = None,
) -> Binaries:
    """Return the programs, and make those that are not in the cache.

    Raises:
        BuildError: they could not be made; the cache contains no incomplete folder.
    """
    recipe = recipe or Recipe.read()
    folder = cache / "bin" / recipe.key
    if is_complete(folder, recipe):
        return Binaries(folder)
    with file_lock(cache / "bin.lock", lambda: say("Waiting for another process that is building the programs.")):
        if not is_complete(folder, recipe):
            Assembly(recipe, cache, folder, on_progress, say).run()
    return Binaries(folder)
