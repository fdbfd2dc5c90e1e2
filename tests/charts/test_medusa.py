"""What only the Medusa chart has: the settings of the first setup, its own network policies, its images.

tests/shops/medusa tests the sources of the images.
"""

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.charts.conftest import CHARTS

if TYPE_CHECKING:
    from tests.charts.conftest import Chart, Manifest, Rendered

CHART = CHARTS / "medusa"


@pytest.fixture
def engine() -> str:
    """The folder of the chart."""
    return "medusa"


@pytest.fixture
def fenced(chart: "Chart", store_values: dict[str, Any]) -> "Rendered":
    """The chart with its own network policies."""
    return chart.render(store_values | {"networkPolicy": {"enabled": True, "callers": ["traefik"]}})


def plain_variables(container: "Manifest") -> dict[str, str]:
    """The plain variables of a container."""
    return {each["name"]: each["value"] for each in container["env"] if "value" in each}


def test_the_backend_is_the_medusa_that_the_chart_says() -> None:
    [version] = re.findall(r'^appVersion: "(.*)"$', (CHART / "Chart.yaml").read_text(), re.M)
    package = json.loads((CHART / "image" / "backend" / "package.json").read_text())

    assert {each for name, each in package["dependencies"].items() if name.startswith("@medusajs/")} == {version}
    for kind in ("dependencies", "devDependencies"):
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", each) for each in package[kind].values()), "every version is exact"


def test_the_lock_file_has_no_registry_and_a_checksum_for_every_package() -> None:
    lock = json.loads((CHART / "image" / "backend" / "package-lock.json").read_text())

    packages = {name: package for name, package in lock["packages"].items() if name}
    assert all(package.get("integrity", "").startswith("sha512-") for package in packages.values())
    assert not [name for name, package in packages.items() if "resolved" in package]


@pytest.mark.parametrize("image", ["backend", "storefront"])
def test_an_image_comes_from_a_fixed_version_and_runs_as_the_charts_user(rendered: "Rendered", image: str) -> None:
    dockerfile = (CHART / "image" / image / "Dockerfile").read_text()
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.M)
    arguments = dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", dockerfile, re.M))
    user = rendered.pods()[image]["spec"]["securityContext"]["runAsUser"]

    assert {base.strip("${}") for base in bases} == arguments.keys()
    assert all(re.search(r":\d+\.\d+\.\d+", base) for base in arguments.values())
    assert re.findall(r"^USER (.*)$", dockerfile, re.M) == [f"{user}:{user}"]


def test_the_settings_of_the_shop_reach_the_first_setup_and_not_the_backend(
    chart: "Chart", store_values: dict[str, Any]
) -> None:
    shop = {"countries": ["in", "lk"], "currency": "INR", "shippingCost": "49", "sampleProducts": False}
    rendered = chart.render(store_values | {"shop": shop})

    variables = plain_variables(rendered.init_containers()["backend/migrate"])
    assert {name: value for name, value in variables.items() if name.startswith("URUMI_SHOP_")} == {
        "URUMI_SHOP_COUNTRIES": "in,lk",
        "URUMI_SHOP_CURRENCY": "INR",
        "URUMI_SHOP_SHIPPING_COST": "49",
        "URUMI_SHOP_SAMPLES": "false",
    }
    assert not [name for name in plain_variables(rendered.main_containers()["backend/backend"]) if "SHOP" in name]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"shop": {"currency": "dollars"}}, "/shop/currency", id="currency-is-no-code"),
        pytest.param({"shop": {"countries": ["USA"]}}, "/shop/countries/0", id="country-is-no-code"),
        pytest.param({"shop": {"countries": []}}, "/shop/countries", id="nowhere-to-deliver-to"),
        pytest.param({"shop": {"shippingCost": "free"}}, "/shop/shippingCost", id="cost-is-no-number"),
        pytest.param({"shop": {"price": 5}}, "'price' not allowed", id="unknown-key"),
        pytest.param({"networkPolicy": {"callers": []}}, "/networkPolicy/callers", id="nobody-may-call"),
        pytest.param({"storefront": {"port": 80}}, "/storefront/port", id="port-of-root"),
    ],
)
def test_a_wrong_value_is_refused_by_name(
    chart: "Chart", store_values: dict[str, Any], values: dict[str, Any], expected: str
) -> None:
    done = chart.template(store_values | values)

    assert done.exit_code != 0
    assert expected in done.stderr


def test_with_the_platform_the_chart_renders_no_policy(rendered: "Rendered") -> None:
    assert rendered.of_kind("NetworkPolicy") == []


@pytest.mark.parametrize(
    ("component", "caller", "port"),
    [
        ("backend", None, "http"),
        ("storefront", None, "http"),
        ("postgres", "backend", "postgres"),
        ("redis", "backend", "redis"),
    ],
)
def test_a_pod_accepts_connections_only_from_those_it_serves(
    fenced: "Rendered", component: str, caller: str | None, port: str
) -> None:
    policy = fenced.named("NetworkPolicy", component)["spec"]
    [rule] = policy["ingress"]
    [source] = rule["from"]

    assert policy["podSelector"]["matchLabels"].items() <= fenced.pods()[component]["metadata"]["labels"].items()
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert rule["ports"] == [{"port": port}]
    if caller is None:
        assert source["namespaceSelector"]["matchExpressions"][0]["values"] == ["traefik"]
    else:
        assert source["podSelector"]["matchLabels"].items() <= fenced.pods()[caller]["metadata"]["labels"].items()
    assert port in {each["name"] for each in fenced.main_containers()[f"{component}/{component}"]["ports"]}


def test_only_the_backend_opens_connections_and_only_to_its_databases_and_dns(fenced: "Rendered") -> None:
    assert {policy["metadata"]["name"] for policy in fenced.of_kind("NetworkPolicy") if policy["spec"]["egress"]} == {
        "backend"
    }
    postgres, redis, names = fenced.named("NetworkPolicy", "backend")["spec"]["egress"]

    for rule, component in ((postgres, "postgres"), (redis, "redis")):
        assert rule["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == component
    assert {port["port"] for port in names["ports"]} == {53}
