"""Troubles with a cluster that is already there."""

from collections.abc import Iterator

from cluster.doctor.finding import Finding
from cluster.kind.facts import Facts
from cluster.kind.node import CLUSTER, NODE


def foreign(facts: Facts) -> Iterator[Finding]:
    """A cluster of the same name that was created from another state folder."""
    if facts.node.exists and not facts.files.made_it:
        yield Finding(
            "problem",
            "cluster",
            f"The kind cluster {CLUSTER} was created at {facts.node.created}Z from another state folder than"
            f" {facts.files.state}.",
            "Set URUMI_STATE_DIR to the folder of that run, or delete that cluster with its shops: docker rm --force"
            f" --volumes {NODE}",
        )


def half_made(facts: Facts) -> Iterator[Finding]:
    """A cluster whose creation was interrupted."""
    if facts.node.exists and facts.files.half_made:
        yield Finding(
            "note",
            "cluster",
            f"The creation of the kind cluster {CLUSTER} was interrupted; it is deleted and created again.",
            "Wait: nothing else is needed.",
        )


def broken(facts: Facts) -> Iterator[Finding]:
    """A node that Docker can neither start nor use."""
    if facts.node.state in {"dead", "removing"}:
        yield Finding(
            "problem",
            "cluster",
            f"Docker reports the node {NODE} as {facts.node.state}: it cannot be started again.",
            f"Delete it with its shops: docker rm --force --volumes {NODE}. Then run this again.",
        )


CHECKS = (foreign, half_made, broken)
