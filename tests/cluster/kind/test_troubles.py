"""Each trouble of a kind cluster has a sentence and a way around it, and a machine without troubles has none."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.doctor.finding import Finding
from cluster.kind import troubles
from cluster.kind.facts import Facts
from cluster.kind.node import Node
from cluster.kind.settings import Settings
from cluster.kind.troubles import ports, resources
from tests.cluster.kind.facts import GIB, FactsOf

NODE = Node("running", (("80/tcp", 18080), ("443/tcp", 18443), ("6443/tcp", 16443)), "2026-11-28T10:00:00")


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which this process listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def only(facts: Facts) -> Finding:
    """Return the only finding."""
    [finding] = troubles.find(facts)
    return finding


def made_here(facts: FactsOf) -> None:
    """Let the cluster be one of this state folder."""
    (facts.folder / "state").mkdir()
    (facts.folder / "state" / "kind.kubeconfig").touch()


def test_a_machine_without_troubles_has_no_findings(facts: FactsOf) -> None:
    assert troubles.find(facts()) == []


@pytest.mark.parametrize(
    ("engine", "sentence", "hint"),
    [
        ({"components": ("Podman Engine",)}, "Podman answers in place of Docker", "Install Docker Engine"),
        ({"version": "19.03.15"}, "Docker's engine is 19.03.15; kind needs 20.10 or newer.", "Upgrade Docker"),
        ({"client_version": "18.09.1"}, "Docker's client is 18.09.1; kind needs 20.10", "Upgrade Docker"),
        ({"os_type": "windows"}, "Docker runs windows containers; kind needs linux ones.", "Switch Docker Desktop"),
        ({"architecture": "riscv64"}, "Docker runs on riscv64; kind's node image exists for", "Set URUMI_KIND_IMAGE"),
        ({"rootless": True, "cgroup_version": "1"}, "Docker is rootless and uses cgroup v1", "Use a Docker that runs"),
        ({"rootless": True, "limits_resources": False}, "Docker is rootless and may not limit", "Put [Service] and"),
    ],
)
def test_an_engine_that_cannot_run_kind_is_a_problem_of_the_engine(
    facts: FactsOf, engine: dict[str, Any], sentence: str, hint: str
) -> None:
    [finding] = troubles.find(facts(**engine), troubles.ENGINE)
    assert finding.level == "problem"
    assert finding.sentence.startswith(sentence)
    assert finding.hint.startswith(hint)


@pytest.mark.parametrize(
    "engine",
    [
        {"version": "20.10.24+dfsg1", "client_version": "20.10.24+dfsg1", "has_buildx": False},
        {"version": "dev", "client_version": "master"},
        {"architecture": "aarch64"},
        {"endpoint": "tcp://127.0.0.1:2375"},
        {"endpoint": "npipe:////./pipe/docker_engine", "name": "docker-desktop", "kernel": "6.10.14-linuxkit"},
        {"rootless": True},
    ],
)
def test_an_unusual_engine_that_can_run_kind_has_no_findings(facts: FactsOf, engine: dict[str, Any]) -> None:
    assert troubles.find(facts(**engine)) == []


def test_an_image_of_ones_own_allows_another_architecture(facts: FactsOf) -> None:
    own = Settings(18080, 18443, image="registry.example.com/node:riscv64")
    assert troubles.find(facts(architecture="riscv64", settings=own)) == []


def test_an_engine_outside_of_this_container_is_a_problem(facts: FactsOf) -> None:
    inside = {"hostname": "f1c36b2a9d5e", "in_container": True}
    finding = only(facts(machine=inside))
    assert finding.sentence.startswith("This is a container, and Docker's engine (shop-machine) is outside of it")
    assert "docker-in-docker" in finding.hint
    assert troubles.find(facts(machine=inside, name="f1c36b2a9d5e")) == []


# --- Ports


def test_a_taken_port_names_its_program_and_both_ways_around(facts: FactsOf, taken_port: int) -> None:
    finding = only(facts(settings=Settings(taken_port, 18443)))
    assert finding.sentence.startswith(f"Port {taken_port} of 127.0.0.1 is in use by ")
    assert "(pid " in finding.sentence
    assert finding.hint.startswith("Free it, or choose other ports: URUMI_HTTP_PORT=")


def test_a_port_of_a_stopped_cluster_that_another_program_took_is_a_problem(facts: FactsOf, taken_port: int) -> None:
    made_here(facts)
    stopped = Node("exited", (("6443/tcp", taken_port),))
    finding = only(facts(node=stopped, settings=Settings()))
    assert "and the stopped kind cluster has it for its port 6443/tcp." in finding.sentence


def test_the_ports_of_a_running_cluster_are_not_taken(facts: FactsOf, taken_port: int) -> None:
    made_here(facts)
    running = Node("running", (("80/tcp", taken_port),))
    assert troubles.find(facts(node=running, settings=Settings())) == []


def test_the_ports_of_an_existing_cluster_cannot_be_changed(facts: FactsOf) -> None:
    made_here(facts)
    finding = only(facts(node=NODE, settings=Settings(8080)))
    assert "created with the ports 18080 and 18443, which cannot be changed to 8080 and 18443." in finding.sentence
    assert finding.hint.endswith("./setup.sh down --purge")
    assert troubles.find(facts(node=NODE, settings=Settings(18080))) == []


def test_a_rootless_engine_may_not_listen_on_low_ports(facts: FactsOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "something_listens", lambda port: False)
    finding = only(facts(rootless=True, settings=Settings()))
    assert finding.sentence == ("Docker is rootless and may not listen on port 80: the lowest port for users is 1024.")
    assert "URUMI_HTTP_PORT=8080 URUMI_HTTPS_PORT=8443 ./setup.sh --cluster kind" in finding.hint
    assert "sudo sysctl net.ipv4.ip_unprivileged_port_start=80" in finding.hint
    facts.set_sysctls(net__ipv4__ip_unprivileged_port_start=80)
    assert troubles.find(facts(rootless=True, settings=Settings())) == []


# --- Resources


@pytest.mark.parametrize(
    ("gib", "level", "shops"), [(1.8, "problem", 0), (2.1, "note", 1), (3.8, "note", 4), (6.4, "note", 9)]
)
def test_little_memory_is_reported_with_the_number_of_shops(facts: FactsOf, gib: float, level: str, shops: int) -> None:
    finding = only(facts(memory_bytes=int(gib * GIB)))
    assert finding.level == level
    assert finding.sentence == f"Docker has {gib} GiB of memory, enough for Kubernetes and about {shops} shops of 10."


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        ({"operating_system": "Docker Desktop", "kernel": "6.10.14-linuxkit"}, "Docker Desktop: Settings"),
        ({"kernel": "5.15.167.4-microsoft-standard-WSL2"}, ".wslconfig"),
        ({}, "Create fewer shops"),
    ],
)
def test_the_way_to_more_memory_depends_on_the_engine(facts: FactsOf, engine: dict[str, Any], words: str) -> None:
    assert words in only(facts(memory_bytes=4 * GIB, **engine)).hint


def test_a_full_disk_of_an_engine_on_this_machine_is_a_problem(
    facts: FactsOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "NEW_CLUSTER_DISK", 1 << 60)
    finding = only(facts(root_dir=str(tmp_path)))
    assert finding.sentence.startswith(f"Docker keeps its data in {tmp_path}, where ")
    assert troubles.find(facts(root_dir=str(tmp_path), kernel="6.10.14-linuxkit")) == []
    assert troubles.find(facts(root_dir=str(tmp_path / "elsewhere"))) == []


def test_the_usual_limit_of_inotify_is_reported_with_the_command(facts: FactsOf) -> None:
    facts.set_sysctls(fs__inotify__max_user_instances=128)
    finding = only(facts())
    assert finding.level == "note"
    assert finding.sentence == "fs.inotify.max_user_instances is 128, enough for about 7 shops of 10."
    assert "sudo sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288" in finding.hint
    assert "/etc/sysctl.d/" in finding.hint


def test_a_limit_of_inotify_that_kubernetes_exceeds_is_a_problem(facts: FactsOf) -> None:
    facts.set_sysctls(fs__inotify__max_user_instances=64)
    assert only(facts()).level == "problem"


def test_few_watches_are_reported(facts: FactsOf) -> None:
    facts.set_sysctls(fs__inotify__max_user_watches=8192)
    assert only(facts()).sentence == "fs.inotify.max_user_watches is 8192, which may be too few for 10 shops."


def test_the_limits_of_this_kernel_do_not_matter_to_an_engine_in_a_virtual_machine(facts: FactsOf) -> None:
    facts.set_sysctls(fs__inotify__max_user_instances=64)
    assert troubles.find(facts(kernel="6.10.14-linuxkit")) == []


def test_cgroup_v1_is_reported_and_needs_no_more_instances(facts: FactsOf) -> None:
    facts.set_sysctls(fs__inotify__max_user_instances=128)
    finding = only(facts(cgroup_version="1"))
    assert (finding.level, finding.subject) == ("note", "cgroup")
    assert "failCgroupV1: false" in finding.sentence


# --- Building and pulling


def test_a_client_without_buildkit_is_a_problem(facts: FactsOf) -> None:
    finding = only(facts(client_version="26.1.5", has_buildx=False))
    assert finding.sentence == "Docker 26.1.5 has no plugin buildx, and the images are built with BuildKit."
    assert finding.hint.startswith("Install it (docker-buildx")


@pytest.mark.parametrize("checkout", ["/srv/urumi", "{home}/.cache/urumi"])
def test_a_checkout_that_a_snap_cannot_read_is_a_problem(facts: FactsOf, tmp_path: Path, checkout: str) -> None:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    (tmp_path / "snap").write_text("#!/bin/sh\n")
    (tmp_path / "snap").chmod(0o755)
    program.symlink_to(tmp_path / "snap")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(program.parent))
        facts = FactsOf(tmp_path)
    assert troubles.find(facts()) == []
    object.__setattr__(moved := facts(), "root", Path(checkout.format(home=tmp_path)))
    assert only(moved).sentence.startswith("Docker was installed as a snap, which cannot read ")


def test_a_credential_store_whose_program_is_gone_is_a_problem(facts: FactsOf) -> None:
    (facts.folder / ".docker").mkdir()
    (facts.folder / ".docker" / "config.json").write_text('{"auths": {}, "credsStore": "desktop.exe"}')
    finding = only(facts())
    assert "names the credential store 'desktop.exe', but there is no program docker-credential-" in finding.sentence
    (facts.folder / "docker-credential-desktop.exe").write_text("#!/bin/sh\n")
    (facts.folder / "docker-credential-desktop.exe").chmod(0o755)
    environ = {"HOME": str(facts.folder), "PATH": str(facts.folder)}
    assert troubles.find(facts(machine={"environ": environ})) == []


def test_a_proxy_on_the_loopback_address_is_a_problem_for_a_new_node(facts: FactsOf) -> None:
    machine = {"environ": {"https_proxy": "http://127.0.0.1:3128"}}
    finding = only(facts(machine=machine, proxy="http://proxy:3128"))
    assert finding.sentence.startswith("https_proxy is http://127.0.0.1:3128; inside the node")
    assert finding.hint.endswith("env -u https_proxy ./setup.sh")


def test_an_engine_without_the_proxy_of_its_user_is_reported(facts: FactsOf) -> None:
    machine = {"environ": {"HTTPS_PROXY": "http://proxy.example.com:3128"}}
    assert only(facts(machine=machine)).sentence.startswith("HTTPS_PROXY is set, but Docker's engine uses no proxy")
    assert troubles.find(facts(machine=machine, proxy="http://proxy.example.com:3128")) == []


def test_another_platform_is_ignored_and_reported(facts: FactsOf) -> None:
    finding = only(facts(machine={"environ": {"DOCKER_DEFAULT_PLATFORM": "linux/amd64"}}))
    assert finding.sentence.startswith("DOCKER_DEFAULT_PLATFORM=linux/amd64 is ignored")


# --- A cluster from before


def test_a_cluster_of_another_state_folder_is_not_touched(facts: FactsOf) -> None:
    finding = only(facts(node=NODE))
    assert finding.level == "problem"
    assert finding.sentence == (
        "The kind cluster urumi was created at 2026-11-28T10:00:00Z from another state folder than"
        f" {facts.folder}/state."
    )
    assert "URUMI_STATE_DIR" in finding.hint


def test_an_interrupted_creation_is_reported(facts: FactsOf) -> None:
    (facts.folder / "state").mkdir()
    (facts.folder / "state" / "kind.json").touch()
    assert only(facts(node=NODE)).level == "note"


def test_a_node_that_cannot_be_started_is_a_problem(facts: FactsOf) -> None:
    made_here(facts)
    assert "as dead: it cannot be started again." in only(facts(node=Node("dead"), settings=Settings())).sentence
