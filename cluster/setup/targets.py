"""The clusters by their names after `--cluster`."""

from collections.abc import Mapping

from cluster.kind.target import KindTarget
from cluster.platform.current import CurrentCluster
from cluster.setup.local import LocalTarget
from cluster.target import Target

TARGETS: Mapping[str, Target] = {target.name: target for target in (LocalTarget(), KindTarget(), CurrentCluster())}
