"""`./setup.sh doctor`: every check of this machine. Uses the standard library only."""

from cluster.doctor import report
from cluster.doctor.checks import CHECKS
from cluster.doctor.finding import Check
from cluster.kind.choice import docker_check
from cluster.place import Place


def diagnose(place: Place, *more: Check) -> int:
    """Print what the checks found and return the exit code: 1 if there is a problem."""
    findings = report.run_checks((*CHECKS, docker_check, *more), place)
    for line in report.lines(findings):
        place.console.say(line)
    place.console.say()
    place.console.say(report.summary(findings))
    return report.exit_code(findings)
