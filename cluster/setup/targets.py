"""The clusters by their names after `--cluster`."""

from collections.abc import Mapping

from cluster.kind.target import KindTarget
from cluster.node.target import NodeTarget
from cluster.platform.current import CurrentCluster
from cluster.setup.apt import apt_install
from cluster.setup.local import LocalTarget
from cluster.target import Target

NODE = NodeTarget(apt_install)
TARGETS: Mapping[str, Target] = {
    target.name: target for target in (LocalTarget(NODE.obstacles), NODE, KindTarget(), CurrentCluster())
}
