"""What people meet: each failure of a real container gives the sentence that an operator needs, and what to do."""

import base64
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from testing.kubectl import Kubectl
from testing.node import images
from testing.node.failures import PATIENCE, Failure, Told, run_out_of_patience, watch_progress
from testing.node.node import Node
from testing.node.platform import NodePlatform
from testing.node.volumes import STORAGE_CLASS, give_volume, make_database
from testing.store_objects import create_store

pytestmark = [pytest.mark.node, pytest.mark.timeout(1200)]
MARK = secrets.token_hex(2)
IMAGE, MEMORY, QUOTA, FULL, MARIADB, POSTGRES = (
    f"{name}-{MARK}" for name in ("image", "memory", "quota", "full", "mariadb", "postgres")
)
VOLUME_PASSWORD = secrets.token_hex(12)
NAMES = {"DATABASE": "wordpress", "USER": "wordpress", "PASSWORD": VOLUME_PASSWORD, "ROOT_PASSWORD": VOLUME_PASSWORD}
GIVEN = {"storage": {"className": STORAGE_CLASS}}
STOCK = {
    "image": {"repository": "urumi/stock-wordpress", "tag": "1"},
    "install": {"command": ["/usr/local/bin/stock-install"]},
}
# The words are Postgres's own; the backend's image is not needed for them.
LOGIN = "until pg_isready --host=postgres --username=medusa; do sleep 1; done; exec psql $(DATABASE_URL) -c 'select 1'"
PSQL = {
    "image": {"repository": "postgres", "tag": "16.14-bookworm"},
    "migrate": {"command": ["sh", "-c", LOGIN]},
}


def memory(size: str) -> dict[str, Any]:
    """Return resources of a container with just so much memory."""
    return {"requests": {"cpu": "50m", "memory": size}, "limits": {"cpu": "500m", "memory": size}}


FAILURES = [
    Failure(IMAGE, "medusa", "urumi/medusa-backend:0.0.0-missing", {"backend": {"image": {"tag": "0.0.0-missing"}}}),
    Failure(MEMORY, "medusa", "OOMKilled", {"postgres": {"resources": memory("12Mi")}}),
    Failure(QUOTA, "medusa", "exceeded quota", {"postgres": {"resources": memory("3Gi")}}),
    Failure(FULL, "medusa", "No space left on device", GIVEN),
    Failure(MARIADB, "woocommerce", "Access denied for user", GIVEN | {"wordpress": STOCK}),
    Failure(POSTGRES, "medusa", "password authentication failed", GIVEN | {"backend": PSQL}),
]


@dataclass(frozen=True, slots=True)
class Scene:
    """The platform with its failing stores, and what was told of them."""

    platform: NodePlatform
    told: dict[str, Told]

    def words(self, store_id: str) -> tuple[str, str]:
        """Return the message and the hint of a store's error, which was told as progress before."""
        found = self.told[store_id]
        assert found.told_at, f"{store_id} never said its trouble; it said {found.seen}"
        assert found.phase == "Provisioning"
        return found.error["message"], found.error["hint"]


@pytest.fixture(scope="module")
def scene(
    node: Node, node_kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]
) -> Iterator[Scene]:
    """All failing stores at once, and their end afterwards."""
    images.load_images(node, [images.POSTGRES, images.REDIS, images.MARIADB, images.WORDPRESS], say)
    make_volumes(node, node_kubectl)
    folder = tmp_path_factory.mktemp("failures")
    with NodePlatform(
        node,
        node_kubectl,
        folder,
        URUMI_MAX_PROVISION_SECONDS=PATIENCE,
        URUMI_MAX_CONCURRENT_PROVISIONS=str(len(FAILURES)),
        URUMI_STOREFRONT_CHECK="off",
    ) as platform:
        for failure in FAILURES:
            create_store(node_kubectl, platform, failure.store_id, failure.engine, **failure.values)
        told = watch_progress(node, platform, FAILURES)
        run_out_of_patience(platform, told, say)
        yield Scene(platform, told)
        for store_id in told:
            platform.call("DELETE", f"/stores/{store_id}")
        for store_id in told:
            platform.wait_until_gone(store_id)


def make_volumes(node: Node, kubectl: Kubectl) -> None:
    """Make the volumes of the stores whose volumes are their trouble: one too small, two with another password."""
    give_volume(node, kubectl, f"store-{FULL}", "postgres-data", size="16m")
    for store_id in (FULL, POSTGRES):
        give_volume(node, kubectl, f"store-{store_id}", "backend-uploads")
    give_volume(node, kubectl, f"store-{MARIADB}", "wordpress-uploads")
    mariadb = give_volume(node, kubectl, f"store-{MARIADB}", "mariadb-data") / "mysql"
    postgres = give_volume(node, kubectl, f"store-{POSTGRES}", "postgres-data") / "pgdata"
    variables = {f"MARIADB_{name}": value for name, value in NAMES.items()}
    make_database(node, kubectl, images.MARIADB.name, mariadb, "/var/lib/mysql", ["healthcheck.sh"], **variables)
    variables = {"POSTGRES_USER": "medusa", "POSTGRES_DB": "medusa", "POSTGRES_PASSWORD": VOLUME_PASSWORD}
    probe = ["psql", "--host=127.0.0.1", "--username=medusa", "--command=SELECT 1"]
    make_database(node, kubectl, images.POSTGRES.name, postgres, "/var/lib/postgresql/data", probe, **variables)


def test_an_image_that_cannot_be_pulled_is_named_with_the_cause(scene: Scene) -> None:
    message, hint = scene.words(IMAGE)
    assert re.search(r"(ErrImagePull|ImagePullBackOff) urumi/medusa-backend:0\.0\.0-missing: .*no such host", message)
    assert "postgres 1/1" in message
    assert "registry" in hint


def test_a_container_that_outgrows_its_memory_is_said_to(scene: Scene) -> None:
    message, hint = scene.words(MEMORY)
    assert re.search(r"postgres 0/1: pod postgres-0: \w+ container postgres\b", message)
    assert "OOMKilled" in message
    assert "resources.limits.memory" in hint


def test_a_quota_that_is_too_small_is_said_with_its_numbers(scene: Scene) -> None:
    message, hint = scene.words(QUOTA)
    assert "exceeded quota" in message
    assert "requests.memory=3Gi" in message
    assert "limited: " in message
    assert "STORE_QUOTA" in hint


def test_a_volume_that_is_full_is_said_by_the_one_that_fills_it(scene: Scene) -> None:
    message, hint = scene.words(FULL)
    assert re.search(r"postgres 0/1: pod postgres-0: .*No space left on device", message)
    assert "size" in hint


def test_a_restored_volume_with_another_password_is_told_in_mariadbs_words(scene: Scene) -> None:
    message, hint = scene.words(MARIADB)
    assert "mariadb 1/1, wordpress 0/1: " in message
    assert re.search(r"container install\b.*refuses the login: Access denied for user 'wordpress'@", message)
    assert "store-secrets" in hint
    assert VOLUME_PASSWORD not in message


def test_a_restored_volume_with_another_password_is_told_in_postgres_words(scene: Scene) -> None:
    message, hint = scene.words(POSTGRES)
    assert "postgres 1/1" in message
    assert re.search(r'container migrate\b.*password authentication failed for user "medusa"', message)
    assert "store-secrets" in hint


def test_a_store_becomes_ready_when_its_secret_has_the_password_of_the_volume(
    scene: Scene, node_kubectl: Kubectl
) -> None:
    """As the hint says it; the pod is deleted only so that nobody waits for Kubernetes' next try."""
    data = {"database-password": base64.b64encode(VOLUME_PASSWORD.encode()).decode()}
    patch = ("--patch-file", "/dev/stdin")
    namespace = f"store-{MARIADB}"
    node_kubectl.run("patch", "secret", "store-secrets", "-n", namespace, *patch, given={"data": data})
    node_kubectl.run("delete", "pod", "-n", namespace, "-l", "app.kubernetes.io/component=wordpress")
    scene.platform.wait_for_phase(MARIADB, "Ready", seconds=240)
