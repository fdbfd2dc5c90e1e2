"""The commands of setup.sh."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

from cluster.console import Terminal
from cluster.doctor.finding import Finding
from cluster.doctor.report import raise_problems
from cluster.errors import SetupError
from cluster.folders import delete_if_empty, state_root
from cluster.kind.choice import kind_is_default
from cluster.lock import file_lock
from cluster.place import Place
from cluster.setup.arguments import Arguments, parse
from cluster.setup.bootstrap import ROOT
from cluster.setup.choice import choose
from cluster.setup.diagnosis import diagnose
from cluster.setup.targets import NODE, TARGETS
from cluster.setup.testing import run_tests


def run(given: list[str]) -> int:
    """Run a command and return its exit code."""
    arguments = parse(given)
    place = Place(ROOT, state_root(), Terminal(), ROOT / ".venv" / "bin" / "python")
    match arguments.command:
        case "up":
            with alone(place):
                return up(place, arguments)
        case "down":
            with alone(place):
                return down(place, arguments.purge)
        case "status":
            return choose(place, "", TARGETS, kind_is_default)[0].status(place)
        case "doctor":
            return diagnose(place, real_containers)
    return run_tests(place, arguments.rest)


def alone(place: Place) -> AbstractContextManager[None]:
    """Wait for another run that changes the same state folder: of two, each would restart the server of the other."""
    place.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    waiting = f"      Waiting for another ./setup.sh that uses {place.state}."
    return file_lock(place.lock, lambda: place.console.say(waiting))


def real_containers(place: Place) -> Iterator[Finding]:
    """Report whether a node can run here; one that cannot is no problem of the other clusters."""
    problems = [finding for finding in NODE.obstacles(place) if finding.level == "problem"]
    for finding in problems:
        yield replace(finding, level="note", subject="node cluster")
    if not problems:
        yield Finding("ok", "node cluster", "real shops without Docker can run here: ./setup.sh --cluster node")


def up(place: Place, arguments: Arguments) -> int:
    """Start Urumi on the chosen cluster.

    Raises:
        ClusterError: a stage failed, or this machine lacks what the cluster needs.
    """
    target, note = choose(place, arguments.cluster, TARGETS, kind_is_default)
    if arguments.options.values and target.name != "current":
        raise SetupError(
            f"--values is for the cluster current, and this run is for {target.name}.",
            hint="Remove it, or add --cluster current.",
        )
    if note:
        place.console.say(f"      {note}")
    obstacles = target.obstacles(place)
    for finding in obstacles:
        if finding.level == "note":
            place.console.say(f"      Note: {finding.sentence} {finding.hint}".rstrip())
    raise_problems(obstacles)
    target.up(place, arguments.options)
    return 0


def down(place: Place, purge: bool) -> int:
    """Stop Urumi; with `purge`, also delete what it kept."""
    choose(place, "", TARGETS, kind_is_default)[0].down(place, purge)
    if purge:
        place.token.unlink(missing_ok=True)
        place.server_file.unlink(missing_ok=True)
        place.forget()
        place.lock.unlink(missing_ok=True)
        reason = delete_if_empty(place.state)
        place.console.say("The token, logs and settings are deleted.")
        if reason:
            place.console.say(f"The empty folder {place.state} could not be deleted and remains: {reason}.")
    return 0
