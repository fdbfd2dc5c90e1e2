"""A kind cluster: when setup.sh selects it, how it calls Docker, kind, kubectl and Helm, and its messages.

All four are substitutes, so these tests cover the decisions of setup.sh. No test of the project runs a real Docker.
"""

import json
import re
import socket

import pytest
import yaml

from cluster.programs.binaries import Recipe
from testing.kubectl import Kubectl
from tests.setup.checkout import SOURCE, Checkout, sentence_of, write_program

KIND_FILES = SOURCE / "cluster" / "kind"
PINNED = re.findall(r"^\tsigs\.k8s\.io/kind v(\S+)", (KIND_FILES / "go.mod").read_text(), re.M)[0]

DOCKER = """\
#!/bin/bash
echo "docker $*" >>"$CALLS"
case "$1" in
    info) exit "${DOCKER_CODE:-0}" ;;
    inspect) [ -n "${NODE:-}" ] && echo "$NODE" ;;
esac
"""
KIND = f"""\
#!/bin/bash
[ "$1" != --version ] || {{ echo "kind version ${{KIND_IS:-{PINNED}}}" && exit; }}
echo "kind $*" >>"$CALLS"
[ "$1" != "${{KIND_FAILS:-}}" ]
"""
KUBECTL = """\
#!/bin/bash
echo "kubectl $*" >>"$CALLS"
case "$*" in
    *"get namespace"*) exit 1 ;;
    *"get secret urumi-token -o"*) echo dGhlLXRva2Vu ;;
    *"get secret urumi-token"*) exit "${TOKEN_CODE:-1}" ;;
    *"create secret"*) cat >>"$CALLS" && echo >>"$CALLS" ;;
    *"rollout status deployment/urumi"*) exit "${ROLLOUT_CODE:-0}" ;;
    *"get pods"*) echo "Pending ImagePullBackOff; " ;;
    *readyReplicas*) echo 2 ;;
esac
"""
HELM = """\
#!/bin/bash
[ "$1" != version ] || { echo "${HELM_IS:-v4.2.4}" && exit; }
echo "helm $*" >>"$CALLS"
exit "${HELM_CODE:-0}"
"""
IMAGES = """\
#!/bin/bash
echo "images $*" >>"$CALLS"
[ -z "${IMAGES_FAIL:-}" ] || exit 1
echo "server urumi/urumi:$2"
echo "woocommerce urumi/woocommerce:10.5.1"
"""


@pytest.fixture
def docker(checkout: Checkout) -> Checkout:
    """A machine with a running Docker, and kind, kubectl and Helm on PATH in the right versions."""
    for name, text in (("docker", DOCKER), ("kind", KIND), ("kubectl", KUBECTL), ("helm", HELM)):
        checkout.stand_in(name, text)
    write_program(checkout.root / "scripts" / "images", IMAGES)
    (checkout.root / "cluster" / "kind").mkdir(parents=True)
    (checkout.root / "cluster" / "kind" / "go.mod").write_text((KIND_FILES / "go.mod").read_text())
    (checkout.root / "charts" / "platform").mkdir()
    (checkout.root / "charts" / "platform" / "Chart.yaml").write_text('appVersion: "0.1.0"\n')
    script = checkout.root / "scripts" / "kind.sh"
    script.write_text(script.read_text().replace("for port in 80 443", f"for port in {checkout.port}"))
    return checkout


def test_with_docker_kind_is_selected_and_the_shops_are_real(docker: Checkout) -> None:
    done = docker.run()

    assert (done.code, done.err) == (0, "")
    kubeconfig = f"--kubeconfig {docker.state}/kind.kubeconfig"
    create, export, *loads = docker.calls("kind")
    assert create.startswith("kind create cluster --name urumi --config cluster/kind/cluster.yaml")
    assert create.endswith(f"{kubeconfig} --wait 180s")
    assert export == f"kind export kubeconfig --name urumi {kubeconfig}"
    [images] = docker.calls("images")
    tag = images.split()[-1]
    assert re.fullmatch(r"0\.1\.0-\d+", tag)
    assert loads == [
        f"kind load docker-image --name urumi urumi/urumi:{tag}",
        "kind load docker-image --name urumi urumi/woocommerce:10.5.1",
    ]
    [helm] = docker.calls("helm")
    assert helm == (
        f"helm {kubeconfig} upgrade --install urumi charts/platform --namespace store-platform --take-ownership"
        f" --force-conflicts --values charts/platform/values-local.yaml --set-string image.tag={tag}"
    )
    assert docker.calls("urumi") == docker.calls("build") == []


def test_it_ends_with_urls_a_token_and_the_next_commands(docker: Checkout) -> None:
    done = docker.run()

    assert "Urumi:  http://localhost/" in done.lines
    assert "Token:  the-token" in done.lines
    assert "Next:   .venv/bin/urumi-tui" in done.lines
    # The commands on this machine read the server and the token from files.
    assert json.loads((docker.state / "server.json").read_text())["url"] == "http://localhost"
    assert (docker.state / "token").stat().st_mode & 0o077 == 0


def test_the_token_is_passed_on_standard_input_only(docker: Checkout) -> None:
    docker.run()
    calls = docker.calls_file.read_text()
    assert "create secret generic urumi-token --from-file=token=/dev/stdin" in calls
    [secret] = [line for line in calls.splitlines() if re.fullmatch(r"[\w-]{43}", line)]
    assert calls.count(secret) == 1


def test_an_existing_token_is_kept(docker: Checkout) -> None:
    assert docker.run(TOKEN_CODE="0").code == 0
    assert [line for line in docker.calls("kubectl") if "create secret" in line] == []


def test_a_given_base_domain_reaches_the_chart(docker: Checkout) -> None:
    docker.run(BASE_DOMAIN="localhost")
    [helm] = docker.calls("helm")
    assert helm.endswith("--set-string config.BASE_DOMAIN=localhost")


def test_the_second_run_creates_no_second_cluster(docker: Checkout) -> None:
    docker.run()
    docker.calls("kind")
    done = docker.run(NODE="running")
    assert done.code == 0
    assert "      The kind cluster urumi is already running." in done.lines
    assert [line for line in docker.calls("kind") if line.startswith("kind create")] == []


def test_a_stopped_cluster_is_started_with_its_data(docker: Checkout) -> None:
    assert docker.run(NODE="exited").code == 0
    assert "docker start urumi-control-plane" in docker.calls("docker")
    assert [line for line in docker.calls("kind") if line.startswith("kind create")] == []


@pytest.mark.parametrize("code", ["1", "missing"])
def test_without_a_docker_engine_the_local_cluster_is_selected(docker: Checkout, code: str) -> None:
    if code == "missing":
        docker.without("docker")
    done = docker.run(DOCKER_CODE=code if code == "1" else "0")
    assert done.code == 0
    assert any("simulated containers" in line for line in done.lines)
    assert docker.calls("kind") == []
    assert docker.calls("build") == ["build all"]


def test_kind_without_docker_is_an_error(docker: Checkout) -> None:
    words = sentence_of(docker.run("--cluster", "kind", DOCKER_CODE="1"))
    assert words == "Docker does not respond, and kind needs it. Without Docker, run ./setup.sh --cluster local"


def test_the_local_cluster_can_be_selected_and_is_remembered(docker: Checkout) -> None:
    assert docker.run("--cluster", "local").code == 0
    assert docker.run("down").code == 0
    assert docker.run().code == 0
    assert docker.calls("kind") == []


def test_two_clusters_at_once_are_refused(docker: Checkout) -> None:
    docker.run("--cluster", "local")
    words = sentence_of(docker.run("--cluster", "kind"))
    assert words == "Urumi runs on the local cluster. Stop it first (./setup.sh down), then run this again."
    docker.run("down")
    assert docker.run("--cluster", "kind").code == 0
    words = sentence_of(docker.run("--cluster", "local", NODE="running"))
    assert words.startswith("Urumi runs on the kind cluster.")


def test_another_version_of_kind_on_path_is_not_used(docker: Checkout) -> None:
    write_program(docker.stand_ins / "programs" / "kind", KIND.replace("kind $*", "built kind $*"))
    assert docker.run(KIND_IS="0.20.0").code == 0
    assert docker.calls("build") == ["build kind"]
    assert docker.calls("kind") == []
    assert docker.calls("built kind")[0].startswith("built kind create cluster")


def test_an_old_helm_on_path_is_not_used(docker: Checkout) -> None:
    for name, text in (("kubectl", KUBECTL), ("helm", HELM)):
        write_program(docker.stand_ins / "programs" / name, text.replace(f'echo "{name}', f'echo "built {name}'))
    assert docker.run(HELM_IS="v3.20.1").code == 0
    assert docker.calls("build") == ["build clients"]
    assert docker.calls("helm") == []
    assert len(docker.calls("built helm")) == 1


def test_a_taken_port_is_reported_before_a_cluster_is_created(docker: Checkout) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", docker.port))
        other.listen()
        words = sentence_of(docker.run())
    assert words == (
        f"Port {docker.port} of 127.0.0.1 is in use, and the shops need it."
        " Free it, or use the local cluster without Docker: ./setup.sh --cluster local"
    )
    assert docker.calls("kind") == []


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"KIND_FAILS": "create"}, "kind could not create the cluster: see its message above. Without Docker, run"),
        ({"KIND_FAILS": "load"}, "kind could not load urumi/urumi:0.1.0-"),
        ({"IMAGES_FAIL": "yes"}, "The images could not be built"),
        ({"HELM_CODE": "1"}, "Helm could not install charts/platform"),
    ],
)
def test_a_failed_step_ends_the_run_with_one_sentence(docker: Checkout, environ: dict[str, str], words: str) -> None:
    assert sentence_of(docker.run(**environ)).startswith(words)


def test_a_server_that_does_not_start_reports_what_its_pods_wait_for(docker: Checkout) -> None:
    words = sentence_of(docker.run(ROLLOUT_CODE="1", URUMI_ROLLOUT_SECONDS="1"))
    assert "Pending ImagePullBackOff;" in words
    assert "helm -n store-platform rollback urumi" in words


def test_down_stops_the_node_and_purge_deletes_it(docker: Checkout) -> None:
    docker.run()
    docker.calls("docker")
    assert docker.run("down", NODE="running").code == 0
    assert "docker stop urumi-control-plane" in docker.calls("docker")
    docker.calls("kind")
    assert docker.run("down", "--purge").code == 0
    assert docker.calls("kind") == [f"kind delete cluster --name urumi --kubeconfig {docker.state}/kind.kubeconfig"]
    assert not docker.state.exists()


def test_status_reports_the_node_and_the_server(docker: Checkout) -> None:
    docker.run()
    done = docker.run("status", NODE="running")
    assert done.lines == [
        "cluster                  kind, node running",
        "server                   running at http://localhost/, 2 pods ready",
    ]
    assert (docker.run("status").code, docker.run("status").lines) == (
        3,
        ["cluster                  kind, node absent"],
    )


def test_kind_is_built_from_a_module_that_is_pinned_with_its_checksums() -> None:
    [program] = Recipe.read(KIND_FILES).programs
    assert (program.name, program.version) == ("kind", f"v{PINNED}")
    assert f"sigs.k8s.io/kind v{PINNED} h1:" in (KIND_FILES / "go.sum").read_text()


def test_only_what_a_client_needs_is_built_and_kept_apart() -> None:
    whole = Recipe.read()
    clients = whole.only("kubectl", "helm")
    assert {program.name for program in clients.programs} == {"kubectl", "helm"}
    assert clients.key != whole.key
    assert clients.linker_flags == whole.linker_flags


def test_the_node_publishes_its_ports_to_this_machine_only() -> None:
    config = yaml.safe_load((KIND_FILES / "cluster.yaml").read_text())
    ports = config["nodes"][0]["extraPortMappings"]
    assert {(port["containerPort"], port["hostPort"], port["listenAddress"]) for port in ports} == {
        (80, 80, "127.0.0.1"),
        (443, 443, "127.0.0.1"),
    }


def test_the_api_server_accepts_the_ingress_controller_and_the_shops_admit_it(kubectl: Kubectl) -> None:
    path = KIND_FILES / "traefik.yaml"
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
    values = yaml.safe_load((SOURCE / "charts" / "platform" / "values.yaml").read_text())
    assert "traefik" in values["config"]["INGRESS_NAMESPACES"].split()
