"""The platform's own chart: the fields that it renders, and its messages about wrong values.

The fixtures are those of the store charts, for an engine called `platform`. tests/end_to_end/test_rights tests the
permissions, and test_platform_install whether an API server accepts everything.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from reconciler.leaderelection.lease import LEASE_NAME
from server.auth.ended_sessions import LEASE_NAME as SESSIONS_NAME
from server.main import GRACEFUL_SECONDS
from server.stores.admission import LEDGER_NAME
from urumi.store import namespace_name

if TYPE_CHECKING:
    from tests.charts.conftest import Chart, Manifest, Rendered

CRD = Path(__file__).resolve().parents[2] / "crds" / "stores.yaml"
WITH_TOKEN = {"auth": {"mode": "token"}}
PEOPLE = ("urumi-viewer", "urumi-operator")
WITH_TLS = {"ingress": {"enabled": True, "host": "urumi.example.com", "tls": {"secretName": "urumi-tls"}}}


@pytest.fixture
def engine() -> str:
    """The folder of the chart."""
    return "platform"


@pytest.fixture
def store_values() -> dict[str, Any]:
    """No values: the chart installs with its own."""
    return {}


@pytest.fixture
def pod(rendered: "Rendered") -> "Manifest":
    """The template of the server's pods."""
    return rendered.pods()["urumi"]


@pytest.fixture
def container(pod: "Manifest") -> "Manifest":
    """The server's container."""
    [container] = pod["spec"]["containers"]
    found: Manifest = container
    return found


@pytest.mark.parametrize("values", [{}, WITH_TLS], ids=["defaults", "ingress-with-tls"])
def test_lint_finds_nothing(chart: "Chart", values: dict[str, Any]) -> None:
    done = chart.lint(values)

    assert done.exit_code == 0, done.stdout
    assert "[WARNING]" not in done.stdout + done.stderr


def test_the_definition_of_a_store_is_the_repositorys_own(chart: "Chart", rendered: "Rendered") -> None:
    [crd] = rendered.of_kind("CustomResourceDefinition")

    assert (chart.path / "files" / "stores.yaml").read_bytes() == CRD.read_bytes()
    assert crd["spec"] == yaml.safe_load(CRD.read_text())["spec"]


def test_the_definition_is_upgraded_with_the_release_and_remains_after_it(chart: "Chart", rendered: "Rendered") -> None:
    [crd] = rendered.of_kind("CustomResourceDefinition")

    assert crd["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert not (chart.path / "crds").exists()


def test_the_definition_can_be_left_to_others(chart: "Chart") -> None:
    assert chart.render({"crd": {"install": False}}).of_kind("CustomResourceDefinition") == []


def test_the_image_is_pinned(container: "Manifest", chart: "Chart") -> None:
    version = yaml.safe_load((chart.path / "Chart.yaml").read_text())["appVersion"]

    assert container["image"] == f"urumi/urumi:{version}"


def test_a_moving_tag_is_refused(chart: "Chart") -> None:
    done = chart.template({"image": {"tag": "latest"}})

    assert done.exit_code != 0
    assert 'image.tag is "latest": expected a fixed version' in done.stderr


def test_the_pod_satisfies_pod_security_restricted(pod: "Manifest", container: "Manifest") -> None:
    security = pod["spec"]["securityContext"]

    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] > 0
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_everything_that_the_server_writes_goes_to_a_bounded_volume(pod: "Manifest", container: "Manifest") -> None:
    [mount] = container["volumeMounts"]
    [volume] = pod["spec"]["volumes"]
    given = {each["name"]: each["value"] for each in container["env"] if "value" in each}
    written = {given[name] for name in given.keys() - {"URUMI_AUTH_MODE"}}

    assert given.keys() == {"HOME", "URUMI_STATE_DIR", "URUMI_AUTH_MODE"}
    assert all(Path(path).is_relative_to(mount["mountPath"]) for path in written)
    assert "sizeLimit" in volume["emptyDir"]


def test_with_one_token_it_comes_from_a_secret_that_the_chart_does_not_make(chart: "Chart") -> None:
    rendered = chart.render(WITH_TOKEN)
    [token] = [each for each in environment(rendered) if each["name"] == "URUMI_TOKEN"]

    assert token["valueFrom"] == {"secretKeyRef": {"name": "urumi-token", "key": "token"}}
    assert {"name": "URUMI_AUTH_MODE", "value": "token"} in environment(rendered)
    assert rendered.of_kind("Secret") == []


def test_rbac_decides_who_may_call_and_no_token_is_shared(rendered: "Rendered") -> None:
    assert {"name": "URUMI_AUTH_MODE", "value": "kubernetes"} in environment(rendered)
    assert "URUMI_TOKEN" not in {each["name"] for each in environment(rendered)}


def test_the_permission_to_review_callers_exists_only_if_it_is_used(chart: "Chart", rendered: "Rendered") -> None:
    assert reviews(rendered) == {"tokenreviews", "subjectaccessreviews"}
    assert reviews(chart.render(WITH_TOKEN)) == set()


def test_roles_for_people_reach_stores_and_nothing_else(chart: "Chart", rendered: "Rendered") -> None:
    viewer, operator = (rendered.named("ClusterRole", name)["rules"] for name in PEOPLE)
    verbs = ["get", "list", "watch", "create", "update", "patch", "delete"]

    assert viewer == [{"apiGroups": ["stores.urumi.ai"], "resources": ["stores"], "verbs": verbs[:3]}]
    assert operator == [{"apiGroups": ["stores.urumi.ai"], "resources": ["stores"], "verbs": verbs}]
    for values in (WITH_TOKEN, {"auth": {"roles": False}}):
        names = {each["metadata"]["name"] for each in chart.render(values).of_kind("ClusterRole")}
        assert names == {"urumi-store-shop-a"}


def environment(rendered: "Rendered") -> list[Any]:
    """Return the environment of the server's container."""
    [container] = rendered.pods()["urumi"]["spec"]["containers"]
    found: list[Any] = container["env"]
    return found


def reviews(rendered: "Rendered") -> set[str]:
    """Return the permissions to review callers."""
    rules = rendered.named("ClusterRole", "urumi-store-shop-a")["rules"]
    return {each for rule in rules if rule["apiGroups"][0].endswith("ion.k8s.io") for each in rule["resources"]}


def test_the_grace_period_covers_the_longest_stop_of_the_server(pod: "Manifest", container: "Manifest") -> None:
    asleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert pod["spec"]["terminationGracePeriodSeconds"] > asleep + GRACEFUL_SECONDS + 20


def test_a_cluster_problem_makes_the_server_unready_and_does_not_restart_it(
    container: "Manifest",
) -> None:
    assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "http"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}


def test_the_server_listens_where_service_and_probes_look(rendered: "Rendered", container: "Manifest") -> None:
    [port] = container["ports"]
    [service] = rendered.of_kind("Service")

    assert container["args"] == ["urumi", "serve", "--host", "::", "--port", str(port["containerPort"])]
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]


def test_what_selects_pods_finds_those_of_the_server(rendered: "Rendered", pod: "Manifest") -> None:
    selectors = [
        rendered.named("Deployment", "urumi")["spec"]["selector"]["matchLabels"],
        rendered.named("Service", "urumi")["spec"]["selector"],
        rendered.named("PodDisruptionBudget", "urumi")["spec"]["selector"]["matchLabels"],
        rendered.named("NetworkPolicy", "urumi")["spec"]["podSelector"]["matchLabels"],
        pod["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ]

    assert all(selector.items() <= pod["metadata"]["labels"].items() for selector in selectors)


def test_a_changed_configuration_replaces_the_pods(chart: "Chart") -> None:
    first, second = (chart.render({"config": {"MAX_SOCKETS": count}}) for count in (2000, 2001))

    assert first.pods() != second.pods()


def test_large_numbers_stay_numbers(chart: "Chart") -> None:
    config = chart.render({"config": {"MAX_SOCKETS": 3000000}}).named("ConfigMap", "urumi")

    assert config["data"]["URUMI_MAX_SOCKETS"] == "3000000"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"config": {"MAX_STORES": 5}}, "'MAX_STORES' not allowed", id="unknown-knob"),
        pytest.param({"config": {"STORE_SCHEME": "ftp"}}, "'http', 'https'", id="scheme-unknown"),
        pytest.param({"config": {"LEASE_SECONDS": "0"}}, "/config/LEASE_SECONDS", id="no-time"),
        pytest.param({"token": {"value": "s3cret"}}, "'value' not allowed", id="token-as-value"),
        pytest.param({"ingress": {"enabled": True}}, "ingress.host is empty", id="ingress-without-host"),
        pytest.param({"replicas": 0}, "/replicas", id="no-replica"),
    ],
)
def test_a_wrong_value_is_refused_by_name(chart: "Chart", values: dict[str, Any], expected: str) -> None:
    done = chart.template(values)

    assert done.exit_code != 0
    assert expected in done.stderr


def test_the_ingress_leads_to_the_service_under_tls(chart: "Chart") -> None:
    ingress = chart.render(WITH_TLS).named("Ingress", "urumi")["spec"]

    assert ingress["tls"] == [{"hosts": ["urumi.example.com"], "secretName": "urumi-tls"}]
    [rule] = ingress["rules"]
    assert rule["host"] == "urumi.example.com"
    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": "urumi", "port": {"name": "http"}}


def test_one_setting_publishes_the_page_below_a_path_prefix(chart: "Chart") -> None:
    rendered = chart.render({**WITH_TLS, "config": {"ROOT_PATH": "/urumi"}})

    [rule] = rendered.named("Ingress", "urumi")["spec"]["rules"]
    assert rule["http"]["paths"][0]["path"] == "/urumi"
    assert rendered.named("ConfigMap", "urumi")["data"]["URUMI_ROOT_PATH"] == "/urumi"


def test_without_an_ingress_no_controller_may_call(chart: "Chart") -> None:
    assert callers(chart.render({})) == ["store-shop-a"]
    assert callers(chart.render(WITH_TLS)) == ["store-shop-a", "traefik", "kube-system"]
    assert callers(chart.render({"networkPolicy": {"callers": ["monitoring"]}})) == ["store-shop-a", "monitoring"]


def callers(rendered: "Rendered") -> list[str]:
    """Return the namespaces from which the server may be called."""
    [rule] = rendered.named("NetworkPolicy", "urumi")["spec"]["ingress"]
    [source] = rule["from"]
    [expression] = source["namespaceSelector"]["matchExpressions"]
    found: list[str] = expression["values"]
    return found


def test_the_names_in_the_rights_are_those_of_the_code(rendered: "Rendered") -> None:
    [policy] = rendered.of_kind("ValidatingAdmissionPolicy")
    [validation] = policy["spec"]["validations"]
    named = [rule for rule in rendered.named("Role", "urumi")["rules"] if "resourceNames" in rule]

    assert f'request.namespace.startsWith("{namespace_name("")}")' in validation["expression"]
    assert [rule["resourceNames"] for rule in named] == [[LEASE_NAME, LEDGER_NAME], [SESSIONS_NAME]]


def test_cluster_scoped_objects_are_named_after_the_namespace_of_the_release(rendered: "Rendered") -> None:
    kinds = ("ClusterRole", "ClusterRoleBinding", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")

    assert {found["metadata"]["name"] for found in rendered.of_kind(*kinds)} == {"urumi-store-shop-a", *PEOPLE}


def test_the_notes_name_what_is_missing_and_claim_no_image(chart: "Chart") -> None:
    where = ("urumi", str(chart.path), "--namespace", "store-platform")
    done = chart.tools.helm("install", *where, "--dry-run=client", values={**WITH_TLS, **WITH_TOKEN})

    assert done.exit_code == 0, done.stderr
    notes = done.stdout.split("NOTES:")[1]
    assert "urumi/urumi:0.1.0, which no public registry has" in notes
    assert "helm test urumi -n store-platform" in notes
    assert "kubectl -n store-platform create secret generic urumi-token --from-file=token=/dev/stdin" in notes
    assert "https://urumi.example.com/" in notes


def test_the_notes_show_how_to_give_a_user_access(chart: "Chart") -> None:
    where = ("urumi", str(chart.path), "--namespace", "store-platform")
    done = chart.tools.helm("install", *where, "--dry-run=client", values={})

    assert done.exit_code == 0, done.stderr
    assert "create rolebinding ada --clusterrole=urumi-operator --serviceaccount=store-platform:ada" in done.stdout
    assert "create secret" not in done.stdout
