"""The fields that the charts render: labels, Pod Security, secrets, probes, resources, routes.

test_install checks whether an API server accepts them and whether they become ready.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.charts.conftest import Chart, Manifest, Rendered

RECOMMENDED_LABELS = {"name", "instance", "component", "part-of", "managed-by", "version"}
STABLE_LABELS = {f"app.kubernetes.io/{label}" for label in ("name", "instance", "component")}
RESTRICTED_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
FACTORS = {"m": Decimal("0.001"), "": Decimal(1), "Mi": Decimal(2**20), "Gi": Decimal(2**30)}


def amount(quantity: str) -> Decimal:
    """A Kubernetes quantity as a number of cores or bytes."""
    digits = quantity.rstrip("miMGK")
    return Decimal(digits) * FACTORS[quantity.removeprefix(digits)]


def total(containers: Mapping[str, "Manifest"], half: str, resource: str) -> Decimal:
    """The sum over containers of a request or limit."""
    return sum((amount(found["resources"][half][resource]) for found in containers.values()), Decimal(0))


def secret_references(node: Any) -> Iterator[tuple[str, str]]:
    """Every (Secret, key) that a manifest refers to, however deep."""
    if isinstance(node, dict):
        if "secretKeyRef" in node:
            yield node["secretKeyRef"]["name"], node["secretKeyRef"]["key"]
        for value in node.values():
            yield from secret_references(value)
    elif isinstance(node, list):
        for value in node:
            yield from secret_references(value)


def environment(container: "Manifest") -> dict[str, Any]:
    """The variables of a container by name, plain ones as text and others as their source."""
    return {variable["name"]: variable.get("value", variable.get("valueFrom")) for variable in container["env"]}


def test_every_object_carries_every_label(rendered: "Rendered", chart: "Chart") -> None:
    for manifest in rendered.objects:
        labels = manifest["metadata"]["labels"]

        assert {f"app.kubernetes.io/{label}" for label in RECOMMENDED_LABELS} <= labels.keys(), manifest["metadata"]
        assert labels["app.kubernetes.io/instance"] == f"{chart.engine}-shop-a"
        assert labels["app.kubernetes.io/part-of"] == "urumi"
        assert labels["helm.sh/chart"].startswith(f"{chart.engine}-")
        assert labels["urumi.ai/managed-store"] == "true"
        assert labels["urumi.ai/storeId"] == "shop-a"


def test_every_pod_carries_the_labels_that_only_change_with_it(rendered: "Rendered") -> None:
    for pod in rendered.pods().values():
        labels = pod["metadata"]["labels"]

        assert {f"app.kubernetes.io/{label}" for label in RECOMMENDED_LABELS} <= labels.keys()
        assert labels["urumi.ai/managed-store"] == "true"
        assert labels["urumi.ai/storeId"] == "shop-a"
        assert "helm.sh/chart" not in labels


def test_selectors_use_only_labels_that_never_change_and_find_their_pods(rendered: "Rendered") -> None:
    pods = rendered.pods()
    for workload in rendered.of_kind("Deployment", "StatefulSet"):
        selector = workload["spec"]["selector"]["matchLabels"]
        assert selector.keys() == STABLE_LABELS
        assert selector.items() <= pods[workload["metadata"]["name"]]["metadata"]["labels"].items()
    for service in rendered.of_kind("Service"):
        selector = service["spec"]["selector"]
        assert selector.keys() == STABLE_LABELS
        assert selector.items() <= pods[service["metadata"]["name"]]["metadata"]["labels"].items()


def test_workloads_have_their_plain_names(rendered: "Rendered", engine: str) -> None:
    expected = {
        "woocommerce": {("StatefulSet", "mariadb"), ("Deployment", "wordpress")},
        "medusa": {
            ("StatefulSet", "postgres"),
            ("Deployment", "redis"),
            ("Deployment", "backend"),
            ("Deployment", "storefront"),
        },
    }
    found = {(each["kind"], each["metadata"]["name"]) for each in rendered.of_kind("Deployment", "StatefulSet")}

    assert found == expected[engine]


def test_pods_satisfy_pod_security_restricted(rendered: "Rendered") -> None:
    for pod in rendered.pods().values():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        for volume in spec["volumes"]:
            assert volume.keys() - {"name"} <= RESTRICTED_VOLUMES


def test_containers_satisfy_pod_security_restricted_and_cannot_write_to_their_root(rendered: "Rendered") -> None:
    for container in rendered.containers().values():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert all("hostPort" not in port for port in container.get("ports", []))


def test_pods_hold_no_token_and_no_service_variables(rendered: "Rendered") -> None:
    for pod in rendered.pods().values():
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["enableServiceLinks"] is False


def test_every_mount_has_its_volume_and_every_volume_a_bound(rendered: "Rendered") -> None:
    claims = {claim["metadata"]["name"] for claim in rendered.of_kind("PersistentVolumeClaim")}
    for pod in rendered.pods().values():
        spec = pod["spec"]
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        containers = [*spec.get("initContainers", []), *spec["containers"]]
        mounted = {mount["name"] for container in containers for mount in container.get("volumeMounts", [])}

        assert mounted == volumes.keys()
        for volume in volumes.values():
            if "emptyDir" in volume:
                assert "sizeLimit" in volume["emptyDir"]
            else:
                assert volume["persistentVolumeClaim"]["claimName"] in claims


def test_no_chart_renders_a_secret_or_a_random_value(chart: "Chart", store_values: dict[str, Any]) -> None:
    first, second = chart.template(store_values), chart.template(store_values)

    assert first.stdout == second.stdout
    assert chart.render(store_values).of_kind("Secret") == []


def test_every_secret_reference_exists_and_none_is_left_unused(
    rendered: "Rendered", secret_keys: Mapping[str, frozenset[str]]
) -> None:
    referred = {pair for manifest in rendered.objects for pair in secret_references(manifest)}
    existing = {(name, key) for name, keys in secret_keys.items() for key in keys}

    assert referred == existing - {("store-admin", "storeId")}


def test_no_value_with_a_secret_name_is_plain_text(rendered: "Rendered") -> None:
    for name, container in rendered.containers().items():
        for variable in container.get("env", []):
            if variable["name"].endswith(("PASSWORD", "SECRET", "_KEY", "_SALT")):
                assert "secretKeyRef" in variable["valueFrom"], f"{name}: {variable['name']}"


def test_only_the_init_container_reads_the_administrators_password(rendered: "Rendered") -> None:
    holders = {
        name
        for name, container in rendered.containers().items()
        if any(secret == "store-admin" for secret, _ in secret_references(container))
    }

    assert holders == rendered.init_containers().keys()


def test_secrets_under_other_names_are_followed(chart: "Chart", store_values: dict[str, Any]) -> None:
    store_values["store"] |= {"adminSecret": "boss", "secretsName": "keys"}

    referred = {name for found in chart.render(store_values).objects for name, _ in secret_references(found)}

    assert referred == {"boss", "keys"}


def test_every_lasting_container_has_probes(rendered: "Rendered") -> None:
    for name, container in rendered.main_containers().items():
        expected = (
            {"livenessProbe"} if name == "wordpress/cron" else {"startupProbe", "readinessProbe", "livenessProbe"}
        )
        assert expected <= container.keys(), name
        for probe in expected:
            assert "tcpSocket" not in container[probe], f"{name}: an open port says nothing"


def test_http_probes_name_the_host_and_scheme_of_the_store(rendered: "Rendered") -> None:
    for container in rendered.main_containers().values():
        for field in ("startupProbe", "readinessProbe", "livenessProbe"):
            if "httpGet" in container.get(field, {}):
                assert container[field]["httpGet"]["httpHeaders"] == [
                    {"name": "Host", "value": "shop-a.127.0.0.1.nip.io"},
                    {"name": "X-Forwarded-Proto", "value": "http"},
                ]


def test_readiness_checks_whether_the_shop_works_and_liveness_does_not(rendered: "Rendered", engine: str) -> None:
    expected = {
        "woocommerce": ("wordpress/wordpress", "/?urumi-healthz=serving", "/wp-includes/images/blank.gif"),
        "medusa": ("backend/backend", "/urumi-healthz?serving", "/health"),
    }
    name, readiness, liveness = expected[engine]
    container = rendered.main_containers()[name]

    assert container["readinessProbe"]["httpGet"]["path"] == readiness
    assert container["livenessProbe"]["httpGet"]["path"] == liveness


def test_images_are_pinned_and_pulled_once(rendered: "Rendered") -> None:
    for container in rendered.containers().values():
        repository, _, tag = container["image"].partition(":")
        assert repository in {"urumi/woocommerce", "urumi/medusa-backend", "urumi/medusa-storefront"} | {
            "mariadb",
            "postgres",
            "redis",
        }
        assert tag
        assert "latest" not in tag
        assert container["imagePullPolicy"] == "IfNotPresent"


def test_the_init_container_runs_the_image_of_the_shop(rendered: "Rendered", engine: str) -> None:
    name, command = {
        "woocommerce": ("wordpress/install", "/usr/local/lib/urumi/urumi-install"),
        "medusa": ("backend/migrate", "/usr/local/bin/urumi-migrate"),
    }[engine]
    workload = name.split("/")[0]

    assert rendered.init_containers().keys() == {name}
    assert rendered.init_containers()[name]["command"] == [command]
    assert rendered.init_containers()[name]["image"] == rendered.main_containers()[f"{workload}/{workload}"]["image"]


def test_the_init_container_sees_what_the_shop_sees(rendered: "Rendered") -> None:
    for name, init in rendered.init_containers().items():
        workload = name.split("/")[0]
        shop = rendered.main_containers()[f"{workload}/{workload}"]

        assert environment(shop).items() <= environment(init).items()
        assert shop["volumeMounts"] == init["volumeMounts"]


def test_requests_are_modest_and_everything_fits_the_quota(
    rendered: "Rendered", engine: str, quota: Mapping[str, str]
) -> None:
    lasting, passing = rendered.main_containers(), rendered.init_containers()
    mebibytes = {"woocommerce": 360, "medusa": 520}[engine]

    assert total(lasting, "requests", "memory") == mebibytes * 2**20
    for half in ("requests", "limits"):
        for resource in ("cpu", "memory"):
            assert total(lasting, half, resource) <= amount(quota[f"{half}.{resource}"])
    for name, init in passing.items():
        assert init["resources"] == lasting[name.split("/")[0] + "/" + name.split("/")[0]]["resources"]


def test_claims_fit_the_quota_and_remain_after_an_uninstall(rendered: "Rendered", quota: Mapping[str, str]) -> None:
    claims = rendered.of_kind("PersistentVolumeClaim")
    sizes = [amount(claim["spec"]["resources"]["requests"]["storage"]) for claim in claims]

    assert len(claims) <= int(quota["persistentvolumeclaims"])
    assert sum(sizes) <= amount(quota["requests.storage"])
    for claim in claims:
        assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
        assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_no_stateful_set_has_a_claim_that_can_never_grow(rendered: "Rendered") -> None:
    assert all("volumeClaimTemplates" not in found["spec"] for found in rendered.of_kind("StatefulSet"))


def test_a_deployment_with_a_volume_is_recreated_and_all_have_deadlines(rendered: "Rendered") -> None:
    for deployment in rendered.of_kind("Deployment"):
        spec = deployment["spec"]
        volumes = spec["template"]["spec"]["volumes"]
        assert spec["revisionHistoryLimit"] == 3
        assert 300 <= spec["progressDeadlineSeconds"] <= 600
        if any("persistentVolumeClaim" in volume for volume in volumes):
            assert spec["strategy"] == {"type": "Recreate"}


def test_one_host_is_routed_to_services_that_exist(rendered: "Rendered", engine: str) -> None:
    [rule] = rendered.named("Ingress", "store")["spec"]["rules"]
    routes = {path["path"]: path["backend"]["service"] for path in rule["http"]["paths"]}
    shop = {"woocommerce": "wordpress", "medusa": "storefront"}[engine]

    assert rule["host"] == "shop-a.127.0.0.1.nip.io"
    assert routes["/"]["name"] == shop
    for service in routes.values():
        ports = rendered.named("Service", service["name"])["spec"]["ports"]
        assert service["port"]["name"] in {port["name"] for port in ports}


@pytest.mark.parametrize("engine", ["medusa"])
def test_medusas_api_and_admin_share_the_host_with_the_storefront(rendered: "Rendered") -> None:
    [rule] = rendered.named("Ingress", "store")["spec"]["rules"]
    backend = {path["path"] for path in rule["http"]["paths"] if path["backend"]["service"]["name"] == "backend"}

    assert backend == {"/store", "/admin", "/auth", "/app", "/hooks", "/static", "/health"}


@pytest.mark.parametrize("engine", ["medusa"])
@pytest.mark.parametrize(("scheme", "secure"), [("http", "false"), ("https", "true")])
def test_medusas_cookie_is_secure_only_with_https(
    chart: "Chart", store_values: dict[str, Any], scheme: str, secure: str
) -> None:
    store_values["store"]["scheme"] = scheme

    variables = environment(chart.render(store_values).main_containers()["backend/backend"])

    assert variables["URUMI_COOKIE_SECURE"] == secure
    assert variables["AUTH_CORS"] == f"{scheme}://shop-a.127.0.0.1.nip.io"


@pytest.mark.parametrize("engine", ["medusa", "woocommerce"])
def test_a_port_is_in_every_address_of_a_store_but_not_in_its_ingress(
    chart: "Chart", store_values: dict[str, Any], engine: str
) -> None:
    store_values["store"]["port"] = 8088
    rendered = chart.render(store_values)
    authority = "shop-a.127.0.0.1.nip.io:8088"
    containers = rendered.main_containers()

    [rule] = rendered.named("Ingress", "store")["spec"]["rules"]
    assert rule["host"] == "shop-a.127.0.0.1.nip.io"
    if engine == "medusa":
        backend = containers["backend/backend"]
        found = environment(backend)
        assert {found[name] for name in ("URUMI_STORE_URL", "STORE_CORS", "ADMIN_CORS", "AUTH_CORS")} == {
            f"http://{authority}"
        }
    else:
        backend = containers["wordpress/wordpress"]
        assert f"define('WP_HOME', 'http://{authority}');" in environment(backend)["WORDPRESS_CONFIG_EXTRA"]
        assert environment(containers["wordpress/cron"])["CRON_HOST"] == authority
    sent = {each["name"]: each["value"] for each in backend["readinessProbe"]["httpGet"]["httpHeaders"]}
    assert sent["Host"] == authority


@pytest.mark.parametrize("engine", ["woocommerce"])
def test_wordpress_has_its_address_and_leaves_the_schedule_to_the_sidecar(rendered: "Rendered") -> None:
    extra = environment(rendered.main_containers()["wordpress/wordpress"])["WORDPRESS_CONFIG_EXTRA"]

    assert "define('WP_HOME', 'http://shop-a.127.0.0.1.nip.io');" in extra
    assert "define('DISABLE_WP_CRON', true);" in extra
    assert "HTTP_HOST" not in extra


@pytest.mark.parametrize("engine", ["woocommerce"])
def test_without_the_sidecar_wordpress_runs_its_own_schedule(chart: "Chart", store_values: dict[str, Any]) -> None:
    rendered = chart.render(store_values | {"cron": {"enabled": False}})

    assert "wordpress/cron" not in rendered.containers()
    extra = environment(rendered.main_containers()["wordpress/wordpress"])["WORDPRESS_CONFIG_EXTRA"]
    assert "define('DISABLE_WP_CRON', false);" in extra
