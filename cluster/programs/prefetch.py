"""Downloads the Go modules of a first start in the background, while setup.sh makes the Python environment."""

import os
import subprocess
from pathlib import Path

from cluster.programs.assembly import is_complete
from cluster.programs.golang.build import GO_ENVIRON
from cluster.programs.golang.toolchain import go_on_path, minimum_version
from cluster.programs.recipe import Recipe
from cluster.programs.sources.pins import Pins
from cluster.programs.sources.platform import this_platform


def prefetch(cache: Path, recipe: Recipe | None = None) -> "subprocess.Popen[bytes] | None":
    """Start the download for the programs that only Go can make, and return its process.

    None if the programs are there, or if Go is not: then the environment's pip has to install it first. The process may
    be left alone or killed; `ensure_binaries` downloads what is missing.
    """
    recipe = recipe or Recipe.read()
    go = go_on_path(minimum_version((recipe.module_dir / "go.mod").read_text()))
    if go is None or is_complete(cache / "bin" / recipe.key, recipe):
        return None
    packaged = {pin.program for pin in Pins.read(this_platform()).wheels}
    packages = [program.package for program in recipe.programs if program.name not in packaged]
    return subprocess.Popen(
        [str(go.command), "list", "-deps", *packages],
        cwd=recipe.module_dir,
        env={**os.environ, **GO_ENVIRON},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
