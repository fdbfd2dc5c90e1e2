"""Network policies as enforced on a real node: what a store's pods reach and who reaches them.

Two stores of the platform run with their real databases; probe pods with the labels of the shops try the connections
that a compromised shop could try. Each check tries many targets from several pods at once and expects exactly the
allowed ones; a target that is denied to one pod is open to another in the same check, so it cannot pass because a
target is down.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cluster.node import layout
from cluster.node.images.image import load_images
from cluster.node.images.official import MARIADB, POSTGRES, REDIS
from cluster.node.node import Node
from reconciler.store.isolation import COMPONENT_LABEL
from testing.kubectl import Kubectl, wait_for
from testing.node import outside
from testing.node.platform import NodePlatform
from testing.store_objects import events_of

pytestmark = [pytest.mark.node, pytest.mark.timeout(900)]
MEDUSA, WOO = "isolation-medusa", "isolation-woo"
CONTROLLERS, UNRELATED = f"controllers-{secrets.token_hex(3)}", f"unrelated-{secrets.token_hex(3)}"
# Connects to each HOST:PORT in parallel and prints those that accept; a dropped packet times out after 2 s.
TRY = """
for target; do
  timeout 2 bash -c 'exec 3<>"/dev/tcp/${0%:*}/${0##*:}"' "$target" 2>/dev/null && echo "$target" &
done
wait
"""
PROVIDERS = {f"{outside.INTERNET}:{port}" for port in (443, 465, 587)}
NODE_DNS = f"{outside.NODE_DNS}:53"
FORBIDDEN = {
    f"{layout.API_SERVICE_ADDRESS}:443",
    f"{layout.NODE_ADDRESS}:{layout.API_PORT}",
    f"{outside.METADATA}:80",
    f"{outside.METADATA}:443",
    f"{outside.INTRANET}:443",
    f"{outside.INTERNET}:25",
    f"{outside.INTERNET}:80",
}


# Which of the targets of a check each pod reaches, by the pod's namespace and name.
Reachable = dict[tuple[str, str], set[str]]


class Isolation:
    """The two stores, and the pods that try connections."""

    def __init__(self, platform: NodePlatform, kubectl: Kubectl) -> None:
        self.platform = platform
        self.kubectl = kubectl
        self.backend = (f"store-{MEDUSA}", "probe-backend")
        self.storefront = (f"store-{MEDUSA}", "probe-storefront")
        self.postgres = (f"store-{MEDUSA}", "postgres-0")
        self.wordpress = (f"store-{WOO}", "probe-wordpress")
        self.mariadb = (f"store-{WOO}", "mariadb-0")
        self.controller = (CONTROLLERS, "probe-caller")
        self.unrelated = (UNRELATED, "probe-caller")
        self.server = (platform.namespace, "probe-caller")

    def pod(self, where: tuple[str, str], port: int) -> str:
        """Return the address of a port of a pod."""
        namespace, name = where
        return f"{self.kubectl.get('pod', name, namespace)['status']['podIP']}:{port}"

    def shop(self, where: tuple[str, str]) -> set[str]:
        """Return the addresses of a probe: its own and its Service's."""
        namespace, name = where
        return {self.pod(where, 8080), f"{self.kubectl.get('service', name, namespace)['spec']['clusterIP']}:80"}

    def data(self, where: tuple[str, str], port: int) -> set[str]:
        """Return the addresses of a database: its own and its cluster-wide name."""
        namespace, name = where
        return {self.pod(where, port), f"{name.removesuffix('-0')}.{namespace}.svc.{layout.DOMAIN}:{port}"}

    def shops(self) -> set[str]:
        """Return the addresses of the shops of both stores."""
        return set().union(*map(self.shop, (self.backend, self.storefront, self.wordpress)))

    def reachable(self, where: tuple[str, str], targets: set[str]) -> set[str]:
        """Return the targets that a pod can connect to."""
        namespace, name = where
        command = ("exec", "-n", namespace, name, "--", "bash", "-c", TRY, "try", *sorted(targets))
        return set(self.kubectl.run(*command).split())

    def check(self, expected: Reachable, also: Iterable[str] = ()) -> None:
        """Wait until each pod reaches exactly its own targets among the targets of all pods and `also`."""
        targets = set(also).union(*expected.values())
        wrong: list[str] = []

        def is_as_expected() -> bool:
            with ThreadPoolExecutor(len(expected)) as pool:
                found = list(pool.map(lambda where: self.reachable(where, targets), expected))
            wrong[:] = [
                f"{name} of {namespace} should reach {sorted(allowed)}, but it reaches {sorted(reached)}"
                for ((namespace, name), allowed), reached in zip(expected.items(), found, strict=True)
                if reached != allowed
            ]
            return not wrong

        try:
            wait_for(is_as_expected, "each pod to reach its targets")
        except AssertionError:
            pytest.fail("\n".join(wrong), pytrace=False)


def probe(component: str) -> dict[str, Any]:
    """Return a pod from which connections are tried, and which serves HTTP on port 8080 as a shop does."""
    restricted = {
        "imagePullPolicy": "IfNotPresent",
        "resources": {"requests": {"cpu": "10m"}, "limits": {"memory": "64Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security_context = {"runAsNonRoot": True, "runAsUser": 999, "seccompProfile": {"type": "RuntimeDefault"}}
    client = {"name": "client", "image": POSTGRES.name, "command": ["sleep", "infinity"]}
    shop = {"name": "shop", "image": layout.BUSYBOX_IMAGE, "command": ["httpd", "-f", "-p", "8080", "-h", "/tmp"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"probe-{component}", "labels": {COMPONENT_LABEL: component}},
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [client | restricted, shop | restricted],
            "securityContext": security_context,
            "terminationGracePeriodSeconds": 0,
        },
    }


def wait_until_ready(kubectl: Kubectl, where: tuple[str, str]) -> None:
    """Wait until a pod exists and is ready."""
    namespace, name = where
    wait_for(lambda: kubectl.get("pod", name, namespace), f"pod {name} of {namespace}")
    kubectl.run("wait", "-n", namespace, "--for=condition=Ready", "pod", name, "--timeout=180s")


@pytest.fixture(scope="module")
def isolation(
    node: Node, node_kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]
) -> Iterator[Isolation]:
    """Two stores of two engines with running databases, with probes inside and outside their namespaces."""
    load_images(node, [POSTGRES, REDIS, MARIADB], say)
    outside.make_outside(node)
    for namespace in (CONTROLLERS, UNRELATED):
        node_kubectl.run("create", "namespace", namespace)
    folder = tmp_path_factory.mktemp("platform")
    with NodePlatform(node, node_kubectl, folder, URUMI_INGRESS_NAMESPACES=CONTROLLERS) as platform:
        found = Isolation(platform, node_kubectl)
        platform.create(MEDUSA, "medusa")
        platform.create(WOO)
        probes = (found.backend, found.storefront, found.wordpress, found.controller, found.unrelated, found.server)
        for namespace, name in probes:
            wait_for(lambda home=namespace: node_kubectl.get("serviceaccount", "default", home), namespace)  # type: ignore[misc]
            node_kubectl.run("apply", "-n", namespace, "-f", "-", given=probe(name.removeprefix("probe-")))
            node_kubectl.run("expose", "pod", name, "-n", namespace, "--port=80", "--target-port=8080")
        for where in (*probes, found.postgres, found.mariadb):
            wait_until_ready(node_kubectl, where)
        yield found
    node_kubectl.run("delete", "namespace", CONTROLLERS, UNRELATED, "--wait=false")


def test_a_shop_reaches_its_database_by_name_and_its_storefront_reaches_none(isolation: Isolation) -> None:
    shops = isolation.shop(isolation.backend) | isolation.shop(isolation.storefront)
    isolation.check({isolation.backend: {"postgres:5432", "redis:6379"} | shops, isolation.storefront: shops})
    isolation.check({isolation.wordpress: {"mariadb:3306"}})


def test_no_store_reaches_another_and_no_other_namespace_reaches_any(isolation: Isolation) -> None:
    medusa = (
        isolation.data(isolation.postgres, 5432)
        | isolation.shop(isolation.backend)
        | isolation.shop(isolation.storefront)
    )
    woo = isolation.data(isolation.mariadb, 3306) | isolation.shop(isolation.wordpress)
    isolation.check({isolation.backend: medusa, isolation.wordpress: woo, isolation.unrelated: set()})


def test_ingress_controllers_and_the_platform_reach_shops_and_no_database(isolation: Isolation) -> None:
    data = isolation.data(isolation.postgres, 5432) | isolation.data(isolation.mariadb, 3306)
    isolation.check(
        {isolation.controller: isolation.shops(), isolation.server: isolation.shops(), isolation.unrelated: set()},
        also=data,
    )


def test_a_shop_reaches_dns_and_providers_and_nothing_private(isolation: Isolation) -> None:
    names = {f"{layout.DNS_ADDRESS}:53", f"{outside.NODE_DNS}:53"}
    everything = names | PROVIDERS | FORBIDDEN
    isolation.check(
        {
            isolation.unrelated: everything,
            isolation.backend: names | PROVIDERS,
            isolation.storefront: names | PROVIDERS,
            isolation.wordpress: names | PROVIDERS,
        }
    )


def test_a_database_opens_no_connection(isolation: Isolation) -> None:
    targets = {f"{layout.DNS_ADDRESS}:53", f"{outside.INTERNET}:443"}
    shop_of = {isolation.postgres: isolation.backend, isolation.mariadb: isolation.wordpress}
    for database, shop in shop_of.items():
        reached = targets | {isolation.pod(shop, 8080)}
        isolation.check({shop: reached, database: set()})


def test_deleted_policies_are_restored_and_enforced_again(isolation: Isolation) -> None:
    targets = isolation.data(isolation.postgres, 5432) | isolation.shop(isolation.backend)
    closed: Reachable = {isolation.wordpress: set(), isolation.unrelated: set()}
    isolation.check(closed, also=targets)
    isolation.platform.stop()
    for store_id in (MEDUSA, WOO):
        isolation.kubectl.run("delete", "networkpolicy", "--all", "-n", f"store-{store_id}")
    isolation.check(dict.fromkeys(closed, targets))
    isolation.platform.start()
    for store_id in (MEDUSA, WOO):
        corrected = lambda each=store_id: events_of(isolation.platform.store(each), "DriftCorrected")  # noqa: E731
        [event, *_] = wait_for(corrected, f"the policies of {store_id} to be restored")
        assert "NetworkPolicy default-deny was deleted" in event["message"]
    isolation.check(closed, also=targets)
