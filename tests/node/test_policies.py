"""Walls that hold: what a store's pods reach and who reaches them, by connections that are made and ones that fail.

Two stores of the platform with their real databases, and in each pods that try: a shop's own would be as much in the
hands of whoever took it over. Each look tries many targets at once and has to find exactly the open ones; what is shut
to one is seen open to another in the same look, so that nothing passes because a target is away.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from reconciler.store.isolation import COMPONENT_LABEL
from testing.kubectl import Kubectl, wait_for
from testing.node import images, layout, outside
from testing.node.node import Node
from testing.node.platform import NodePlatform
from testing.store_objects import events_of

pytestmark = [pytest.mark.node, pytest.mark.timeout(900)]
MEDUSA, WOO = "walls-medusa", "walls-woo"
CONTROLLERS, STRANGERS = f"controllers-{secrets.token_hex(3)}", f"strangers-{secrets.token_hex(3)}"
# Connects to each HOST:PORT at once and prints those that answer; a packet that is dropped is waited for this long.
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


# A pod by its namespace and name, and what it has to reach of all that the same look tries.
Looks = dict[tuple[str, str], set[str]]


class Walls:
    """The two stores, and pods that try to reach things."""

    def __init__(self, platform: NodePlatform, kubectl: Kubectl) -> None:
        self.platform = platform
        self.kubectl = kubectl
        self.backend = (f"store-{MEDUSA}", "probe-backend")
        self.storefront = (f"store-{MEDUSA}", "probe-storefront")
        self.postgres = (f"store-{MEDUSA}", "postgres-0")
        self.wordpress = (f"store-{WOO}", "probe-wordpress")
        self.mariadb = (f"store-{WOO}", "mariadb-0")
        self.controller = (CONTROLLERS, "probe-caller")
        self.stranger = (STRANGERS, "probe-caller")
        self.server = (platform.namespace, "probe-caller")

    def pod(self, where: tuple[str, str], port: int) -> str:
        """Return the address of a pod with a port of it."""
        namespace, name = where
        return f"{self.kubectl.get('pod', name, namespace)['status']['podIP']}:{port}"

    def shop(self, where: tuple[str, str]) -> set[str]:
        """Return where a probe answers as a shop does: its own address, and its Service's."""
        namespace, name = where
        return {self.pod(where, 8080), f"{self.kubectl.get('service', name, namespace)['spec']['clusterIP']}:80"}

    def data(self, where: tuple[str, str], port: int) -> set[str]:
        """Return where a database answers: its own address, and its name for the whole cluster."""
        namespace, name = where
        return {self.pod(where, port), f"{name.removesuffix('-0')}.{namespace}.svc.{layout.DOMAIN}:{port}"}

    def shops(self) -> set[str]:
        """Return where the shops of both stores answer."""
        return set().union(*map(self.shop, (self.backend, self.storefront, self.wordpress)))

    def tried(self, where: tuple[str, str], targets: set[str]) -> set[str]:
        """Return which of some targets answer a pod."""
        namespace, name = where
        words = ("exec", "-n", namespace, name, "--", "bash", "-c", TRY, "try", *sorted(targets))
        return set(self.kubectl.run(*words).split())

    def hold(self, looks: Looks, also: Iterable[str] = ()) -> None:
        """Hold that each pod reaches what is expected of it, and nothing else of all that any of them should."""
        targets = set(also).union(*looks.values())
        wrong: list[str] = []

        def look() -> bool:
            with ThreadPoolExecutor(len(looks)) as pool:
                found = list(pool.map(lambda where: self.tried(where, targets), looks))
            wrong[:] = [
                f"{name} of {namespace} should reach {sorted(expected)}, but it reaches {sorted(reached)}"
                for ((namespace, name), expected), reached in zip(looks.items(), found, strict=True)
                if reached != expected
            ]
            return not wrong

        try:
            wait_for(look, "each pod to reach what it should")
        except AssertionError:
            pytest.fail("\n".join(wrong), pytrace=False)


def probe(component: str) -> dict[str, Any]:
    """Return a pod that may be asked to try, and answers on port 8080 as a shop does."""
    careful = {
        "imagePullPolicy": "IfNotPresent",
        "resources": {"requests": {"cpu": "10m"}, "limits": {"memory": "64Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    person = {"runAsNonRoot": True, "runAsUser": 999, "seccompProfile": {"type": "RuntimeDefault"}}
    tries = {"name": "tries", "image": images.POSTGRES.name, "command": ["sleep", "infinity"]}
    shop = {"name": "shop", "image": layout.BUSYBOX_IMAGE, "command": ["httpd", "-f", "-p", "8080", "-h", "/tmp"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"probe-{component}", "labels": {COMPONENT_LABEL: component}},
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [tries | careful, shop | careful],
            "securityContext": person,
            "terminationGracePeriodSeconds": 0,
        },
    }


def wait_until_ready(kubectl: Kubectl, where: tuple[str, str]) -> None:
    """Wait until a pod is there and ready."""
    namespace, name = where
    wait_for(lambda: kubectl.get("pod", name, namespace), f"pod {name} of {namespace}")
    kubectl.run("wait", "-n", namespace, "--for=condition=Ready", "pod", name, "--timeout=180s")


@pytest.fixture(scope="module")
def walls(
    node: Node, node_kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]
) -> Iterator[Walls]:
    """Two stores of two engines whose databases run, with probes in them and beside them."""
    images.load_images(node, [images.POSTGRES, images.REDIS, images.MARIADB], say)
    outside.make_outside(node)
    for namespace in (CONTROLLERS, STRANGERS):
        node_kubectl.run("create", "namespace", namespace)
    folder = tmp_path_factory.mktemp("platform")
    with NodePlatform(node, node_kubectl, folder, URUMI_INGRESS_NAMESPACES=CONTROLLERS) as platform:
        found = Walls(platform, node_kubectl)
        platform.create(MEDUSA, "medusa")
        platform.create(WOO)
        probes = (found.backend, found.storefront, found.wordpress, found.controller, found.stranger, found.server)
        for namespace, name in probes:
            wait_for(lambda home=namespace: node_kubectl.get("serviceaccount", "default", home), namespace)  # type: ignore[misc]
            node_kubectl.run("apply", "-n", namespace, "-f", "-", given=probe(name.removeprefix("probe-")))
            node_kubectl.run("expose", "pod", name, "-n", namespace, "--port=80", "--target-port=8080")
        for where in (*probes, found.postgres, found.mariadb):
            wait_until_ready(node_kubectl, where)
        yield found
    node_kubectl.run("delete", "namespace", CONTROLLERS, STRANGERS, "--wait=false")


def test_a_shop_has_its_database_by_name_and_its_storefront_has_none(walls: Walls) -> None:
    shops = walls.shop(walls.backend) | walls.shop(walls.storefront)
    walls.hold({walls.backend: {"postgres:5432", "redis:6379"} | shops, walls.storefront: shops})
    walls.hold({walls.wordpress: {"mariadb:3306"}})


def test_no_store_reaches_another_and_no_stranger_reaches_any(walls: Walls) -> None:
    medusa = walls.data(walls.postgres, 5432) | walls.shop(walls.backend) | walls.shop(walls.storefront)
    woo = walls.data(walls.mariadb, 3306) | walls.shop(walls.wordpress)
    walls.hold({walls.backend: medusa, walls.wordpress: woo, walls.stranger: set()})


def test_ingress_controllers_and_the_platform_reach_shops_and_no_database(walls: Walls) -> None:
    data = walls.data(walls.postgres, 5432) | walls.data(walls.mariadb, 3306)
    walls.hold({walls.controller: walls.shops(), walls.server: walls.shops(), walls.stranger: set()}, also=data)


def test_a_shop_reaches_names_and_providers_and_nothing_private(walls: Walls) -> None:
    names = {f"{layout.DNS_ADDRESS}:53", f"{outside.NODE_DNS}:53"}
    everything = names | PROVIDERS | FORBIDDEN
    walls.hold(
        {
            walls.stranger: everything,
            walls.backend: names | PROVIDERS,
            walls.storefront: names | PROVIDERS,
            walls.wordpress: names | PROVIDERS,
        }
    )


def test_a_database_opens_no_connection(walls: Walls) -> None:
    targets = {f"{layout.DNS_ADDRESS}:53", f"{outside.INTERNET}:443"}
    own = {walls.postgres: walls.backend, walls.mariadb: walls.wordpress}
    for database, shop in own.items():
        shown = targets | {walls.pod(shop, 8080)}
        walls.hold({shop: shown, database: set()})


def test_policies_that_somebody_deletes_come_back_and_close_again(walls: Walls) -> None:
    targets = walls.data(walls.postgres, 5432) | walls.shop(walls.backend)
    closed: Looks = {walls.wordpress: set(), walls.stranger: set()}
    walls.hold(closed, also=targets)
    walls.platform.stop()
    for store_id in (MEDUSA, WOO):
        walls.kubectl.run("delete", "networkpolicy", "--all", "-n", f"store-{store_id}")
    walls.hold(dict.fromkeys(closed, targets))
    walls.platform.start()
    for store_id in (MEDUSA, WOO):
        corrected = lambda each=store_id: events_of(walls.platform.store(each), "DriftCorrected")  # noqa: E731
        [event, *_] = wait_for(corrected, f"the policies of {store_id} to be put back")
        assert "NetworkPolicy default-deny was deleted" in event["message"]
    walls.hold(closed, also=targets)
