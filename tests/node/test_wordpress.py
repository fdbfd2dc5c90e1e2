"""The WooCommerce chart with real containers: MariaDB, an installation, probes, the cron sidecar, the uploads' volume.

WordPress and MariaDB come from Debian. No package registry has WooCommerce, so WordPress's installation replaces the
shop's; settings, health check and probes are those of the chart.
"""

import http.client
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster.node.images.image import load_images
from cluster.node.images.official import MARIADB
from cluster.node.node import Node
from testing.kubectl import Kubectl, wait_for
from testing.node.documentation import Backup
from testing.node.images import NEXT_WORDPRESS, WORDPRESS
from testing.node.platform import NodePlatform
from testing.serve import free_port
from testing.store_objects import create_store

pytestmark = [pytest.mark.node, pytest.mark.timeout(1200)]
BLOG = "writes"
READY_SECONDS = 420.0
VALUES = {
    "image": {"repository": "urumi/stock-wordpress", "tag": "1"},
    "install": {"command": ["/usr/local/bin/stock-install"]},
}
UPLOADS = "/usr/src/wordpress/wp-content/uploads"


@pytest.fixture(scope="module")
def platform(
    node: Node, node_kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]
) -> Iterator[NodePlatform]:
    """A platform without storefront checks, because WordPress alone sells nothing."""
    load_images(node, [MARIADB, WORDPRESS, NEXT_WORDPRESS], say)
    folder = tmp_path_factory.mktemp("platform")
    with NodePlatform(node, node_kubectl, folder, URUMI_STOREFRONT_CHECK="off") as found:
        yield found


@pytest.fixture(scope="module")
def blog(platform: NodePlatform, node_kubectl: Kubectl) -> str:
    """The id of a store that is Ready."""
    create_store(node_kubectl, platform, BLOG, wordpress=VALUES)
    platform.wait_for_phase(BLOG, "Ready", seconds=READY_SECONDS)
    return BLOG


def page(node: Node, kubectl: Kubectl, store_id: str, path: str) -> tuple[int, str]:
    """Get a page through the store's Service under its own host name."""
    service = kubectl.get("service", "wordpress", f"store-{store_id}")
    port = free_port()
    node.forward_port(port, service["spec"]["clusterIP"], 80)
    host = f"{store_id}.127.0.0.1.nip.io"

    def try_once() -> tuple[int, str] | None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    found = wait_for(try_once, f"a response to {path}")
    assert found is not None
    return found


def in_wordpress(kubectl: Kubectl, store_id: str, *command: str) -> str:
    """Run a command in WordPress's container."""
    return kubectl.run("exec", "-n", f"store-{store_id}", "deployment/wordpress", "-c", "wordpress", "--", *command)


def test_wordpress_is_installed_in_its_own_database(node: Node, node_kubectl: Kubectl, blog: str) -> None:
    status, text = page(node, node_kubectl, blog, "/")
    assert status == 200
    assert f"<title>{blog}" in text
    logs = node_kubectl.run("logs", "-n", f"store-{blog}", "deployment/wordpress", "-c", "install")
    assert "WordPress is installed" in logs


def test_uploads_survive_the_pod(platform: NodePlatform, node_kubectl: Kubectl, blog: str) -> None:
    in_wordpress(node_kubectl, blog, "sh", "-c", f"echo kept > {UPLOADS}/picture.txt")
    node_kubectl.run("rollout", "restart", "deployment/wordpress", "-n", f"store-{blog}")
    node_kubectl.run("rollout", "status", "deployment/wordpress", "-n", f"store-{blog}", "--timeout=300s")
    assert in_wordpress(node_kubectl, blog, "cat", f"{UPLOADS}/picture.txt").strip() == "kept"
    logs = node_kubectl.run("logs", "-n", f"store-{blog}", "deployment/wordpress", "-c", "install")
    assert "installed already" in logs
    platform.wait_for_phase(blog, "Ready", seconds=READY_SECONDS)


def test_an_upgrade_keeps_the_content_and_is_reported_on_the_timeline(
    node: Node, platform: NodePlatform, node_kubectl: Kubectl, blog: str
) -> None:
    assert page(node, node_kubectl, blog, "/release.txt")[0] == 404
    in_wordpress(node_kubectl, blog, "sh", "-c", f"echo kept > {UPLOADS}/before.txt")
    run_php(node_kubectl, blog, "update_option('blogdescription', 'written before');")
    before = platform.store(blog)

    create_store(
        node_kubectl, platform, blog, wordpress=VALUES | {"image": {"repository": "urumi/stock-wordpress", "tag": "2"}}
    )

    def is_upgraded() -> bool:
        store = platform.store(blog)
        return bool(store["phase"] == "Ready" and store["release"]["revision"] > before["release"]["revision"])

    wait_for(is_upgraded, "the upgrade to be Ready", READY_SECONDS)
    assert page(node, node_kubectl, blog, "/release.txt") == (200, "2\n")
    assert in_wordpress(node_kubectl, blog, "cat", f"{UPLOADS}/before.txt").strip() == "kept"
    assert run_php(node_kubectl, blog, "echo get_option('blogdescription');") == "written before"
    events = platform.store(blog)["events"]
    [*_, began] = [number for number, event in enumerate(events) if event["type"] == "ProvisioningStarted"]
    assert events[began]["message"] == "the store's spec changed"
    assert [event["type"] for event in events[began + 1 :] if event["type"].startswith("Helm")] == [
        "HelmInstallStarted",
        "HelmInstalled",
    ]
    assert events[-1]["message"] == "mariadb 1/1, wordpress 1/1 (storefront not checked: URUMI_STOREFRONT_CHECK is off)"


def run_php(kubectl: Kubectl, store_id: str, php: str) -> str:
    """Run a line of PHP inside WordPress and return what it printed."""
    host = f"$_SERVER['HTTP_HOST'] = '{store_id}.127.0.0.1.nip.io';"
    return in_wordpress(kubectl, store_id, "php", "-r", f"{host} require 'wp-load.php'; {php}")


def test_the_documented_backup_restores_texts_and_uploads(
    node: Node, platform: NodePlatform, node_kubectl: Kubectl, blog: str, tmp_path: Path
) -> None:
    def write(text: str) -> None:
        in_wordpress(node_kubectl, blog, "sh", "-c", f"echo {text} > {UPLOADS}/backup.txt")
        run_php(node_kubectl, blog, f"update_option('blogdescription', '{text}');")

    backup = Backup("woocommerce.md", node, blog, tmp_path)
    write("before")
    backup.take()
    write("later")
    backup.restore()
    node_kubectl.run("rollout", "status", "deployment/wordpress", "-n", f"store-{blog}", "--timeout=300s")
    assert in_wordpress(node_kubectl, blog, "cat", f"{UPLOADS}/backup.txt").strip() == "before"
    assert run_php(node_kubectl, blog, "echo get_option('blogdescription');") == "before"
    platform.wait_for_phase(blog, "Ready", seconds=READY_SECONDS)
    assert page(node, node_kubectl, blog, "/")[0] == 200


def test_a_database_that_is_down_degrades_the_store_and_restarts_no_wordpress(
    platform: NodePlatform, node_kubectl: Kubectl, blog: str
) -> None:
    before = restarts(node_kubectl, blog)
    node_kubectl.run("delete", "pod", "-n", f"store-{blog}", "mariadb-0", "--force", "--grace-period=0")
    platform.wait_for_phase(blog, "Degraded")
    platform.wait_for_phase(blog, "Ready", seconds=READY_SECONDS)
    assert restarts(node_kubectl, blog) == before


def restarts(kubectl: Kubectl, store_id: str) -> str:
    """Return the restart count of WordPress's container, by pod."""
    labels = "app.kubernetes.io/component=wordpress"
    path = 'jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[*].restartCount}{"\\n"}{end}'
    return kubectl.run("get", "pods", "-n", f"store-{store_id}", "-l", labels, "-o", path)
