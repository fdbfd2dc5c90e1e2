"""What only the WooCommerce chart has: the stock image, mail, its own network policies, values that depend on others.

tests/shops/woocommerce tests the files of the chart.
"""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.charts.conftest import CHARTS

if TYPE_CHECKING:
    from tests.charts.conftest import Chart, Manifest, Rendered, StoreNamespace, Tools

CHART = CHARTS / "woocommerce"
EVERYTHING = {
    "stock": {"enabled": True},
    "networkPolicy": {"enabled": True, "callers": ["traefik"]},
    "mail": {"host": "smtp.example.com", "port": 465, "encryption": "tls", "secretName": "store-mail"},
}


@pytest.fixture
def engine() -> str:
    """The folder of the chart."""
    return "woocommerce"


@pytest.fixture
def complete(chart: "Chart", store_values: dict[str, Any]) -> "Rendered":
    """The chart with every option enabled."""
    return chart.render(store_values | EVERYTHING)


def plain_variables(container: "Manifest") -> dict[str, str]:
    """The plain variables of a container."""
    return {each["name"]: each["value"] for each in container["env"] if "value" in each}


def versions() -> dict[str, str]:
    """What versions.env pins."""
    lines = (CHART / "files" / "versions.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_image_is_of_the_version_that_the_chart_says(chart: "Chart") -> None:
    [version] = re.findall(r'^appVersion: "(.*)"$', (CHART / "Chart.yaml").read_text(), re.M)
    dockerfile = (CHART / "image" / "Dockerfile").read_text()

    assert versions()["WOOCOMMERCE_VERSION"] == version
    assert f"docker build -t urumi/woocommerce:{version} -f" in dockerfile


def test_both_ways_of_running_start_from_the_same_wordpress(complete: "Rendered") -> None:
    dockerfile = (CHART / "image" / "Dockerfile").read_text()
    [base] = re.findall(r"^ARG WORDPRESS_IMAGE=(.*)$", dockerfile, re.M)

    assert complete.main_containers()["wordpress/wordpress"]["image"] == base


def test_everything_that_is_added_to_wordpress_is_pinned_by_its_sum() -> None:
    pinned = versions()

    assert pinned.keys() == {
        f"{name}_{half}" for name in ("WOOCOMMERCE", "STOREFRONT") for half in ("VERSION", "SHA256")
    }
    for name, value in pinned.items():
        assert re.fullmatch(r"[0-9a-f]{64}" if name.endswith("SHA256") else r"\d+\.\d+\.\d+", value), name


def test_files_are_written_directly_although_the_code_belongs_to_another_user(rendered: "Rendered") -> None:
    """Otherwise WordPress tries FTP, WooCommerce cannot write its log, and every checkout returns 500."""
    extra = plain_variables(rendered.main_containers()["wordpress/wordpress"])["WORDPRESS_CONFIG_EXTRA"]

    assert "define('FS_METHOD', 'direct');" in extra


def test_the_port_of_the_values_reaches_apache(chart: "Chart", store_values: dict[str, Any]) -> None:
    container = chart.render(store_values | {"wordpress": {"port": 9090, "workers": 3}}).main_containers()[
        "wordpress/wordpress"
    ]

    assert container["ports"] == [{"name": "http", "containerPort": 9090}]
    assert plain_variables(container)["URUMI_PORT"] == "9090"
    assert plain_variables(container)["URUMI_WORKERS"] == "3"


def test_as_many_connections_as_workers_and_the_installation_fit_the_database(rendered: "Rendered") -> None:
    workers = int(plain_variables(rendered.main_containers()["wordpress/wordpress"])["URUMI_WORKERS"])
    [limit] = [each for each in rendered.main_containers()["mariadb/mariadb"]["args"] if "max-connections" in each]

    assert int(limit.partition("=")[2]) > 2 * workers


def test_the_settings_of_the_shop_reach_the_installation_only(chart: "Chart", store_values: dict[str, Any]) -> None:
    shop = {"country": "IN:KA", "currency": "INR", "shippingCost": "49", "sampleProducts": True}
    rendered = chart.render(store_values | {"shop": shop})

    variables = plain_variables(rendered.init_containers()["wordpress/install"])
    assert {name: value for name, value in variables.items() if name.startswith("URUMI_SHOP_")} == {
        "URUMI_SHOP_COUNTRY": "IN:KA",
        "URUMI_SHOP_CURRENCY": "INR",
        "URUMI_SHOP_SHIPPING_COST": "49",
        "URUMI_SHOP_SAMPLES": "true",
    }
    assert not [name for name in plain_variables(rendered.main_containers()["wordpress/wordpress"]) if "SHOP" in name]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"shop": {"currency": "rupees"}}, "/shop/currency", id="currency-is-no-code"),
        pytest.param({"shop": {"country": "India"}}, "/shop/country", id="country-is-no-code"),
        pytest.param({"shop": {"shippingCost": "free"}}, "/shop/shippingCost", id="cost-is-no-number"),
        pytest.param({"mail": {"password": "s3cret"}}, "'password' not allowed", id="mail-password-as-value"),
        pytest.param({"mail": {"encryption": "ssl3"}}, "'starttls', 'tls', 'none'", id="encryption-unknown"),
        pytest.param({"networkPolicy": {"callers": []}}, "/networkPolicy/callers", id="nobody-may-call"),
        pytest.param({"wordpress": {"workers": 0}}, "/wordpress/workers", id="no-worker"),
        pytest.param({"wordpress": {"port": 80}}, "/wordpress/port", id="port-of-root"),
        pytest.param({"stock": {"enabled": True, "image": {"tag": "latest"}}}, "expected a fixed version", id="moving"),
    ],
)
def test_a_wrong_value_is_refused_by_name(
    chart: "Chart", store_values: dict[str, Any], values: dict[str, Any], expected: str
) -> None:
    done = chart.template(store_values | values)

    assert done.exit_code != 0
    assert expected in done.stderr


def test_the_mail_servers_password_comes_from_a_secret(complete: "Rendered") -> None:
    container = complete.main_containers()["wordpress/wordpress"]
    [password] = [each for each in container["env"] if each["name"] == "URUMI_MAIL_PASSWORD"]

    assert password["valueFrom"] == {"secretKeyRef": {"name": "store-mail", "key": "password"}}
    assert plain_variables(container)["URUMI_MAIL_PORT"] == "465"


def test_without_a_mail_server_no_variable_of_it_is_set(rendered: "Rendered") -> None:
    variables = rendered.main_containers()["wordpress/wordpress"]["env"]

    assert not [each["name"] for each in variables if each["name"].startswith("URUMI_MAIL")]


def test_with_the_platform_the_chart_renders_no_policy_and_no_config_map(rendered: "Rendered") -> None:
    assert rendered.of_kind("NetworkPolicy", "ConfigMap") == []


def test_only_wordpress_connects_to_the_database_which_opens_no_connection(complete: "Rendered") -> None:
    policy = complete.named("NetworkPolicy", "mariadb")["spec"]

    [rule] = policy["ingress"]
    [source] = rule["from"]
    wordpress = complete.pods()["wordpress"]["metadata"]["labels"]
    assert source["podSelector"]["matchLabels"].items() <= wordpress.items()
    assert rule["ports"] == [{"port": "mysql"}]
    assert policy["podSelector"]["matchLabels"].items() <= complete.pods()["mariadb"]["metadata"]["labels"].items()
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in policy


def test_the_shop_is_reached_by_the_ingress_controller_and_reaches_database_and_names(complete: "Rendered") -> None:
    policy = complete.named("NetworkPolicy", "wordpress")["spec"]

    assert policy["ingress"][0]["from"][0]["namespaceSelector"]["matchExpressions"][0]["values"] == ["traefik"]
    database, names = policy["egress"]
    assert database["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "mariadb"
    assert {port["port"] for port in names["ports"]} == {53}


@pytest.mark.parametrize(
    ("values", "ports"),
    [
        pytest.param({"stock": {"enabled": True}}, [[443]], id="stock"),
        pytest.param({"mail": {"host": "smtp.example.com"}}, [[587]], id="mail"),
        pytest.param({"stock": {"enabled": True}, "mail": {"host": "smtp.example.com"}}, [[443], [587]], id="both"),
    ],
)
def test_egress_is_allowed_for_exactly_the_enabled_options(
    chart: "Chart", store_values: dict[str, Any], values: dict[str, Any], ports: list[list[int]]
) -> None:
    [policy] = chart.render(store_values | values).of_kind("NetworkPolicy")

    assert policy["metadata"]["name"] == "wordpress-outside"
    assert [[port["port"] for port in rule["ports"]] for rule in policy["spec"]["egress"]] == ports
    assert "10.0.0.0/8" in str(policy["spec"]["egress"]) or ports == [[587]]


def test_the_stock_image_gets_the_files_of_our_image(complete: "Rendered") -> None:
    [files] = complete.of_kind("ConfigMap")
    inits = list(complete.init_containers())
    shop = complete.main_containers()["wordpress/wordpress"]
    mounts = {mount["mountPath"]: mount for mount in shop["volumeMounts"]}

    assert files["data"].keys() == {path.name for path in (CHART / "files").iterdir()}
    assert inits == ["wordpress/assemble", "wordpress/install"]
    assert shop["workingDir"] == "/usr/src/wordpress"
    for path in ("/usr/src/wordpress", "/usr/local/lib/urumi", "/etc/apache2/ports.conf"):
        assert mounts[path]["readOnly"] is True
    # The uploads are mounted inside the volume with the code, so their mount comes after it.
    order = [mount["mountPath"] for mount in shop["volumeMounts"]]
    assert order.index("/usr/src/wordpress") < order.index("/usr/src/wordpress/wp-content/uploads")


def test_a_changed_file_restarts_a_shop_on_the_stock_image(
    chart: "Chart", store_values: dict[str, Any], tmp_path: Path
) -> None:
    values = store_values | {"stock": {"enabled": True}}
    copy = tmp_path / "woocommerce"
    shutil.copytree(chart.path, copy)
    (copy / "files" / "php.ini").write_text("memory_limit = 512M\n")

    assert replace(chart, path=copy).render(values).pods() != chart.render(values).pods()


def test_the_notes_name_the_requirements_of_the_stock_image(chart: "Chart", store_values: dict[str, Any]) -> None:
    where = ("woocommerce-shop-a", str(chart.path), "--namespace", "store-shop-a", "--dry-run=client")
    ours = chart.tools.helm("install", *where, values=store_values).stdout.split("NOTES:")[1]
    stock = chart.tools.helm("install", *where, values=store_values | {"stock": {"enabled": True}}).stdout.split(
        "NOTES:"
    )[1]

    assert "urumi/woocommerce:11.1.2 is in no public registry" in ours
    assert "downloads.wordpress.org" not in ours
    assert "downloads\nWooCommerce and a theme from downloads.wordpress.org" in stock
    assert "Back up the database" in ours


def test_all_options_together_are_accepted_by_the_api_server_within_quota_and_limits(
    chart: "Chart", store_namespace: "StoreNamespace", tools: "Tools"
) -> None:
    done = chart.install(store_namespace.name, store_namespace.store_id, store_namespace.values | EVERYTHING)
    assert done.exit_code == 0, done.stderr
    assert "warning" not in done.stderr.lower()

    for workload in ("deployment/wordpress", "statefulset/mariadb"):
        tools.kubectl("rollout", "status", workload, "-n", store_namespace.name, "--timeout=90s")
    assert len(tools.objects("networkpolicies", store_namespace.name)) == 3
    assert tools.warnings(store_namespace.name) == []
