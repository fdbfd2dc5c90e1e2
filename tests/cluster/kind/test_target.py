"""The way to Urumi on kind: which calls are made in which order, what a second run leaves alone, and the messages."""

import json
import re
import socket
from typing import Any

import pytest
import yaml

from cluster.doctor.report import raise_problems
from cluster.errors import ClusterError, KindError, ObstacleError
from cluster.kind.target import WITHOUT, KindTarget
from cluster.programs.binaries import Binaries, Recipe
from cluster.target import Options
from tests.cluster.kind.conftest import PINNED, Setup
from tests.cluster.kind.facts import INFO

KIND = KindTarget()


def up(setup: Setup) -> None:
    """Do what setup.sh does for the chosen cluster."""
    raise_problems(KIND.obstacles(setup.place))
    KIND.up(setup.place, Options())


def without_details(calls: list[str]) -> list[str]:
    """Return calls of kind without the variables that the substitute appends."""
    return [call.partition(" (provider")[0] for call in calls]


def obstacle(setup: Setup) -> str:
    """Return the sentence with which a run ends before it changes anything."""
    with pytest.raises(ObstacleError) as caught:
        up(setup)
    assert setup.changes == []
    assert not (setup.state / "where").exists()
    return caught.value.sentence()


def failure(setup: Setup) -> str:
    """Return the sentence with which a run fails."""
    with pytest.raises(ClusterError) as caught:
        up(setup)
    return caught.value.sentence()


def test_the_cluster_the_images_the_ingress_controller_and_the_release_follow_each_other(setup: Setup) -> None:
    up(setup)
    kubeconfig = f"--kubeconfig {setup.state}/kind.kubeconfig"
    create, export, *loads = without_details(setup.calls("kind"))
    assert create == f"kind create cluster --name urumi --config {setup.state}/kind.json --wait 180s {kubeconfig}"
    assert export == f"kind export kubeconfig --name urumi {kubeconfig}"
    builds = [call for call in setup.calls("docker") if call.startswith("docker build")]
    [tag] = re.findall(r"--tag urumi/urumi:(0\.1\.0-[0-9a-f]{12}) ", builds[0])
    assert "--tag urumi/woocommerce:10.5.1 " in builds[1]
    assert loads == [
        f"kind load docker-image --name urumi urumi/urumi:{tag}",
        "kind load docker-image --name urumi urumi/woocommerce:10.5.1",
    ]
    [helm] = setup.calls("helm")
    assert helm == (
        f"helm {kubeconfig} upgrade --install urumi charts/platform --namespace store-platform --take-ownership"
        f" --force-conflicts --values charts/platform/values-local.yaml --set-string image.tag={tag}"
        f" --set config.STORE_PORT={setup.ports['http']}"
    )
    order = [call.split()[0] for call in setup.changes]
    assert order == ["kind", "docker", "kind", "docker", "kind", "kubectl", "helm"]


def test_kind_and_docker_do_not_see_other_providers_or_platforms(setup: Setup) -> None:
    setup.set(KIND_EXPERIMENTAL_PROVIDER="podman", DOCKER_DEFAULT_PLATFORM="linux/arm64")
    up(setup)
    assert all(call.endswith("(provider none, platform none)") for call in setup.calls("kind"))


def test_it_ends_with_urls_a_token_and_the_next_commands(setup: Setup) -> None:
    up(setup)
    port = setup.ports["http"]
    assert f"Urumi:  http://urumi.localhost:{port}/" in setup.lines
    assert "Token:  the-token" in setup.lines
    assert "Next:   .venv/bin/urumi-tui" in setup.lines
    # The commands on this machine read the server and the token from files; every system knows the name localhost.
    assert json.loads((setup.state / "server.json").read_text())["url"] == f"http://localhost:{port}"
    assert (setup.state / "token").stat().st_mode & 0o077 == 0


def test_the_usual_ports_are_not_part_of_an_address(setup: Setup) -> None:
    setup.have_node("running")
    setup.set(URUMI_HTTP_PORT="80", URUMI_HTTPS_PORT="443")
    up(setup)
    assert "Urumi:  http://urumi.localhost/" in setup.lines
    assert json.loads((setup.state / "server.json").read_text())["url"] == "http://localhost"
    assert "STORE_PORT" not in setup.calls("helm")[0]


def test_the_token_is_passed_on_standard_input_only(setup: Setup) -> None:
    up(setup)
    [secret] = [line for line in setup.all_calls if re.fullmatch(r"[\w-]{43}", line)]
    assert "\n".join(setup.all_calls).count(secret) == 1


def test_an_existing_token_is_kept(setup: Setup) -> None:
    setup.set(TOKEN_CODE="0")
    up(setup)
    assert not any("create secret" in call for call in setup.calls("kubectl"))


@pytest.mark.parametrize("name", ["URUMI_BASE_DOMAIN", "BASE_DOMAIN"])
def test_a_chosen_base_domain_reaches_the_chart(setup: Setup, name: str) -> None:
    setup.set(**{name: "shops.test"})
    up(setup)
    assert "--set-string config.BASE_DOMAIN=shops.test" in setup.calls("helm")[0]


def test_without_a_choice_the_shops_keep_their_domain(setup: Setup) -> None:
    setup.set(DOMAIN="127.0.0.1.nip.io")
    up(setup)
    assert "--set-string config.BASE_DOMAIN=127.0.0.1.nip.io" in setup.calls("helm")[0]


def test_the_second_run_creates_no_second_cluster_and_keeps_the_ports(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.have_node("running", 8080, 8443)
    for name in ("URUMI_HTTP_PORT", "URUMI_HTTPS_PORT"):
        monkeypatch.delenv(name)
    up(setup)
    assert "      The kind cluster urumi is already running." in setup.lines
    assert not any(call.startswith("kind create") for call in setup.changes)
    assert "Urumi:  http://urumi.localhost:8080/" in setup.lines


@pytest.mark.parametrize(("state", "verb"), [("exited", "start"), ("created", "start"), ("paused", "unpause")])
def test_a_stopped_cluster_is_started_with_its_data(setup: Setup, state: str, verb: str) -> None:
    setup.have_node(state, setup.ports["http"], setup.ports["https"])
    up(setup)
    assert setup.changes[0] == f"docker {verb} urumi-control-plane"
    assert not any(call.startswith("kind create") for call in setup.changes)


def test_an_interrupted_creation_is_repeated(setup: Setup) -> None:
    setup.have_node("running", setup.ports["http"], setup.ports["https"])
    (setup.state / "kind.kubeconfig").rename(setup.state / "kind.json")
    up(setup)
    assert [call.split()[1] for call in setup.changes[:2]] == ["delete", "create"]


def config_of(setup: Setup) -> Any:
    """Return the configuration that kind was given."""
    up(setup)
    return yaml.safe_load((setup.state / "kind.json").read_text())


def test_the_node_publishes_its_ports_to_this_machine_only(setup: Setup) -> None:
    config = config_of(setup)
    [node] = config["nodes"]
    mapped = {(port["containerPort"], port["hostPort"], port["listenAddress"]) for port in node["extraPortMappings"]}
    assert mapped == {(80, setup.ports["http"], "127.0.0.1"), (443, setup.ports["https"], "127.0.0.1")}
    assert "image" not in node
    assert "kubeadmConfigPatches" not in config


def test_an_image_of_ones_own_is_that_of_the_node(setup: Setup) -> None:
    setup.set(URUMI_KIND_IMAGE="mirror.example.com/kindest/node:v1.37.0")
    assert config_of(setup)["nodes"][0]["image"] == "mirror.example.com/kindest/node:v1.37.0"


def test_on_cgroup_v1_the_kubelet_is_allowed_to_start(setup: Setup) -> None:
    setup.answer("info", {**INFO, "Name": socket.gethostname(), "CgroupVersion": "1"})
    [patch] = config_of(setup)["kubeadmConfigPatches"]
    assert yaml.safe_load(patch) == {"kind": "KubeletConfiguration", "failCgroupV1": False}


# --- Before anything is created


def test_without_docker_the_run_ends_with_the_other_way(setup: Setup) -> None:
    (setup.bin / "docker").unlink()
    assert obstacle(setup) == (
        "Docker is not installed, and kind needs it."
        " Without Docker, run ./setup.sh --cluster node (real shops; Linux, root) or ./setup.sh --cluster local"
    )


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"DOCKER_HOST": "ssh://me@build"}, "Docker's engine is at ssh://me@build, not on this machine"),
        ({"HTTPS_PROXY": "http://localhost:3128"}, "inside the node that address is the node itself"),
    ],
)
def test_a_trouble_ends_the_run_before_anything_is_created(setup: Setup, environ: dict[str, str], words: str) -> None:
    setup.set(**environ)
    sentence = obstacle(setup)
    assert words in sentence
    assert sentence.endswith(WITHOUT)


def test_a_taken_port_ends_the_run_with_the_container_that_has_it(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.kind.troubles.ports.something_listens", lambda port: port == setup.ports["http"])
    setup.set(PUBLISHER="old-proxy")
    http = setup.ports["http"]
    assert obstacle(setup) == (
        f"Port {http} of 127.0.0.1 is in use by the container old-proxy, and the shops need it. Free it, or"
        " choose other ports: URUMI_HTTP_PORT=8080 URUMI_HTTPS_PORT=8443 ./setup.sh --cluster kind. " + WITHOUT
    )


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"URUMI_HTTP_PORT": "http"}, "URUMI_HTTP_PORT must be a port number from 1 to 65535, got 'http'."),
        ({"URUMI_HTTPS_PORT": "70000"}, "URUMI_HTTPS_PORT must be a port number from 1 to 65535, got '70000'."),
        (
            {"URUMI_HTTP_PORT": "8080", "URUMI_HTTPS_PORT": "8080"},
            "URUMI_HTTP_PORT and URUMI_HTTPS_PORT must differ, got 8080 for both.",
        ),
    ],
)
def test_a_wrong_setting_ends_the_run_before_anything_is_created(
    setup: Setup, environ: dict[str, str], sentence: str
) -> None:
    setup.set(**environ)
    assert failure(setup) == sentence
    assert setup.changes == []


# --- Failures, down and status


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"KIND_FAILS": "create"}, "kind could not create the cluster: see its message above. Use the local cluster"),
        ({"KIND_FAILS": "load"}, "kind could not load urumi/urumi:0.1.0-"),
        ({"DOCKER_FAILS": "build"}, "docker could not build urumi/urumi:0.1.0-"),
        ({"TRAEFIK_CODE": "1"}, "Traefik is not ready after 180 s. Run: kubectl --kubeconfig "),
        ({"HELM_CODE": "1"}, "Helm could not install charts/platform"),
    ],
)
def test_a_failed_step_ends_the_run_with_one_sentence(setup: Setup, environ: dict[str, str], words: str) -> None:
    setup.set(**environ)
    assert failure(setup).startswith(words)


def test_another_version_of_kind_on_path_is_not_used(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    setup.put("built-kind", (setup.bin / "kind").read_text().replace('"kind $*', '"built $*'))
    (setup.bin / "built").mkdir()
    (setup.bin / "built-kind").rename(setup.bin / "built" / "kind")

    def build(cache: object, on_progress: object, say: object, recipe: Recipe) -> Binaries:
        assert [program.version for program in recipe.programs] == [f"v{PINNED}"]
        return Binaries(setup.bin / "built")

    monkeypatch.setattr("cluster.kind.kind.ensure_binaries", build)
    setup.set(KIND_IS="0.20.0")
    up(setup)
    assert setup.calls("kind") == []
    assert setup.calls("built")[0].startswith("built create cluster")


def test_a_kind_that_does_not_run_here_is_not_used(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    (setup.bin / "built").mkdir()
    (setup.bin / "kind").rename(setup.bin / "built" / "kind")
    setup.put("kind", "\x7fELF for other processors")
    monkeypatch.setattr("cluster.kind.kind.ensure_binaries", lambda *_: Binaries(setup.bin / "built"))
    up(setup)
    assert setup.calls("kind")[0].startswith("kind create cluster")


def test_down_stops_the_node_and_purge_deletes_it(setup: Setup) -> None:
    setup.have_node("running")
    assert KIND.is_up(setup.place)
    KIND.down(setup.place, purge=False)
    assert setup.changes == ["docker stop urumi-control-plane"]
    KIND.down(setup.place, purge=True)
    kubeconfig = f"{setup.state}/kind.kubeconfig"
    assert without_details(setup.calls("kind")) == [f"kind delete cluster --name urumi --kubeconfig {kubeconfig}"]
    assert list(setup.state.iterdir()) == []


def test_the_cluster_of_another_state_folder_is_neither_stopped_nor_deleted(setup: Setup) -> None:
    setup.have_node("running")
    (setup.state / "kind.kubeconfig").unlink()
    assert not KIND.is_up(setup.place)
    for purge in (False, True):
        KIND.down(setup.place, purge)
    assert setup.lines == [f"The kind cluster urumi belongs to another state folder than {setup.state}."] * 2
    assert KIND.status(setup.place) == 3
    assert setup.changes == []


def test_without_docker_nothing_is_deleted_from_the_state_folder(setup: Setup) -> None:
    setup.have_node("running")
    (setup.bin / "docker").unlink()
    KIND.down(setup.place, purge=False)
    assert KIND.status(setup.place) == 3
    assert setup.lines == [
        "The kind cluster is not running: Docker is not installed, and kind needs it.",
        "cluster                  kind, not running: Docker is not installed, and kind needs it.",
    ]
    with pytest.raises(KindError, match="cannot be deleted: Docker is not installed"):
        KIND.down(setup.place, purge=True)
    assert (setup.state / "kind.kubeconfig").exists()


def test_purge_without_a_node_needs_no_kind(setup: Setup) -> None:
    setup.state.mkdir()
    (setup.state / "kind.json").touch()
    KIND.down(setup.place, purge=True)
    assert list(setup.state.iterdir()) == []
    assert setup.calls("kind") == []


def test_down_of_a_stopped_node_changes_nothing(setup: Setup) -> None:
    setup.have_node("exited")
    assert not KIND.is_up(setup.place)
    KIND.down(setup.place, purge=False)
    assert setup.lines == ["The kind cluster is not running."]
    assert setup.changes == []


def test_status_reports_the_node_and_the_server(setup: Setup) -> None:
    assert KIND.status(setup.place) == 3
    setup.have_node("running", 8080)
    assert KIND.status(setup.place) == 0
    setup.set(READY="0")
    assert KIND.status(setup.place) == 1
    assert setup.lines == [
        "cluster                  kind, node absent",
        "cluster                  kind, node running",
        "server                   running at http://urumi.localhost:8080/, 2 pods ready",
        "cluster                  kind, node running",
        "server                   not ready: no pod yet",
    ]
