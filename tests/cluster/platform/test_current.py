"""The target `current`: what it shows, changes, and says of a cluster. tests/setup/test_current.py has the question."""

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.errors import ClusterError
from cluster.platform.current import CurrentCluster
from cluster.target import Options
from tests.cluster.platform.conftest import Machine

WITH_TOKEN = "            - name: URUMI_TOKEN\n"
SETTINGS = '  URUMI_INGRESS_CLASS: "traefik"\n  URUMI_STORAGE_CLASS: "fast"\n'
DEFAULT = {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}


def up(machine: Machine, *values: str) -> list[str]:
    """Install without the question, and return the lines."""
    CurrentCluster().up(machine.place, Options(tuple(map(Path, values)), yes=True))
    return machine.console.lines


def named(*names: str, **metadata: Any) -> str:
    """Return a list of objects as kubectl prints it."""
    return json.dumps({"items": [{"metadata": {"name": name, **metadata}} for name in names]})


def notes(machine: Machine) -> list[str]:
    """Return the notes of an installation."""
    return [line.strip() for line in up(machine) if "Note:" in line]


def failure(machine: Machine, *values: str) -> str:
    """Return the sentence with which an installation fails."""
    with pytest.raises(ClusterError) as caught:
        up(machine, *values)
    return caught.value.sentence()


def test_the_cluster_is_shown_before_it_is_changed(machine: Machine) -> None:
    machine.set(RELEASE="urumi\tstore-platform\t7\t2026-11-25\tdeployed\tplatform-0.1.0\t0.1.0\n")
    lines = up(machine)
    for words in (
        "context     prod-eu",
        "server      https://api.example.com:6443",
        "namespace   store-platform",
        "release     urumi store-platform 7 2026-11-25 deployed platform-0.1.0 0.1.0",
    ):
        assert f"      {words}" in lines


def test_every_change_is_bound_to_the_context_that_was_shown(machine: Machine) -> None:
    machine.set(NAMESPACE_CODE="1")
    up(machine)
    assert len(machine.changes) == 2
    assert all("--context prod-eu" in line or "--kube-context prod-eu" in line for line in machine.changes)
    assert machine.place.remembered() == ("current", "prod-eu")


def test_own_values_follow_those_for_production(machine: Machine) -> None:
    (machine.place.root / "my.yaml").touch()
    up(machine, "my.yaml")
    [upgrade] = [line for line in machine.calls if " upgrade " in line]
    assert upgrade.endswith("--values charts/platform/values-prod.yaml --values my.yaml")


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        (
            {"CONTEXT": ""},
            "kubectl has no current context. Choose one: kubectl config use-context NAME. Another file than"
            " ~/.kube/config needs KUBECONFIG.",
        ),
        ({"API_CODE": "1"}, "The API server https://api.example.com:6443 of the context prod-eu does not respond"),
        ({"TEMPLATE_FAILS": "1"}, "The values do not fit the chart: see Helm's message above. Pass yours with"),
    ],
)
def test_a_failed_check_ends_the_run_before_anything_is_changed(
    machine: Machine, environ: dict[str, str], words: str
) -> None:
    machine.set(**environ)
    assert failure(machine).startswith(words)
    assert machine.changes == []
    assert machine.place.remembered() == ("", "")


def test_a_missing_values_file_is_named(machine: Machine) -> None:
    expected = f"Values file not found: {machine.place.root / 'other.yaml'}. A relative path starts at the checkout."
    assert failure(machine, "other.yaml") == expected


def test_helms_reason_is_printed_above_the_message_about_the_values(machine: Machine) -> None:
    machine.set(TEMPLATE_FAILS="1")
    failure(machine)
    assert machine.console.lines[-1] == "Error: bad value"


def test_with_rbac_no_token_is_created(machine: Machine) -> None:
    lines = up(machine)
    assert [line for line in machine.changes if "secret" in line] == []
    assert any(line.startswith("Token:  kubectl -n store-platform create token ACCOUNT") for line in lines)


@pytest.mark.parametrize(("code", "count"), [("1", 1), ("0", 0)], ids=["missing", "there"])
def test_a_shared_token_is_created_once(machine: Machine, code: str, count: int) -> None:
    machine.answer("objects", WITH_TOKEN)
    machine.set(TOKEN_CODE=code)
    lines = up(machine)
    assert len([line for line in machine.changes if "create secret" in line]) == count
    assert any(line.startswith("Token:  kubectl -n store-platform get secret") for line in lines)


def test_a_cluster_with_everything_gets_no_note(machine: Machine) -> None:
    machine.answer("objects", SETTINGS)
    machine.answer("storageclasses", named("fast"))
    machine.answer("ingressclasses", named("nginx", "traefik"))
    machine.answer("nodes", json.dumps({"items": [{"status": {"nodeInfo": {"kubeletVersion": "v1.36.1+k3s1"}}}]}))
    machine.answer("daemonsets", named())
    assert notes(machine) == []


@pytest.mark.parametrize(
    ("answers", "note"),
    [
        ({"storageclasses": named("slow")}, "Note: the cluster has no default storage class. Set config.STORAGE_CLASS"),
        ({"ingressclasses": named()}, "Note: the cluster has no ingress class, so no ingress controller serves"),
        (
            {"objects": SETTINGS, "storageclasses": named("slow", "slower", **DEFAULT)},
            "Note: the storage class fast of config.STORAGE_CLASS does not exist; the cluster has slow, slower.",
        ),
        (
            {"objects": SETTINGS, "ingressclasses": named("nginx")},
            "Note: the ingress class traefik of config.INGRESS_CLASS does not exist; the cluster has nginx.",
        ),
        (
            {
                "nodes": json.dumps({"items": [{"status": {"nodeInfo": {"kubeletVersion": "v1.36.1"}}}]}),
                "daemonsets": named(),
            },
            "Note: no known network plugin that enforces NetworkPolicies was found.",
        ),
    ],
)
def test_what_the_shops_need_and_the_cluster_lacks_is_noted(
    machine: Machine, answers: dict[str, str], note: str
) -> None:
    for name, text in answers.items():
        machine.answer(name, text)
    [found] = notes(machine)
    assert found.startswith(note)


def test_a_known_network_plugin_gets_no_note(machine: Machine) -> None:
    machine.answer("nodes", json.dumps({"items": [{"status": {"nodeInfo": {"kubeletVersion": "v1.36.1"}}}]}))
    spec = {"template": {"spec": {"containers": [{"image": "quay.io/cilium/cilium:v1.19.1"}]}}}
    machine.answer("daemonsets", json.dumps({"items": [{"metadata": {"name": "cilium"}, "spec": spec}]}))
    assert notes(machine) == []


def test_a_user_who_may_not_list_gets_no_false_note(machine: Machine) -> None:
    """No substitute answers here, as for a user without the permissions."""
    assert notes(machine) == []


def test_down_changes_nothing_and_prints_the_commands(machine: Machine) -> None:
    up(machine)
    before = machine.changes
    CurrentCluster().down(machine.place, purge=False)
    assert "  helm --kube-context prod-eu -n store-platform uninstall urumi" in machine.console.lines
    assert machine.changes == before


@pytest.mark.parametrize(
    ("environ", "code", "words"),
    [
        ({}, 0, "server                   running, 2 pods ready"),
        ({"READY": "0"}, 1, "server                   not ready: no pod yet"),
        ({"DEPLOYMENT_CODE": "1"}, 3, "release                  none yet; urumi will be installed"),
    ],
)
def test_the_status_is_that_of_the_servers_pods(
    machine: Machine, environ: dict[str, str], code: int, words: str
) -> None:
    machine.place.remember("current", "prod-eu")
    machine.set(**environ)
    assert CurrentCluster().status(machine.place) == code
    assert "cluster                  context prod-eu, namespace store-platform" in machine.console.lines
    assert machine.console.lines[-1] == words
