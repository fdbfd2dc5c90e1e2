"""Which cluster a run uses: the requested one, the one of the last run, or kind if Docker responds."""

from collections.abc import Callable, Mapping

from cluster.errors import SetupError
from cluster.place import Place
from cluster.target import Target

# Whether kind is used if nothing else was chosen, and a sentence if Docker responds but kind cannot run.
IsDefault = Callable[[Place], tuple[bool, str]]


def choose(place: Place, wanted: str, targets: Mapping[str, Target], kind_is_default: IsDefault) -> tuple[Target, str]:
    """Return the cluster, and a sentence to print about the choice, often none.

    Raises:
        SetupError: Urumi runs on another cluster.
    """
    known, _ = place.remembered()
    name, note = wanted or known, ""
    if name not in targets:
        name = "local"
        if not targets[name].is_up(place):
            is_kind, note = kind_is_default(place)
            name = "kind" if is_kind else name
    if name != known and known in targets and targets[known].is_up(place):
        raise SetupError(f"Urumi runs on the {known} cluster. Stop it first (./setup.sh down), then run this again.")
    return targets[name], note
