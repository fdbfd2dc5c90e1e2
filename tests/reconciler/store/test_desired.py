"""The desired release of a store: which values it has and what its digest covers."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from reconciler.package_data import charts_dir
from reconciler.settings import Settings
from reconciler.store.desired import admin_email, deep_merge, desired_release, store_authority, store_url
from urumi.errors import ConfigurationError

SPEC: dict[str, Any] = {"storeId": "shop-1", "engine": "medusa"}


@pytest.fixture
def charts(tmp_path: Path) -> Path:
    """A copy of Medusa's chart."""
    shutil.copytree(charts_dir() / "medusa", tmp_path / "charts" / "medusa", ignore=shutil.ignore_patterns("image"))
    return tmp_path / "charts"


@pytest.mark.parametrize(
    ("base", "override", "expected"),
    [
        ({"a": 1, "b": 2}, {"b": 3}, {"a": 1, "b": 3}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}}, {"a": {"x": 1, "y": 3}}),
        ({"a": {"x": 1}}, {"a": [1]}, {"a": [1]}),
        ({"a": 1}, {"a": {"x": 1}}, {"a": {"x": 1}}),
        ({"a": {"x": 1}}, {"a": None}, {"a": None}),
    ],
)
def test_deep_merge_merges_mappings_and_replaces_everything_else(base: Any, override: Any, expected: Any) -> None:
    before = repr(base)
    assert deep_merge(base, override) == expected
    assert repr(base) == before


def test_values_of_the_spec_override_those_of_the_platform() -> None:
    own = {"store": {"title": "Shop"}, "redis": {"maxMemoryMiB": 8}}
    desired = desired_release(Settings(), {**SPEC, "values": own})
    assert desired.values["store"]["id"] == "shop-1"
    assert desired.values["store"]["title"] == "Shop"
    assert desired.values["redis"] == {"maxMemoryMiB": 8}
    assert desired.values["store"]["digest"] == desired.digest


@pytest.mark.parametrize("text", ["version: 1.2.3", 'version: "1.2.3"', "version: 1.2.3  # comment"])
def test_the_version_is_read_from_the_chart(charts: Path, text: str) -> None:
    (charts / "medusa" / "Chart.yaml").write_text(f"name: medusa\n{text}\n")
    assert desired_release(Settings(charts_dir=charts), SPEC).chart_version == "1.2.3"


@pytest.mark.parametrize("path", ["values.yaml", "templates/backend.yaml", "charts/common/templates/_urumi.tpl"])
def test_a_changed_file_of_the_chart_changes_the_digest(charts: Path, tmp_path: Path, path: str) -> None:
    before = desired_release(Settings(charts_dir=charts), SPEC).digest
    changed = tmp_path / "changed"
    shutil.copytree(charts, changed)
    with (changed / "medusa" / path).open("a") as file:
        file.write("\n")
    assert desired_release(Settings(charts_dir=changed), SPEC).digest != before


@pytest.mark.parametrize("path", ["image/backend/package.json", "ci/local-values.yaml"])
def test_a_file_that_helm_does_not_package_leaves_the_digest(charts: Path, tmp_path: Path, path: str) -> None:
    before = desired_release(Settings(charts_dir=charts), SPEC).digest
    changed = tmp_path / "changed"
    shutil.copytree(charts, changed)
    (changed / "medusa" / path).parent.mkdir(parents=True, exist_ok=True)
    (changed / "medusa" / path).write_text("changed")
    assert desired_release(Settings(charts_dir=changed), SPEC).digest == before


def test_a_missing_chart_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as failure:
        desired_release(Settings(charts_dir=tmp_path), SPEC)
    assert failure.value.message == f"chart not found: {tmp_path / 'medusa'}"
    assert failure.value.hint == "Check URUMI_CHARTS_DIR."


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (SPEC, "admin@shop-1.127.0.0.1.nip.io"),
        ({**SPEC, "host": "shop.example.com"}, "admin@shop.example.com"),
        ({**SPEC, "values": {"store": {"adminEmail": "ada@example.org"}}}, "ada@example.org"),
    ],
)
def test_the_administrators_address_follows_host_and_values(spec: dict[str, Any], expected: str) -> None:
    assert admin_email(Settings(), spec) == expected


@pytest.mark.parametrize(
    ("port", "spec", "expected"),
    [
        (0, {}, "http://shop-a.shops.example"),
        (8088, {}, "http://shop-a.shops.example:8088"),
        (8088, {"host": "tea.example"}, "http://tea.example:8088"),
    ],
)
def test_the_address_of_a_store_has_the_port_of_the_settings(port: int, spec: dict[str, Any], expected: str) -> None:
    settings = Settings(base_domain="shops.example", store_port=port)
    full = {"storeId": "shop-a", "engine": "medusa"} | spec

    assert store_url(settings, full) == expected
    assert store_authority(desired_release(settings, full).values["store"]) == expected.removeprefix("http://")
