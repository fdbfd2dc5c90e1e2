"""One chart for a laptop and for production: values-local.yaml and values-prod.yaml differ in values only."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from cluster.kind.settings import COMMAND_HOST, OTHER_DOMAIN, PAGE_HOST
from testing.kubectl import wait_for
from testing.serve import ServerProcess

if TYPE_CHECKING:
    from cluster.local.cluster import ClusterInfo
    from testing.kubectl import Kubectl
    from tests.charts.conftest import Chart

REGISTRY = "registry.example.com/urumi/urumi"
OWN = {
    "image": {"repository": REGISTRY},
    "config": {"BASE_DOMAIN": "shops.example.com"},
    "ingress": {"host": "urumi.example.com", "tls": {"clusterIssuer": "letsencrypt"}},
}


@pytest.fixture
def engine() -> str:
    """The folder of the chart."""
    return "platform"


@pytest.fixture
def local(chart: "Chart") -> dict[str, Any]:
    """The values of a laptop."""
    return values_of(chart, "local")


@pytest.fixture
def prod(chart: "Chart") -> dict[str, Any]:
    """The values of production, not completed."""
    return values_of(chart, "prod")


def values_of(chart: "Chart", name: str) -> dict[str, Any]:
    """Read a file of values."""
    found: dict[str, Any] = yaml.safe_load((chart.path / f"values-{name}.yaml").read_text())
    return found


def merged(values: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return values with others on top, as Helm merges them."""
    both = {
        key: merged(values[key], other[key]) for key in values.keys() & other.keys() if isinstance(other[key], dict)
    }
    return values | other | both


def test_both_lint_and_make_the_same_kinds_of_objects(
    chart: "Chart", local: dict[str, Any], prod: dict[str, Any]
) -> None:
    complete = merged(prod, OWN)
    for values in (local, complete):
        done = chart.lint(values)
        assert done.exit_code == 0, done.stdout
    # The authentication mode is a value as well and has its own objects.
    signing_in = {"auth": {"mode": "token"}}
    laptop, production = (chart.render(merged(values, signing_in)) for values in (local, complete))

    def names(rendered: Any) -> list[tuple[str, str]]:
        return sorted((found["kind"], found["metadata"]["name"]) for found in rendered.objects)

    assert names(laptop) == names(production)


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("image", "image.repository is empty: expected the image that scripts/images --push pushed"),
        ("config", "config.BASE_DOMAIN is empty: expected the parent domain of the shops' host names"),
        ("ingress", "ingress.host is empty: expected a name such as urumi.example.com"),
    ],
)
def test_production_values_without_the_owners_own_are_refused(
    chart: "Chart", prod: dict[str, Any], missing: str, words: str
) -> None:
    given = {name: value for name, value in OWN.items() if name != missing}
    done = chart.template(merged(prod, given))

    assert done.exit_code != 0
    assert words in done.stderr


def test_the_ingress_requests_a_certificate_from_cert_manager(chart: "Chart", prod: dict[str, Any]) -> None:
    ingress = chart.render(merged(prod, OWN)).named("Ingress", "urumi")

    assert ingress["metadata"]["annotations"] == {"cert-manager.io/cluster-issuer": "letsencrypt"}
    assert ingress["spec"]["tls"] == [{"hosts": ["urumi.example.com"], "secretName": "urumi-tls"}]


def test_a_laptop_has_names_that_need_no_dns(chart: "Chart", local: dict[str, Any]) -> None:
    rendered = chart.render(local)
    ingress = rendered.named("Ingress", "urumi")

    hosts = [rule["host"] for rule in ingress["spec"]["rules"]]
    assert hosts[:2] == [PAGE_HOST, COMMAND_HOST]
    assert hosts[2].endswith(f".{OTHER_DOMAIN}")
    assert "tls" not in ingress["spec"]
    assert rendered.named("ConfigMap", "urumi")["data"]["URUMI_BASE_DOMAIN"] == "localhost"


@pytest.mark.parametrize("domain", [OTHER_DOMAIN, "shops.test"])
def test_the_shops_of_a_laptop_can_have_another_domain(chart: "Chart", local: dict[str, Any], domain: str) -> None:
    shops = chart.render(merged(local, {"config": {"BASE_DOMAIN": domain}})).named("ConfigMap", "urumi")
    assert shops["data"]["URUMI_BASE_DOMAIN"] == domain


def test_helm_test_calls_the_service_with_a_token(chart: "Chart", local: dict[str, Any]) -> None:
    rendered = chart.render(local)
    [pod] = rendered.of_kind("Pod")
    [container] = pod["spec"]["containers"]
    server = rendered.pods()["urumi"]["spec"]
    environ = {each["name"]: each for each in container["env"]}

    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert pod["spec"]["securityContext"] == server["securityContext"]
    assert container["securityContext"] == server["containers"][0]["securityContext"]
    assert container["image"] == server["containers"][0]["image"]
    assert environ["URUMI_URL"]["value"] == "http://urumi.store-shop-a.svc:80"
    assert environ["URUMI_TOKEN"] in server["containers"][0]["env"]


def test_the_command_of_helm_test_fails_without_a_working_server(chart: "Chart", platform: ServerProcess) -> None:
    [pod] = chart.render({"auth": {"mode": "token"}}).of_kind("Pod")
    [program, *arguments] = pod["spec"]["containers"][0]["args"]
    assert program == "urumi"

    assert exit_code(chart, arguments, platform.url, platform.token) == 0
    assert exit_code(chart, arguments, platform.url, "another") != 0


def test_with_rbac_helm_test_creates_an_account_that_may_read(
    chart: "Chart", kubectl: "Kubectl", local_cluster: "ClusterInfo", tmp_path: Path
) -> None:
    with ServerProcess(local_cluster, kubectl, tmp_path, URUMI_AUTH_MODE="kubernetes") as server:
        done = chart.tools.helm("template", "urumi", str(chart.path), "--namespace", server.namespace)
        hooks = [item for item in yaml.safe_load_all(done.stdout) if item and item["metadata"]["name"] == "urumi-test"]
        [pod] = [item for item in hooks if item["kind"] == "Pod"]
        assert pod["spec"]["serviceAccountName"] == "urumi-test"
        [shell, _, command] = pod["spec"]["containers"][0]["args"]
        assert (shell, command.split()[-3:]) == ("sh", ["exec", "urumi", "list"])

        kubectl.apply({"apiVersion": "v1", "kind": "List", "items": [item for item in hooks if item is not pod]})
        allowed = kubectl.run("create", "token", "urumi-test", "-n", server.namespace).strip()
        nobody = kubectl.run("create", "token", "default", "-n", server.namespace).strip()
        wait_for(lambda: exit_code(chart, ["list"], server.url, allowed) == 0, "the account to be let in")
        assert exit_code(chart, ["list"], server.url, nobody) != 0


def exit_code(chart: "Chart", arguments: list[str], url: str, token: str) -> int:
    """Return how `urumi` ends with a token, in an environment as bare as the pod's."""
    environ = {"PATH": "", "HOME": str(chart.tools.helm_home), "URUMI_URL": url, "URUMI_TOKEN": token}
    command = [sys.executable, "-m", "urumi.cli.main", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, timeout=60, check=False).returncode
