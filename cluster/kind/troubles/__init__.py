"""What prevents a kind cluster on this machine, found before anything is created, each with the way around it.

    engine     no kind cluster can work on this engine: a run without --cluster uses the local cluster and says why
    the rest   something to change or to choose: ports, memory, disk, limits, builders, proxies, a cluster from before

A check is a function from facts to findings. A problem ends the run; a note is printed.
"""

from collections.abc import Callable, Iterable

from cluster.doctor.finding import Finding
from cluster.kind.facts import Facts
from cluster.kind.troubles import building, engine, leftovers, ports, resources

Trouble = Callable[[Facts], Iterable[Finding]]

ENGINE: tuple[Trouble, ...] = engine.CHECKS
ALL: tuple[Trouble, ...] = (*engine.CHECKS, *leftovers.CHECKS, *ports.CHECKS, *building.CHECKS, *resources.CHECKS)


def find(facts: Facts, checks: Iterable[Trouble] = ALL) -> list[Finding]:
    """Return the findings of the checks."""
    return [finding for check in checks for finding in check(facts)]
