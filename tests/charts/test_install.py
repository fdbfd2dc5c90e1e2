"""The charts on a real API server, with the quota and limits of a store: accepted, installed, upgraded, removed.

Not guaranteed: that a shop works. The local cluster simulates pods, so ready means that the API server, the quota, Pod
Security, the scheduler and the controllers accepted everything, and not that an image ran.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.charts.conftest import Chart, Manifest, StoreNamespace, Tools

WORKLOADS = "deployments,statefulsets"


@pytest.fixture
def store_values(store_namespace: "StoreNamespace") -> dict[str, Any]:
    """The reconciler's values for the store of the namespace."""
    return store_namespace.values


def install(chart: "Chart", namespace: "StoreNamespace") -> None:
    """Install or upgrade; the test fails on an error and on a warning."""
    done = chart.install(namespace.name, namespace.store_id, namespace.values)
    assert done.exit_code == 0, done.stderr
    assert "warning" not in done.stderr.lower()


def by_name(objects: list["Manifest"]) -> dict[str, "Manifest"]:
    """Objects by kind and name."""
    return {f"{found['kind']}/{found['metadata']['name']}": found for found in objects}


def wait_until_ready(tools: "Tools", namespace: str) -> list[str]:
    """Wait for every workload and return their names."""
    names = sorted(by_name(tools.objects(WORKLOADS, namespace)))
    for name in names:
        tools.kubectl("rollout", "status", name, "-n", namespace, "--timeout=90s")
    return names


def wait_until_the_quota_counts(tools: "Tools", namespace: str, used: dict[str, int]) -> None:
    """Trigger a count of the quota controller, and wait until it reports exactly this usage.

    A count during the creation of objects may omit some until the next count, five minutes later. A change of the quota
    triggers a count.
    """
    more = json.dumps({"spec": {"hard": {"pods": "21"}}})
    tools.kubectl("patch", "resourcequota/store-quota", "-n", namespace, "--type=merge", f"--patch={more}")
    for resource, number in used.items():
        jsonpath = f"--for=jsonpath={{.status.used.{resource}}}={number}"
        tools.kubectl("wait", "resourcequota/store-quota", "-n", namespace, jsonpath, "--timeout=90s")


def test_the_api_server_accepts_every_object_without_a_warning(
    chart: "Chart", store_values: dict[str, Any], store_namespace: "StoreNamespace", tools: "Tools"
) -> None:
    manifest = chart.template(store_values, store_namespace.store_id).stdout
    arguments = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-")
    done = tools.run(tools.cluster.kubectl, *arguments, "-n", store_namespace.name, stdin=manifest)

    assert done.exit_code == 0, done.stderr
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == manifest.count("\nkind: ")


def test_every_workload_becomes_ready_within_quota_and_limits(
    chart: "Chart", store_namespace: "StoreNamespace", tools: "Tools"
) -> None:
    install(chart, store_namespace)

    ready = wait_until_ready(tools, store_namespace.name)
    pods = tools.objects("pods", store_namespace.name)
    claims = tools.objects("persistentvolumeclaims", store_namespace.name)

    assert len(ready) == {"woocommerce": 2, "medusa": 4}[chart.engine]
    assert len(pods) == len(ready)
    assert {pod["metadata"]["labels"]["urumi.ai/storeId"] for pod in pods} == {store_namespace.store_id}
    used = {"pods": len(ready), "persistentvolumeclaims": len(claims)}
    wait_until_the_quota_counts(tools, store_namespace.name, used)
    assert tools.warnings(store_namespace.name) == []


def test_a_new_version_of_the_chart_restarts_nothing(
    chart: "Chart", store_namespace: "StoreNamespace", tools: "Tools", tmp_path: Path
) -> None:
    install(chart, store_namespace)
    before = by_name(tools.objects(WORKLOADS, store_namespace.name))
    newer = tmp_path / "newer" / chart.engine
    shutil.copytree(chart.path, newer)
    description = newer / "Chart.yaml"
    description.write_text(description.read_text().replace("version: 0.1.0", "version: 0.2.0", 1))

    install(replace(chart, path=newer), store_namespace)

    after = by_name(tools.objects(WORKLOADS, store_namespace.name))
    assert after.keys() == before.keys()
    for name, workload in after.items():
        assert workload["metadata"]["labels"]["helm.sh/chart"] == f"{chart.engine}-0.2.0"
        assert workload["metadata"]["generation"] == before[name]["metadata"]["generation"]


def test_the_data_remains_after_an_uninstall_and_the_next_install_uses_it(
    chart: "Chart", store_namespace: "StoreNamespace", tools: "Tools"
) -> None:
    install(chart, store_namespace)
    wait_until_ready(tools, store_namespace.name)
    before = tools.objects("persistentvolumeclaims", store_namespace.name)
    release = f"{chart.engine}-{store_namespace.store_id}"

    done = tools.helm("uninstall", release, "--namespace", store_namespace.name, "--wait", "--timeout=90s")
    assert done.exit_code == 0, done.stderr
    assert tools.objects(f"{WORKLOADS},services,ingresses", store_namespace.name) == []
    install(chart, store_namespace)

    after = tools.objects("persistentvolumeclaims", store_namespace.name)
    assert {claim["metadata"]["uid"] for claim in after} == {claim["metadata"]["uid"] for claim in before}
    wait_until_ready(tools, store_namespace.name)
