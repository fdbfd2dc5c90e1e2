"""The clusters by their names after `--cluster`."""

from collections.abc import Mapping

from cluster.kind.target import KindCluster
from cluster.node.target import NodeTarget
from cluster.platform.current import CurrentCluster
from cluster.setup.local import LocalTarget
from cluster.target import Target

_NODE = NodeTarget()
TARGETS: Mapping[str, Target] = {
    target.name: target for target in (LocalTarget(_NODE.obstacles), _NODE, KindCluster(), CurrentCluster())
}
