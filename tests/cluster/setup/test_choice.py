"""Which cluster a run of setup.sh uses."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster.doctor.finding import Finding
from cluster.errors import SetupError
from cluster.place import Place
from cluster.setup.choice import choose
from cluster.target import Options, Target
from tests.cluster.place import make_place


@dataclass
class Idle:
    """A cluster that only knows whether it is up."""

    name: str
    runs: bool = False

    def obstacles(self, place: Place) -> Sequence[Finding]:
        return ()

    def up(self, place: Place, options: Options) -> None: ...

    def down(self, place: Place, purge: bool) -> None: ...

    def is_up(self, place: Place) -> bool:
        return self.runs

    def status(self, place: Place) -> int:
        return 0 if self.runs else 3


LATE = "Docker responds, but kind cannot run here."


def chosen(place: Place, wanted: str = "", up: str = "", kind: tuple[bool, str] = (False, "")) -> tuple[str, str]:
    """Return the name of the chosen cluster and the sentence about the choice."""
    targets: dict[str, Target] = {name: Idle(name, name == up) for name in ("local", "node", "kind", "current")}
    target, note = choose(place, wanted, targets, lambda _: kind)
    return target.name, note


@pytest.mark.parametrize(
    ("known", "wanted", "up", "kind", "expected"),
    [
        ("", "", "", (False, ""), ("local", "")),
        ("", "", "", (True, ""), ("kind", "")),
        ("", "", "", (False, LATE), ("local", LATE)),
        ("", "node", "", (True, ""), ("node", "")),
        ("local", "", "", (True, ""), ("local", "")),
        ("node", "", "node", (True, ""), ("node", "")),
        ("kind", "local", "", (True, ""), ("local", "")),
        # A server of an older version, which kept no name.
        ("", "", "local", (True, ""), ("local", "")),
        ("unknown", "", "", (True, ""), ("kind", "")),
    ],
    ids=str,
)
def test_the_choice(
    tmp_path: Path, known: str, wanted: str, up: str, kind: tuple[bool, str], expected: tuple[str, str]
) -> None:
    place = make_place(tmp_path)
    if known:
        place.remember(known)
    assert chosen(place, wanted, up, kind) == expected


def test_two_clusters_at_once_are_refused(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    place.remember("local")
    with pytest.raises(SetupError) as caught:
        chosen(place, "kind", up="local")
    assert caught.value.sentence() == (
        "Urumi runs on the local cluster. Stop it first (./setup.sh down), then run this again."
    )
    assert chosen(place, "kind") == ("kind", "")
