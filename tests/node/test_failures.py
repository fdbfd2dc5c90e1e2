"""Failures of real containers: each is reported with its cause and a hint."""

import base64
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from cluster.node.images import official
from cluster.node.images.image import load_images
from cluster.node.node import Node
from testing.kubectl import Kubectl
from testing.node.failures import LONG_TIMEOUT, Failure, Report, time_out, watch_progress
from testing.node.images import WORDPRESS
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
# The message comes from Postgres, so the backend's image is not needed.
LOGIN = "until pg_isready --host=postgres --username=medusa; do sleep 1; done; exec psql $(DATABASE_URL) -c 'select 1'"
PSQL = {
    "image": {"repository": "postgres", "tag": "16.14-bookworm"},
    "migrate": {"command": ["sh", "-c", LOGIN]},
}


def memory(size: str) -> dict[str, Any]:
    """Return the resources of a container with this request and limit of memory."""
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
class FailingStores:
    """The platform with its failing stores, and the report on each."""

    platform: NodePlatform
    reports: dict[str, Report]

    def message_and_hint(self, store_id: str) -> tuple[str, str]:
        """Return the message and the hint of a store's error, which was reported as progress before."""
        found = self.reports[store_id]
        assert found.reported_at, f"{store_id} never reported its failure; it reported {found.seen}"
        assert found.phase == "Provisioning"
        return found.error["message"], found.error["hint"]


@pytest.fixture(scope="module")
def stores(
    node: Node, node_kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]
) -> Iterator[FailingStores]:
    """All failing stores at the same time; they are deleted afterwards."""
    load_images(node, [official.POSTGRES, official.REDIS, official.MARIADB, WORDPRESS], say)
    make_volumes(node, node_kubectl)
    folder = tmp_path_factory.mktemp("failures")
    with NodePlatform(
        node,
        node_kubectl,
        folder,
        URUMI_MAX_PROVISION_SECONDS=LONG_TIMEOUT,
        URUMI_MAX_CONCURRENT_PROVISIONS=str(len(FAILURES)),
        URUMI_STOREFRONT_CHECK="off",
    ) as platform:
        for failure in FAILURES:
            create_store(node_kubectl, platform, failure.store_id, failure.engine, **failure.values)
        reports = watch_progress(node, platform, FAILURES)
        time_out(platform, reports, say)
        yield FailingStores(platform, reports)
        for store_id in reports:
            platform.call("DELETE", f"/stores/{store_id}")
        for store_id in reports:
            platform.wait_until_gone(store_id)


def make_volumes(node: Node, kubectl: Kubectl) -> None:
    """Create the volumes of the stores that fail because of them: one too small, two with another password."""
    give_volume(node, kubectl, f"store-{FULL}", "postgres-data", size="16m")
    for store_id in (FULL, POSTGRES):
        give_volume(node, kubectl, f"store-{store_id}", "backend-uploads")
    give_volume(node, kubectl, f"store-{MARIADB}", "wordpress-uploads")
    mariadb = give_volume(node, kubectl, f"store-{MARIADB}", "mariadb-data") / "mysql"
    postgres = give_volume(node, kubectl, f"store-{POSTGRES}", "postgres-data") / "pgdata"
    variables = {f"MARIADB_{name}": value for name, value in NAMES.items()}
    make_database(node, kubectl, official.MARIADB.name, mariadb, "/var/lib/mysql", ["healthcheck.sh"], **variables)
    variables = {"POSTGRES_USER": "medusa", "POSTGRES_DB": "medusa", "POSTGRES_PASSWORD": VOLUME_PASSWORD}
    probe = ["psql", "--host=127.0.0.1", "--username=medusa", "--command=SELECT 1"]
    make_database(node, kubectl, official.POSTGRES.name, postgres, "/var/lib/postgresql/data", probe, **variables)


def test_an_image_that_cannot_be_pulled_is_named_with_the_cause(stores: FailingStores) -> None:
    message, hint = stores.message_and_hint(IMAGE)
    assert re.search(r"(ErrImagePull|ImagePullBackOff) urumi/medusa-backend:0\.0\.0-missing: .*no such host", message)
    assert "postgres 1/1" in message
    assert "registry" in hint


def test_a_container_that_exceeds_its_memory_limit_is_reported(stores: FailingStores) -> None:
    message, hint = stores.message_and_hint(MEMORY)
    assert re.search(r"postgres 0/1: pod postgres-0: \w+ container postgres\b", message)
    assert "OOMKilled" in message
    assert "resources.limits.memory" in hint


def test_a_quota_that_is_too_small_is_reported_with_its_numbers(stores: FailingStores) -> None:
    message, hint = stores.message_and_hint(QUOTA)
    assert "exceeded quota" in message
    assert "requests.memory=3Gi" in message
    assert "limited: " in message
    assert "STORE_QUOTA" in hint


def test_a_full_volume_is_reported_with_the_message_of_postgres(stores: FailingStores) -> None:
    message, hint = stores.message_and_hint(FULL)
    assert re.search(r"postgres 0/1: pod postgres-0: .*No space left on device", message)
    assert "size" in hint


def test_a_restored_volume_with_another_password_is_reported_with_the_message_of_mariadb(stores: FailingStores) -> None:
    message, hint = stores.message_and_hint(MARIADB)
    assert "mariadb 1/1, wordpress 0/1: " in message
    assert re.search(r"container install\b.*refused the login: Access denied for user 'wordpress'@", message)
    assert "store-secrets" in hint
    assert VOLUME_PASSWORD not in message


def test_a_restored_volume_with_another_password_is_reported_with_the_message_of_postgres(
    stores: FailingStores,
) -> None:
    message, hint = stores.message_and_hint(POSTGRES)
    assert "postgres 1/1" in message
    assert re.search(r'container migrate\b.*password authentication failed for user "medusa"', message)
    assert "store-secrets" in hint


def test_a_store_becomes_ready_when_its_secret_has_the_password_of_the_volume(
    stores: FailingStores, node_kubectl: Kubectl
) -> None:
    """The store is repaired as the hint says; deleting the pod only avoids the wait for its next restart."""
    data = {"database-password": base64.b64encode(VOLUME_PASSWORD.encode()).decode()}
    patch = ("--patch-file", "/dev/stdin")
    namespace = f"store-{MARIADB}"
    node_kubectl.run("patch", "secret", "store-secrets", "-n", namespace, *patch, given={"data": data})
    node_kubectl.run("delete", "pod", "-n", namespace, "-l", "app.kubernetes.io/component=wordpress")
    stores.platform.wait_for_phase(MARIADB, "Ready", seconds=240)
