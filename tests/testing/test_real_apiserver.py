"""The real API server passes the tests that the double has to pass."""

import json
import secrets
from collections.abc import AsyncIterator

import pytest

from cluster.local.cluster import ClusterInfo
from reconciler.kube.client import Kube
from reconciler.kube.resources import NAMESPACES, Object, Resource
from testing.kubectl import Kubectl
from tests.testing.semantics import ApiSemantics, Edit


@pytest.fixture
async def kube(local_cluster: ClusterInfo) -> AsyncIterator[Kube]:
    """The real API server."""
    kube = await Kube.connect(local_cluster.kubeconfig)
    yield kube
    await kube.close()


@pytest.fixture
async def namespace(kube: Kube) -> str:
    """A namespace of one test."""
    made = await kube.create(NAMESPACES, {"metadata": {"name": f"api-{secrets.token_hex(4)}"}})
    return str(made["metadata"]["name"])


@pytest.fixture
def edit(kubectl: Kubectl) -> Edit:
    """Patches an object with kubectl."""

    async def patch(resource: Resource, name: str, change: Object, namespace: str) -> None:
        where = ("-n", namespace, "--type=merge", "-p", json.dumps(change))
        kubectl.run("patch", resource.plural, name, *where)

    return patch


class TestRealApiServer(ApiSemantics):
    """The shared tests against the real API server."""
