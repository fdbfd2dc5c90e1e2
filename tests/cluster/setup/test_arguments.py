"""The command line of setup.sh."""

from pathlib import Path

import pytest

from cluster.setup.arguments import CLUSTERS, USAGE, Arguments, UsageError, parse
from cluster.setup.targets import TARGETS
from cluster.target import Options


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], Arguments()),
        (["up"], Arguments()),
        (["--cluster", "node"], Arguments(cluster="node")),
        (["up", "--cluster", "kind"], Arguments(cluster="kind")),
        (["--cluster=local"], Arguments(cluster="local")),
        (["--values=a=b.yaml"], Arguments(options=Options((Path("a=b.yaml"),)))),
        (["test", "--cluster=local"], Arguments("test", rest=("--cluster=local",))),
        (
            ["--cluster", "current", "--values", "a b.yaml", "--yes", "--values", "c.yaml"],
            Arguments(cluster="current", options=Options((Path("a b.yaml"), Path("c.yaml")), yes=True)),
        ),
        (["down"], Arguments("down")),
        (["down", "--purge"], Arguments("down", purge=True)),
        (["status"], Arguments("status")),
        (["doctor"], Arguments("doctor")),
        (["test", "tests/urumi", "-k", "a or b"], Arguments("test", rest=("tests/urumi", "-k", "a or b"))),
        (["--help"], Arguments("help")),
        (["-h"], Arguments("help")),
        (["help", "me"], Arguments("help")),
    ],
    ids=str,
)
def test_arguments(given: list[str], expected: Arguments) -> None:
    assert parse(given) == expected


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["splendid"], "splendid"),
        (["--help-me"], "--help-me"),
        (["up", "now"], "now"),
        (["down", "--purgee"], "--purgee"),
        (["status", "x"], "x"),
        (["dev", "x"], "x"),
        (["--cluster", "local", "status"], "status"),
    ],
    ids=str,
)
def test_an_unknown_argument_is_named(given: list[str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(given)
    assert str(caught.value) == f"unexpected argument: {words}."


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--cluster", "gke"], "--cluster needs one of local, node, kind, current; got 'gke'."),
        (["--yes", "--cluster"], "--cluster needs one of local, node, kind, current; got nothing."),
        (["--values"], "--values needs the path of a file."),
        (["--values", ""], "--values needs the path of a file."),
    ],
    ids=str,
)
def test_an_option_without_its_value_names_what_it_needs(given: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(given)
    assert str(caught.value) == sentence


def test_every_cluster_can_be_chosen_and_is_in_the_usage() -> None:
    assert list(CLUSTERS) == list(TARGETS)
    assert all(f"--cluster {name} " in USAGE for name in TARGETS)
