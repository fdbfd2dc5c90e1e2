"""The platform's chart on a real API server: every object accepted, its pods admitted, its definition kept.

Not guaranteed: that the server runs. The local cluster simulates pods.
"""

import json
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.charts.conftest import Chart, Finished, Tools

DEFINITION = "customresourcedefinition/stores.stores.urumi.ai"


@pytest.fixture
def engine() -> str:
    """The folder of the chart."""
    return "platform"


@pytest.fixture
def namespace(tools: "Tools") -> Iterator[str]:
    """A namespace that enforces Pod Security and warns where a workload would break it."""
    name = f"test-platform-{secrets.token_hex(3)}"
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": security}}
    tools.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(manifest))
    yield name
    tools.kubectl("delete", "namespace", name, "--timeout=100s")


def helm(chart: "Chart", verb: str, namespace: str, *arguments: str, values: Any = None) -> "Finished":
    """Run Helm for the release `urumi`; the test fails on an error and on a warning."""
    done = chart.tools.helm(verb, "urumi", *arguments, "--namespace", namespace, values=values)
    assert done.exit_code == 0, done.stderr
    assert "warning" not in done.stderr.lower()
    return done


@pytest.mark.parametrize("has_ingress", [False, True], ids=["defaults", "ingress-with-tls"])
def test_the_api_server_accepts_every_object_without_a_warning(
    chart: "Chart", tools: "Tools", namespace: str, has_ingress: bool
) -> None:
    values = {"ingress": {"enabled": has_ingress, "host": "urumi.example.com", "className": "traefik"}}
    manifest = helm(chart, "template", namespace, str(chart.path), "--no-hooks", values=values).stdout
    arguments = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-")
    # The definition already exists in the cluster of the tests, applied by another field manager.
    other_manager = ("--field-manager=chart", "--force-conflicts")
    done = tools.run(tools.cluster.kubectl, *arguments, *other_manager, stdin=manifest)

    assert done.exit_code == 0, done.stderr
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == manifest.count("\nkind: ") == 15 + has_ingress


def test_an_uninstall_leaves_the_definition_and_the_stores(chart: "Chart", tools: "Tools", namespace: str) -> None:
    before = json.loads(tools.kubectl("get", DEFINITION, "-o", "json"))
    # As in a cluster in which the definition was first applied manually.
    helm(chart, "install", namespace, str(chart.path), "--take-ownership", "--force-conflicts")
    tools.kubectl("rollout", "status", "deployment/urumi", "-n", namespace, "--timeout=90s")
    assert len(tools.objects("pods", namespace)) == 2
    assert "Phase:          Succeeded" in helm(chart, "test", namespace, "--timeout=90s").stdout
    assert (
        tools.objects("serviceaccounts,roles,rolebindings,pods", namespace, "app.kubernetes.io/name=urumi-test") == []
    )
    helm(chart, "upgrade", namespace, str(chart.path), "--set", "replicas=1")

    done = helm(chart, "uninstall", namespace, "--wait", "--timeout=90s")

    assert "kept due to the resource policy" in done.stdout
    after = json.loads(tools.kubectl("get", DEFINITION, "-o", "json"))
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert "deletionTimestamp" not in after["metadata"]
    assert tools.objects("deployments,services,networkpolicies,roles", namespace) == []
