"""The configuration of the cluster for kind: one node, whose ports are published to this machine only.

It is written as JSON, which is also YAML.
"""

import json
from typing import Any

from cluster.kind.engine import Engine
from cluster.kind.settings import Settings
from cluster.ports import ADDRESS

# Kubelets from 1.35 on do not start on cgroup v1 unless they are allowed to.
CGROUP_V1_PATCH = "kind: KubeletConfiguration\nfailCgroupV1: false\n"


def cluster_config(settings: Settings, engine: Engine) -> str:
    """Return the configuration of a new cluster."""
    ports = settings.ports
    node: dict[str, Any] = {
        "role": "control-plane",
        "extraPortMappings": [
            {"containerPort": inside, "hostPort": outside, "listenAddress": ADDRESS, "protocol": "TCP"}
            for inside, outside in ((80, ports.http), (443, ports.https))
        ],
    }
    if settings.image:
        node["image"] = settings.image
    config: dict[str, Any] = {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": [node]}
    if engine.cgroup_version == "1":
        config["kubeadmConfigPatches"] = [CGROUP_V1_PATCH]
    return json.dumps(config, indent=2) + "\n"
