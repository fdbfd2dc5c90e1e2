"""The node itself: it starts, runs a pod with a volume, survives a power failure, and leaves nothing."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.local.component import is_alive
from cluster.node import host
from cluster.node.cgroups import find_groups, group_name
from cluster.node.images.image import load_images
from cluster.node.images.official import POSTGRES
from cluster.node.node import Node
from testing.kubectl import Kubectl, wait_for

pytestmark = [pytest.mark.node, pytest.mark.timeout(2400)]


def database(name: str) -> list[dict[str, Any]]:
    """Return the objects of a Postgres with a volume."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    container = {
        "name": "postgres",
        "image": "postgres:16.14-bookworm",
        "imagePullPolicy": "IfNotPresent",
        "env": [
            {"name": "POSTGRES_PASSWORD", "value": "secret"},
            {"name": "PGDATA", "value": "/var/lib/postgresql/data/pgdata"},
        ],
        "readinessProbe": {"exec": {"command": ["pg_isready", "--host=127.0.0.1"]}, "periodSeconds": 1},
        "volumeMounts": [{"name": "data", "mountPath": "/var/lib/postgresql/data"}],
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "securityContext": {"runAsUser": 999, "fsGroup": 999},
            "containers": [container],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": name}}],
        },
    }
    return [claim, pod]


def query(kubectl: Kubectl, name: str, statement: str) -> str:
    """Run a statement in the database."""
    psql = ("psql", "--username=postgres", "--host=127.0.0.1", "--tuples-only", "--no-align", "--command", statement)
    return kubectl.run("exec", name, "--", *psql).strip()


def test_a_database_keeps_its_rows_after_a_power_failure(
    node: Node, node_kubectl: Kubectl, say: Callable[[str], None]
) -> None:
    load_images(node, [POSTGRES], say)
    name = f"database-{secrets.token_hex(3)}"
    for item in database(name):
        node_kubectl.apply(item)
    node_kubectl.run("wait", "--for=condition=Ready", "pod", name, "--timeout=180s")
    query(node_kubectl, name, "CREATE TABLE orders (number int)")
    assert list(node.folder.volumes.glob(f"*_{name}"))
    query(node_kubectl, name, "INSERT INTO orders VALUES (42)")
    node.restart()
    wait_for(
        lambda: node_kubectl.attempt("exec", name, "--", "pg_isready", "--host=127.0.0.1").returncode == 0,
        f"the database {name} after the restart",
        seconds=180,
    )
    assert query(node_kubectl, name, "SELECT number FROM orders") == "42"
    node_kubectl.run("delete", "pod,pvc", name, "--timeout=120s")
    wait_for(lambda: not list(node.folder.volumes.glob(f"*_{name}")), "the folder of the volume to be deleted")


def test_a_stopped_node_leaves_nothing(node: Node) -> None:
    seen = Path("/proc/self/mountinfo").read_text()
    links = host.run("ip", "-oneline", "link")
    pid = node.pid
    node.stop()
    try:
        wait_for(lambda: not is_alive(pid), "the node's first process to end")
        assert Path("/proc/self/mountinfo").read_text() == seen
        assert host.run("ip", "-oneline", "link") == links
        assert not find_groups(group_name(node.folder.storage))
        assert str(node.folder.root) not in host.run("ps", "-eo", "args")
    finally:
        node.up()
