"""The permissions of charts/platform: a server with exactly these takes stores through their whole life.

    urumi serve, helm --http--> ApiProxy --https, the token of the chart's ServiceAccount--> kube-apiserver

The proxy records what was refused and which permissions were used. All tests read the results of one run, which the
fixture `observed` makes. They fail if the server gains a call without its permission, or loses the last call of one.

Not covered: aggregated roles, because the chart has none, and the NetworkPolicy, which the local cluster does not
enforce.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from cluster.local.cluster import ClusterInfo
from testing.faults.call import Call, of
from testing.faults.proxy import ApiProxy, write_kubeconfig
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from urumi.store import namespace_name

CHART = Path(__file__).resolve().parents[2] / "charts" / "platform"
# With the prefix of the stores' namespaces, like the default: it must not be treated as a store's namespace.
NAMESPACE = "store-rights"
SHOPS = {"rights-woo": ("woocommerce", "wordpress"), "rights-medusa": ("medusa", "storefront")}
TOO_MUCH = {"requests": {"cpu": "50m", "memory": "160Mi"}, "limits": {"cpu": "500m", "memory": "64Gi"}}
SECRET = ("create", "secret", "generic", "taken", "--from-literal=a=b", "--dry-run=server")
FAILURE_EVENTS = {"Failed", "AttemptFailed", "UninstallFailed", "DeletionBlocked"}

Permission = tuple[str, str, str]


@dataclass
class Observed:
    """What was granted, and what was observed during the life of the stores."""

    server: ServerProcess
    granted: set[Permission]
    event_types: set[str] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)

    def store(self, store_id: str) -> Any:
        """Return a store, and record the types of its events."""
        store = self.server.store(store_id)
        self.event_types |= {event["type"] for event in (store or {}).get("events", ())}
        return store

    def wait_until_ready(self, store_id: str, generation: int = 1) -> None:
        """Wait until a generation of a store is Ready."""

        def is_ready() -> bool:
            store = self.store(store_id)
            return bool(store["phase"] == "Ready" and store["observedGeneration"] >= generation)

        wait_for(is_ready, f"{store_id} to be Ready")


@pytest.fixture(scope="module")
def rights(local_cluster: ClusterInfo) -> list[Any]:
    """The objects of the chart that grant or limit permissions, as Helm renders them."""
    shown = [f"--show-only=templates/{name}.yaml" for name in ("rights", "boundary")]
    command = [str(local_cluster.helm), "template", "urumi", str(CHART), "--namespace", NAMESPACE, *shown]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [item for item in yaml.safe_load_all(done.stdout) if item]


@pytest.fixture(scope="module")
def proxy(
    local_cluster: ClusterInfo, kubectl: Kubectl, rights: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiProxy]:
    """A proxy to the API server that authenticates every client as the chart's ServiceAccount."""
    everything = {"apiVersion": "v1", "kind": "List", "items": rights}
    kubectl.run("create", "namespace", NAMESPACE)
    kubectl.run("create", "deployment", "urumi", "-n", NAMESPACE, "--image=urumi:1", "--replicas=0")
    kubectl.apply(everything)
    with ApiProxy(local_cluster, tmp_path_factory.mktemp("proxy")) as proxy:
        # Go clients send no token over plain HTTP; the proxy adds it.
        proxy.token = kubectl.run("create", "token", "urumi", "-n", NAMESPACE).strip()
        write_kubeconfig(proxy.cluster.kubeconfig, proxy.url, {"token": proxy.token})
        yield proxy
    kubectl.run("delete", "-f", "-", given=everything)


@pytest.fixture(scope="module")
def account(proxy: ApiProxy) -> Kubectl:
    """kubectl with the server's token, once the admission policy is enforced."""
    kubectl = Kubectl(proxy.cluster)
    wait_for(lambda: kubectl.attempt(*SECRET, "-n", "default").returncode, "the boundary to be enforced")
    return kubectl


@pytest.fixture(scope="module")
def observed(
    proxy: ApiProxy,
    account: Kubectl,
    kubectl: Kubectl,
    rights: list[Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Observed:
    """Stores of each engine from their creation to their end."""
    proxy.calls.clear()
    caller = create_caller(kubectl)
    folder = tmp_path_factory.mktemp("server")
    with ServerProcess(proxy.cluster, kubectl, folder, namespace=NAMESPACE, URUMI_AUTH_MODE="kubernetes") as server:
        server.token = caller
        observed = Observed(server, granted_by(rights))
        with proxy.answering(409, only=of("stores", "create")):
            # Another client was faster, so the server reads the store that exists.
            assert server.call("POST", "/stores", {"storeId": "rights-race", "engine": "medusa"})[0] == 409
        for store_id, (engine, _) in SHOPS.items():
            server.create(store_id, engine)
        for store_id in SHOPS:
            observed.wait_until_ready(store_id)
            assert server.call("POST", f"/stores/{store_id}/credentials")[0] == 200
        for _ in range(2):
            sign_in_and_out(server)
        exceed_the_quota_and_recover(kubectl, observed)
        for store_id, (_, service) in SHOPS.items():
            correct_drift(kubectl, observed, store_id, service)
        for store_id in SHOPS:
            assert server.call("DELETE", f"/stores/{store_id}")[0] == 202
        for store_id in SHOPS:
            wait_for(lambda each=store_id: observed.store(each) is None, f"{store_id} to be gone")  # type: ignore[misc]
    observed.calls = list(proxy.calls)
    return observed


def create_caller(kubectl: Kubectl) -> str:
    """Create an account that may do everything with stores, and return its token."""
    verbs = "--verb=get,list,watch,create,update,delete"
    kubectl.run("create", "serviceaccount", "caller", "-n", NAMESPACE)
    kubectl.run("create", "role", "caller", verbs, "--resource=stores.stores.urumi.ai", "-n", NAMESPACE)
    account = f"--serviceaccount={NAMESPACE}:caller"
    kubectl.run("create", "rolebinding", "caller", "--role=caller", account, "-n", NAMESPACE)
    return kubectl.run("create", "token", "caller", "-n", NAMESPACE, "--duration=2h").strip()


def sign_in_and_out(server: ServerProcess) -> None:
    """Begin a session as the page does, and end it: the first end creates the record, the next ones patch it."""
    origin = {"Origin": server.url}
    signed_in = httpx2.post(f"{server.url}/session", json={"token": server.token}, headers=origin, timeout=30)
    cookie = {"Cookie": signed_in.headers["Set-Cookie"].partition(";")[0]}
    assert httpx2.delete(f"{server.url}/session", headers={**origin, **cookie}, timeout=30).status_code == 204


def exceed_the_quota_and_recover(kubectl: Kubectl, observed: Observed) -> None:
    """Let a store wait for a pod whose absence only Events explain, then let it recover."""
    store_id, _ = SHOPS
    change_values(kubectl, store_id, {"mariadb": {"resources": TOO_MUCH}})
    wait_for(
        lambda: "exceeded quota" in observed.store(store_id).get("progress", {}).get("message", ""),
        "the store to report that its quota is too small",
    )
    change_values(kubectl, store_id, None)
    observed.wait_until_ready(store_id, generation=3)


def change_values(kubectl: Kubectl, store_id: str, values: Any) -> None:
    """Change the chart values of a store's spec."""
    patch = json.dumps({"spec": {"values": values}})
    kubectl.run("patch", "store", store_id, "-n", NAMESPACE, "--type=merge", "-p", patch)


def correct_drift(kubectl: Kubectl, observed: Observed, store_id: str, service: str) -> None:
    """Delete a Service of a store and wait until it is back."""
    namespace = namespace_name(store_id)
    kubectl.run("delete", "service", service, "-n", namespace)
    wait_for(lambda: service in kubectl.names("service", namespace), f"Service {service} to be back")
    observed.wait_until_ready(store_id)


def granted_by(rights: list[Any]) -> set[Permission]:
    """Return the group, resource and verb of everything that the roles allow."""
    return {
        (group, resource, verb)
        for role in rights
        for rule in role.get("rules") or ()
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def used_by(call: Call) -> set[Permission]:
    """Return the permissions that a call needs, none if it is not about objects."""
    if not call.plural:
        return set()
    parts = call.path.strip("/").split("/")
    group = parts[1] if parts[0] == "apis" else ""
    below = parts[parts.index(call.name) + 1 :] if call.name else []
    resource = "/".join([call.plural, *below])
    verb = "deletecollection" if call.verb == "delete" and not call.name else call.verb
    # An apply that creates the object needs the permission to create it.
    makes = {(group, resource, "create")} if call.verb == "patch" and call.status == 201 else set()
    return {(group, resource, verb)} | makes


def test_stores_of_each_engine_are_created_and_deleted_without_a_failure(observed: Observed) -> None:
    assert {"Ready", "DriftCorrected", "Deleting"} <= observed.event_types
    assert not FAILURE_EVENTS & observed.event_types


def test_no_call_of_the_server_or_helm_is_refused(observed: Observed) -> None:
    assert [f"{call.verb} {call.path}" for call in observed.calls if call.status in (401, 403)] == []
    assert "forbidden" not in observed.server.log.read_text().lower()


def test_exactly_the_granted_permissions_are_used(observed: Observed) -> None:
    assert {permission for call in observed.calls for permission in used_by(call)} == observed.granted


def test_no_permission_is_a_wildcard(observed: Observed) -> None:
    assert not [permission for permission in observed.granted if "*" in permission]


SECRET = ("create", "secret", "generic", "taken", "--from-literal=a=b", "--dry-run=server")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((*SECRET, "-n", "kube-system"), id="secret-of-the-system"),
        pytest.param((*SECRET, "-n", NAMESPACE), id="secret-beside-the-server"),
        pytest.param(("create", "namespace", "taken", "--dry-run=server"), id="other-namespace"),
        pytest.param(("label", "namespace", "kube-system", "a=b", "--dry-run=server"), id="label-of-the-system"),
        pytest.param(("delete", "namespace", "kube-node-lease", "--dry-run=server"), id="namespace-of-others"),
        pytest.param(("delete", "namespace", NAMESPACE, "--dry-run=server"), id="its-own-namespace"),
        pytest.param(("create", "deployment", "taken", "--image=a:1", "--dry-run=server"), id="workload"),
        pytest.param(("delete", "deployments", "--all", "-n", NAMESPACE, "--dry-run=server"), id="its-own-workloads"),
    ],
)
def test_the_servers_token_changes_nothing_outside_the_stores(account: Kubectl, arguments: tuple[str, ...]) -> None:
    done = account.attempt(*arguments)
    assert done.returncode == 1
    assert "Urumi writes only in namespaces of stores: expected store-<storeId>, got" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "pod"),
        ("create", "pods/exec"),
        ("create", "serviceaccounts/token"),
        ("get", "configmaps"),
        ("create", "rolebindings.rbac.authorization.k8s.io"),
        ("patch", "clusterroles.rbac.authorization.k8s.io"),
        ("patch", "validatingadmissionpolicies.admissionregistration.k8s.io"),
        ("patch", "customresourcedefinitions.apiextensions.k8s.io"),
    ],
    ids="-".join,
)
def test_permissions_that_allow_privilege_escalation_are_not_granted(
    account: Kubectl, arguments: tuple[str, str]
) -> None:
    for namespace in (NAMESPACE, "kube-system"):
        assert account.attempt("auth", "can-i", *arguments, "-n", namespace).stdout.strip() == "no"
