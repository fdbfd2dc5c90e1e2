"""`./setup.sh doctor`: every check of this machine. Uses the standard library only."""

from cluster.doctor import report
from cluster.kind.choice import docker_check
from cluster.place import Place


def diagnose(place: Place) -> int:
    """Print what the checks found and return the exit code: 1 if there is a problem."""
    findings = report.run_checks((docker_check,), place)
    for line in report.lines(findings):
        place.console.say(line)
    return report.exit_code(findings)
