"""The objects that a new node needs: the default storage class and the configuration of its provisioner."""

import json

from cluster.api import Api
from cluster.node import layout
from cluster.node.folders import NodeFolder
from cluster.node.inside.configuration import helper_pod

SETUP = '#!/bin/sh\nset -eu\nmkdir -m 0777 -p "$VOL_DIR"\n'
TEARDOWN = '#!/bin/sh\nset -eu\nrm -rf "$VOL_DIR"\n'


def apply_objects(api: Api, folder: NodeFolder) -> None:
    """Apply the storage class and the provisioner's namespace and scripts."""
    namespace = f"/api/v1/namespaces/{layout.VOLUME_NAMESPACE}"
    api.apply(namespace, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": layout.VOLUME_NAMESPACE}})
    api.apply(
        f"/apis/storage.k8s.io/v1/storageclasses/{layout.STORAGE_CLASS}",
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": layout.STORAGE_CLASS,
                # `local` volumes are owned by a pod's fsGroup, as disks are; `hostPath`, the default, is not.
                "annotations": {
                    "storageclass.kubernetes.io/is-default-class": "true",
                    "defaultVolumeType": "local",
                },
            },
            "provisioner": "rancher.io/local-path",
            "volumeBindingMode": "WaitForFirstConsumer",
            "reclaimPolicy": "Delete",
        },
    )
    data = {
        "config.json": (folder.etc / "volumes" / "config.json").read_text(),
        "setup": SETUP,
        "teardown": TEARDOWN,
        "helperPod.yaml": json.dumps(helper_pod()),
    }
    name = "local-path-config"
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
    api.apply(f"{namespace}/configmaps/{name}", config)
