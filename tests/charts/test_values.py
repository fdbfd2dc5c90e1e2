"""The values that the charts accept without a warning, and the messages about wrong ones."""

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.charts.conftest import Chart

Values = dict[str, Any]


def with_value(values: Values, path: str, value: object) -> Values:
    """A copy in which one value, named by a dotted path, is another."""
    changed = deepcopy(values)
    *parents, last = path.split(".")
    place = changed
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
    return changed


def test_lint_finds_nothing_with_the_reconcilers_values(chart: "Chart", store_values: Values) -> None:
    done = chart.lint(store_values)

    assert done.exit_code == 0, done.stdout
    assert "[WARNING]" not in done.stdout + done.stderr
    assert "[ERROR]" not in done.stdout + done.stderr


def test_lint_finds_nothing_with_tls_from_a_wildcard(chart: "Chart", store_values: Values) -> None:
    values = with_value(with_value(store_values, "store.scheme", "https"), "ingress.tls.enabled", True)

    assert chart.lint(values).exit_code == 0


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        pytest.param("store.host", "Bad_Host", ["/store/host", "'Bad_Host'"], id="host-is-no-name"),
        pytest.param("store.host", "http://shop.test", ["/store/host"], id="host-with-scheme"),
        pytest.param("store.host", "shop.test:8080", ["/store/host"], id="host-with-port"),
        pytest.param("store.id", "Shop_A", ["/store/id", "'Shop_A'"], id="id-is-no-store-id"),
        pytest.param("store.id", "ab", ["/store/id", "got 2, want 3"], id="id-too-short"),
        pytest.param("store.id", "a" * 33, ["/store/id", "got 33, want 32"], id="id-too-long"),
        pytest.param("store.scheme", "ftp", ["/store/scheme", "'http', 'https'"], id="scheme-unknown"),
        pytest.param("store.password", "s3cret", ["/store", "'password' not allowed"], id="password-as-value"),
        pytest.param("ingres.enabled", True, ["'ingres' not allowed"], id="unknown-key"),
        pytest.param("storage.class", "fast", ["/storage", "'class' not allowed"], id="unknown-nested-key"),
        pytest.param("podAnnotations.team", 7, ["/podAnnotations/team", "want string"], id="annotation-no-string"),
    ],
)
def test_a_wrong_value_is_refused_by_name(
    chart: "Chart", store_values: Values, path: str, value: object, expected: list[str]
) -> None:
    done = chart.template(with_value(store_values, path, value))

    assert done.exit_code != 0
    for part in expected:
        assert part in done.stderr


@pytest.mark.parametrize("key", ["id", "host"])
def test_a_missing_identity_is_refused_by_name(chart: "Chart", store_values: Values, key: str) -> None:
    del store_values["store"][key]

    done = chart.template(store_values)

    assert done.exit_code != 0
    assert f"store.{key} is missing: expected " in done.stderr


def test_tls_on_a_plain_http_store_is_refused(chart: "Chart", store_values: Values) -> None:
    done = chart.template(with_value(store_values, "ingress.tls.enabled", True))

    assert done.exit_code != 0
    assert 'store.scheme is "http": expected "https"' in done.stderr


@pytest.mark.parametrize("tag", ["latest", "latest-alpine"])
def test_a_moving_tag_is_refused(chart: "Chart", store_values: Values, tag: str) -> None:
    component = "mariadb" if chart.engine == "woocommerce" else "postgres"

    done = chart.template(with_value(store_values, f"{component}.image.tag", tag))

    assert done.exit_code != 0
    assert f'{component} has the tag "{tag}": expected a fixed version' in done.stderr


def test_a_digest_beside_the_tag_stays_out_of_the_labels(chart: "Chart", store_values: Values) -> None:
    component = "mariadb" if chart.engine == "woocommerce" else "postgres"
    pinned = "1.2.3@sha256:" + "0" * 64

    pod = chart.render(with_value(store_values, f"{component}.image.tag", pinned)).pods()[component]

    assert pod["spec"]["containers"][0]["image"] == f"{component}:{pinned}"
    assert pod["metadata"]["labels"]["app.kubernetes.io/version"] == "1.2.3"


def test_a_numeric_store_id_stays_text(chart: "Chart", store_values: Values) -> None:
    rendered = chart.render(with_value(store_values, "store.id", "2026"))

    assert {found["metadata"]["labels"]["urumi.ai/storeId"] for found in rendered.objects} == {"2026"}


def test_annotations_and_node_selector_reach_every_pod(chart: "Chart", store_values: Values) -> None:
    values = with_value(store_values, "podAnnotations", {"example.com/pull": "never"})
    values = with_value(values, "nodeSelector", {"disk": "fast"})

    for pod in chart.render(values).pods().values():
        assert pod["metadata"]["annotations"] == {"example.com/pull": "never"}
        assert pod["spec"]["nodeSelector"] == {"disk": "fast"}


def test_storage_class_and_ingress_class_are_left_to_the_cluster_when_empty(
    chart: "Chart", store_values: Values
) -> None:
    rendered = chart.render(with_value(store_values, "ingress.className", ""))

    assert all("storageClassName" not in claim["spec"] for claim in rendered.of_kind("PersistentVolumeClaim"))
    assert "ingressClassName" not in rendered.named("Ingress", "store")["spec"]


def test_storage_class_reaches_every_claim(chart: "Chart", store_values: Values) -> None:
    rendered = chart.render(with_value(store_values, "storage.className", "fast"))

    claims = rendered.of_kind("PersistentVolumeClaim")
    assert [claim["spec"]["storageClassName"] for claim in claims] == ["fast"] * 2


def test_ingress_can_be_left_out(chart: "Chart", store_values: Values) -> None:
    assert chart.render(with_value(store_values, "ingress.enabled", False)).of_kind("Ingress") == []
