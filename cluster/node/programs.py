"""The programs of a node, built from three sets of pinned Go modules and kept in the cache.

Kubernetes' control plane and its clients are the local cluster's; what runs pods, and the ingress controller, have
separate modules, because their dependencies do not agree.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster.folders import cache_root
from cluster.node.folders import node_cache
from cluster.node.ingress.source import ingress_recipe, ingress_source
from cluster.programs.binaries import Binaries, Recipe, ensure_binaries

MODULE_DIR = Path(__file__).resolve().parent

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class NodePrograms:
    """The folders of the programs, and the folder with Traefik's definitions."""

    cluster: Binaries
    node: Binaries
    ingress: Binaries
    ingress_source: Path


def ensure_programs(say: Say) -> NodePrograms:
    """Return the programs, and build those that are not in the cache.

    Raises:
        BuildError: a program could not be built.
        NodeError: Traefik's modules could not be downloaded.
    """

    def built(folder: Path, recipe: Recipe) -> Binaries:
        return ensure_binaries(folder, lambda build: say(build.sentence()), say, recipe)

    cluster = built(cache_root(), Recipe.read())
    own = built(node_cache(), Recipe.read(MODULE_DIR))
    return NodePrograms(cluster, own, built(node_cache(), ingress_recipe(say)), ingress_source(say))
