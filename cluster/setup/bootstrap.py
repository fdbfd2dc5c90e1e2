"""The part of setup.sh before the environment exists. Uses the standard library only."""

import shutil
from pathlib import Path

from cluster.console import Terminal, report_error
from cluster.doctor.folders import folders
from cluster.doctor.report import raise_problems
from cluster.folders import cache_root, state_root
from cluster.place import Place
from cluster.programs.prefetch import prefetch
from cluster.setup.arguments import USAGE, Arguments, UsageError, parse
from cluster.setup.diagnosis import diagnose
from cluster.setup.environment import Environment
from cluster.setup.guard import become

ROOT = Path(__file__).resolve().parents[2]
TITLES = {
    "up": "[1/4] Python environment in .venv: about a minute the first time, a second later.",
    "test": "[1/3] Python environment in .venv: about a minute the first time, a second later.",
    "dev": "Python environment in .venv, with every developer tool: about a minute the first time, a second later.",
}


def bootstrap(given: list[str]) -> int:
    """Prepare the environment and continue in its Python; return an exit code if there is nothing to continue."""
    console = Terminal()
    try:
        arguments = parse(given)
    except UsageError as error:
        report_error(f"{error} Run ./setup.sh help for the commands.")
        return 2
    if arguments.command == "help":
        console.say(USAGE)
        return 0
    environment = Environment(ROOT, console)
    place = Place(ROOT, state_root(), console, environment.python)
    if arguments.command in TITLES:
        raise_problems(folders(place))
        console.say(TITLES[arguments.command])
        # Where Docker is installed, the cluster is probably kind, whose node has the programs.
        if arguments.command != "dev" and shutil.which("docker") is None:
            prefetch(cache_root())
        environment.ensure("run" if arguments.command == "up" else "dev")
    elif not environment.is_usable():
        return _without_environment(arguments, place)
    if arguments.command == "dev":
        return 0
    return become(environment.python, "-m", "cluster.setup.inside", *given, ignores_interrupts=True)


def _without_environment(arguments: Arguments, place: Place) -> int:
    match arguments.command:
        case "doctor":
            return diagnose(place)
        case "status":
            place.console.row("server", "not set up; run ./setup.sh")
            return 3
        case "down":
            place.console.say(
                "There is no environment in .venv, so nothing can be stopped. Create it with ./setup.sh dev"
            )
    return 0
