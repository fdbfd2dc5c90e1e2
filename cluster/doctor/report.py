"""Findings as text, as an exit code, and as an error."""

from collections.abc import Iterable, Iterator, Sequence

from cluster.doctor.finding import Check, Finding
from cluster.errors import ObstacleError
from cluster.place import Place

SUBJECT_WIDTH = 17


def run_checks(checks: Sequence[Check], place: Place) -> list[Finding]:
    """Return the findings of every check; a check that fails is itself a problem."""
    found: list[Finding] = []
    for check in checks:
        try:
            found += check(place)
        except Exception as error:  # a defect in one check must not hide the others
            name = getattr(check, "__name__", type(check).__name__)
            sentence = f"The check failed: {type(error).__name__}: {error}"
            found.append(Finding("problem", name.replace("_", " "), sentence, "Report this, with the whole output."))
    return found


def lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield one line per finding, followed by its hint."""
    for finding in findings:
        yield f"{finding.level:<8}{finding.subject:<{SUBJECT_WIDTH}}{finding.sentence}"
        if finding.hint and finding.level != "ok":
            yield f"{'':<{8 + SUBJECT_WIDTH}}{finding.hint}"


def summary(findings: Sequence[Finding]) -> str:
    """Return what a reader has to do."""
    problems, notes = (sum(finding.level == level for finding in findings) for level in ("problem", "note"))
    if problems:
        return f"Problems: {problems}. Do what the line below each says, then run ./setup.sh doctor again."
    return f"No problems. Notes: {notes}; the local cluster works without them." if notes else "No problems."


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 1 if there is a problem, otherwise 0."""
    return 1 if any(finding.level == "problem" for finding in findings) else 0


def raise_problems(findings: Iterable[Finding]) -> None:
    """Raise if there is a problem.

    Raises:
        ObstacleError: quotes every problem.
    """
    problems = [f"{finding.sentence} {finding.hint}".strip() for finding in findings if finding.level == "problem"]
    if problems:
        raise ObstacleError("\n".join(problems))
