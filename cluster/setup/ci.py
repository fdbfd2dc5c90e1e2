"""`.ci/run`: every check, one part after the other, with the time of each at the end.

Each part runs even if an earlier one failed. Tests that need a whole machine need Linux, root and Debian packages; on
other machines, or if a variable is 0, they are skipped with one line that says why. So is the last part if the others,
with empty caches, have left too little of the time that CI gives a run.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass

from cluster.console import Terminal, report_error
from cluster.errors import SetupError
from cluster.folders import state_root
from cluster.place import Place
from cluster.setup.apt import apt_install
from cluster.setup.bootstrap import ROOT
from cluster.setup.guard import guarded
from cluster.setup.testing import MACHINES, ask_module, missing_packages

RUN_SECONDS = 90 * 60


@dataclass(frozen=True, slots=True)
class Part:
    """A command. `option` is the one of the tests that need a whole machine, `switch` the variable that skips them.

    `needs_seconds` is the time with empty caches that must be left of the run.
    """

    name: str
    command: tuple[str, ...]
    option: str = ""
    switch: str = ""
    needs_seconds: float = 0.0


PARTS = (
    Part("static checks", ("scripts/check", "--static")),
    Part("tests", ("./setup.sh", "test", "--all")),
    Part("tests with real containers", ("./setup.sh", "test", "--node"), "--node", "NODE_TESTS"),
    Part("tests with Docker", ("./setup.sh", "test", "--docker"), "--docker", "DOCKER_TESTS", 25 * 60),
)


def run_parts(place: Place) -> int:
    """Run every part, print the result and the time of each, and return 1 if one failed."""
    code = 0
    results = []
    begin = time.monotonic()
    for part in PARTS:
        reason = _shortage(part, time.monotonic() - begin) or _obstacle(place, part)
        if reason:
            results.append(f"{part.name} skipped: {reason}")
            continue
        started = time.monotonic()
        failed = subprocess.run(part.command, cwd=place.root, check=False).returncode != 0
        code = 1 if failed else code
        results.append(f"{part.name} {'failed' if failed else 'passed'} after {time.monotonic() - started:.0f} s")
    place.console.say("\n" + "\n".join(results))
    if code:
        report_error("A check failed; see above.")
    return code


def _shortage(part: Part, elapsed_seconds: float) -> str:
    """Return why a part is not started after this time, empty if it is."""
    if elapsed_seconds + part.needs_seconds <= RUN_SECONDS:
        return ""
    return (
        f"{elapsed_seconds / 60:.0f} of the {RUN_SECONDS / 60:.0f} min of a run are over, and it may take "
        f"{part.needs_seconds / 60:.0f}. Run it alone: {' '.join(part.command)}"
    )


def _obstacle(place: Place, part: Part) -> str:
    """Install what the tests of a part need, and return why they cannot run, empty if they can."""
    if not part.option:
        return ""
    if os.environ.get(part.switch) == "0":
        return f"{part.switch} is 0."
    module = MACHINES[part.option]
    try:
        missing = missing_packages(place, module)
        if missing and os.geteuid() == 0:
            apt_install(place.console, f"what the {part.name} need", missing)
        return ask_module(place, module, "obstacle()")
    except SetupError as error:
        return error.sentence()


if __name__ == "__main__":
    sys.exit(guarded(lambda: run_parts(Place(ROOT, state_root(), Terminal(), ROOT / ".venv" / "bin" / "python"))))
