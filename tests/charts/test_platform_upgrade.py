"""The upgrade from the previous version of the chart and the rollback, with a store and a running reconciler.

    previous chart -> store Ready -> this chart -> another configuration -> rollback -> this chart again

The previous version is this chart with a lower version and a Store definition that lacks a field, so that CI needs no
history. The pods of the release are simulated; the reconciler is a real server. All tests read the results of one run,
which the fixture `states` makes.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.local.cluster import ClusterInfo
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from tests.charts.conftest import CHARTS, Tools
from tests.conftest import CRD
from urumi.store import namespace_name

STORE_ID = "upgraded"
DEFINITION = "stores.stores.urumi.ai"


@dataclass(frozen=True)
class Snapshot:
    """The state of the platform and of the store at one moment."""

    definition: Any
    platform: Any
    pods: frozenset[str]
    store: Any
    workloads: dict[str, tuple[str, int]]
    releases: frozenset[str]


@dataclass(frozen=True)
class States:
    """The states, and the responses of the API server to a new field before and after."""

    before: Snapshot
    upgraded: Snapshot
    configured: Snapshot
    rolled_back: Snapshot
    again: Snapshot
    field_at_first: str
    field_at_last: str


class Release:
    """The release `urumi` in its own namespace, and the store."""

    def __init__(self, tools: Tools, kubectl: Kubectl, server: ServerProcess) -> None:
        self._tools = tools
        self._kubectl = kubectl
        self._server = server

    def helm(self, verb: str, *arguments: str) -> None:
        """Run Helm and wait until the platform's pods are the wanted ones."""
        done = self._tools.helm(verb, "urumi", *arguments, "--namespace", self._server.namespace, "--force-conflicts")
        assert done.exit_code == 0, done.stderr
        where = ("-n", self._server.namespace, "--timeout=90s")
        self._kubectl.run("rollout", "status", "deployment/urumi", *where)
        wait_for(lambda: len(self._pods()) == 2, "the pods of before to be gone")
        self._kubectl.run("wait", "--for=condition=Established", f"crd/{DEFINITION}", "--timeout=90s")

    def snapshot(self) -> Snapshot:
        """Read the whole state."""
        store = self._server.wait_for_phase(STORE_ID, "Ready")
        namespace = namespace_name(STORE_ID)
        found = [
            item
            for kind in ("deployments", "statefulsets")
            for item in json.loads(self._kubectl.run("get", kind, "-n", namespace, "-o", "json"))["items"]
        ]
        return Snapshot(
            definition=self._kubectl.get("crd", DEFINITION),
            platform=self._kubectl.get("deployment", "urumi", self._server.namespace),
            pods=self._pods(),
            store=store,
            workloads={
                each["metadata"]["name"]: (each["metadata"]["uid"], each["metadata"]["generation"]) for each in found
            },
            releases=frozenset(name for name in self._kubectl.names("secret", namespace) if name.startswith("sh.helm")),
        )

    def try_new_field(self) -> str:
        """Return the API server's response to a store with the field that the previous definition lacks."""
        spec = {"storeId": "with-host", "engine": "medusa", "host": "shop.example.com"}
        meta = {"name": "with-host", "namespace": self._server.namespace}
        store = {"apiVersion": "stores.urumi.ai/v1alpha1", "kind": "Store", "metadata": meta, "spec": spec}
        return self._kubectl.attempt("create", "--validate=strict", "--dry-run=server", "-f", "-", given=store).stderr

    def _pods(self) -> frozenset[str]:
        listed = self._kubectl.run(
            "get", "pods", "-n", self._server.namespace, "-l", "app.kubernetes.io/name=urumi", "-o", "json"
        )
        return frozenset(pod["metadata"]["uid"] for pod in json.loads(listed)["items"])


def previous_version(folder: Path) -> Path:
    """Return the chart as it might have been one version ago."""
    chart = folder / "platform"
    shutil.copytree(CHARTS / "platform", chart)
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    (chart / "Chart.yaml").write_text(yaml.safe_dump(about | {"version": "0.0.9"}))
    definition = yaml.safe_load(CRD.read_text())
    del definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["host"]
    (chart / "files" / "stores.yaml").write_text(yaml.safe_dump(definition))
    return chart


@pytest.fixture(scope="module")
def states(local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[States]:
    """The whole run, once; afterwards the cluster has the repository's Store definition again."""
    this, previous = str(CHARTS / "platform"), str(previous_version(tmp_path_factory.mktemp("previous")))
    tools = Tools(local_cluster, tmp_path_factory.mktemp("helm"))
    try:
        with ServerProcess(local_cluster, kubectl, tmp_path_factory.mktemp("server")) as server:
            release = Release(tools, kubectl, server)
            release.helm("install", previous, "--take-ownership")
            field_at_first = release.try_new_field()
            server.create(STORE_ID)
            before = release.snapshot()
            release.helm("upgrade", this)
            upgraded = release.snapshot()
            release.helm("upgrade", this, "--set", "config.MAX_ACTIVE_STORES=7")
            configured = release.snapshot()
            release.helm("rollback", "1")
            rolled_back = release.snapshot()
            release.helm("upgrade", this)
            again = release.snapshot()
            field_at_last = release.try_new_field()
            server.call("DELETE", f"/stores/{STORE_ID}")
            server.wait_until_gone(STORE_ID)
            tools.helm("uninstall", "urumi", "--namespace", server.namespace)
            yield States(before, upgraded, configured, rolled_back, again, field_at_first, field_at_last)
    finally:
        kubectl.run("apply", "--server-side", "--force-conflicts", "-f", str(CRD))


def template(snapshot: Snapshot) -> Any:
    """Return the pod template of the platform."""
    return snapshot.platform["spec"]["template"]


def test_a_new_version_of_the_chart_alone_restarts_nothing(states: States) -> None:
    assert states.before.platform["metadata"]["labels"]["helm.sh/chart"] == "platform-0.0.9"
    assert states.upgraded.platform["metadata"]["labels"]["helm.sh/chart"] != "platform-0.0.9"
    assert states.upgraded.platform["metadata"]["generation"] == states.before.platform["metadata"]["generation"]
    assert states.upgraded.pods == states.before.pods


def test_a_changed_configuration_restarts_the_platform(states: States) -> None:
    assert template(states.configured) != template(states.upgraded)
    assert not states.configured.pods & states.upgraded.pods


def test_the_definition_is_upgraded_in_place_and_rolled_back(states: States) -> None:
    snapshots = (states.before, states.upgraded, states.configured, states.rolled_back, states.again)

    def has_field(snapshot: Snapshot) -> bool:
        schema = snapshot.definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        return "host" in schema["properties"]["spec"]["properties"]

    assert [has_field(snapshot) for snapshot in snapshots] == [False, True, True, False, True]
    assert len({snapshot.definition["metadata"]["uid"] for snapshot in snapshots}) == 1


def test_the_api_server_knows_the_new_field_after_the_upgrade(states: States) -> None:
    assert 'unknown field "spec.host"' in states.field_at_first
    assert states.field_at_last == ""


def test_a_rollback_restores_the_previous_state(states: States) -> None:
    assert template(states.rolled_back) == template(states.before)
    assert states.rolled_back.platform["metadata"]["labels"]["helm.sh/chart"] == "platform-0.0.9"


def test_the_store_and_its_objects_are_unchanged(states: States) -> None:
    for snapshot in (states.upgraded, states.configured, states.rolled_back, states.again):
        assert snapshot.store["uid"] == states.before.store["uid"]
        assert snapshot.workloads == states.before.workloads
        assert snapshot.releases == states.before.releases
        # Ready all the time: the condition did not change.
        assert snapshot.store["conditions"] == states.before.store["conditions"]
        assert snapshot.store["events"] == states.before.store["events"]
