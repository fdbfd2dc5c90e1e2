"""The pinned module of kind, and the manifest of the ingress controller on a real API server."""

import yaml

from cluster.kind.kind import MODULE
from cluster.programs.binaries import Recipe
from testing.kubectl import Kubectl
from tests.cluster.kind.conftest import PINNED


def test_kind_is_built_from_a_module_that_is_pinned_with_its_checksums() -> None:
    [program] = Recipe.read(MODULE).programs
    assert (program.name, program.version) == ("kind", f"v{PINNED}")
    assert f"sigs.k8s.io/kind v{PINNED} h1:" in (MODULE / "go.sum").read_text()


def test_the_api_server_accepts_the_ingress_controller_and_the_shops_admit_it(kubectl: Kubectl) -> None:
    path = MODULE / "traefik.yaml"
    try:
        done = kubectl.attempt("apply", "--server-side", "--validate=strict", "-f", str(path))
        assert (done.returncode, done.stderr) == (0, "")
        kubectl.run("rollout", "status", "daemonset/traefik", "-n", "traefik", "--timeout=90s")
    finally:
        kubectl.run("delete", "-f", str(path), "--ignore-not-found")
    objects = list(yaml.safe_load_all(path.read_text()))
    [daemons] = [each for each in objects if each["kind"] == "DaemonSet"]
    assert daemons["metadata"]["namespace"] == "traefik"
    assert "hostNetwork" not in daemons["spec"]["template"]["spec"]
    assert {port["hostPort"] for port in daemons["spec"]["template"]["spec"]["containers"][0]["ports"]} == {80, 443}
    values = yaml.safe_load((MODULE.parents[1] / "charts" / "platform" / "values.yaml").read_text())
    assert "traefik" in values["config"]["INGRESS_NAMESPACES"].split()
