"""What the engine reports is read from Docker's output; why it does not respond, from its socket or its own words."""

import json
import socket
from pathlib import Path

import pytest

from cluster.kind.docker import Docker
from cluster.kind.engine import Engine, Silence
from tests.cluster.kind.conftest import Setup
from tests.cluster.kind.facts import ENDPOINT, INFO, VERSION


def engine_of(info: object, version: object = VERSION, endpoint: str = ENDPOINT) -> Engine:
    """Return the engine that these outputs describe."""
    engine = Engine.read(endpoint, json.dumps(info), json.dumps(version))
    assert engine is not None
    return engine


def silence(setup: Setup) -> Silence:
    """Return why there is no engine."""
    engine = Docker().engine()
    assert isinstance(engine, Silence)
    return engine


def test_an_engine_is_read_from_both_outputs() -> None:
    engine = engine_of(INFO)
    assert (engine.version, engine.client_version, engine.cgroup_version) == ("28.2.2", "28.2.2", "2")
    assert engine.has_buildx
    assert engine.limits_resources
    assert not engine.rootless
    assert not engine.is_podman


def test_a_rootless_engine_without_a_cgroup_driver_limits_nothing() -> None:
    options = ["name=seccomp,profile=builtin", "name=rootless", "name=cgroupns"]
    engine = engine_of({**INFO, "SecurityOptions": options, "CgroupDriver": "none"})
    assert engine.rootless
    assert not engine.limits_resources


@pytest.mark.parametrize(
    ("info", "version"),
    [
        ({"host": {"arch": "amd64"}, "store": {}, "version": {"Version": "5.4.2"}}, {}),
        (INFO, {"Client": {"Version": "28.2.2"}, "Server": {"Components": [{"Name": "Podman Engine"}]}}),
    ],
)
def test_podman_is_recognized_by_its_format_and_by_its_name(info: object, version: object) -> None:
    assert engine_of(info, version).is_podman


@pytest.mark.parametrize("text", ["", "Server Version: 28", "[]", '{"ServerErrors": ["Cannot connect"]}'])
def test_other_output_is_not_an_engine(text: str) -> None:
    assert Engine.read(ENDPOINT, text, "") is None


def test_the_address_is_docker_host_before_the_context(setup: Setup) -> None:
    setup.set(ENDPOINT="unix:///run/user/1000/docker.sock")
    engine = Docker().engine()
    assert isinstance(engine, Engine)
    assert engine.endpoint == "unix:///run/user/1000/docker.sock"
    setup.set(DOCKER_HOST="tcp://127.0.0.1:2375")
    engine = Docker().engine()
    assert isinstance(engine, Engine)
    assert engine.endpoint == "tcp://127.0.0.1:2375"


@pytest.mark.parametrize("endpoint", ["tcp://build.example.com:2376", "ssh://me@build"])
@pytest.mark.parametrize("variable", ["DOCKER_HOST", "ENDPOINT"])
def test_an_engine_of_another_machine_is_not_even_asked(setup: Setup, endpoint: str, variable: str) -> None:
    setup.set(**{variable: endpoint})
    found = silence(setup)
    assert found.sentence.startswith(f"Docker's engine is at {endpoint}, not on this machine: the shops would be on")
    assert found.hint.startswith("Run ./setup.sh there, or select an engine of this machine")
    assert not any(call.startswith("docker info") for call in setup.calls("docker"))


def test_a_machine_without_docker_is_recognized(setup: Setup) -> None:
    (setup.bin / "docker").unlink()
    assert silence(setup) == Silence(False, "Docker is not installed, and kind needs it.")


@pytest.mark.parametrize("code", ["0", "1"])
def test_an_engine_that_is_not_running_is_told_by_its_socket(setup: Setup, tmp_path: Path, code: str) -> None:
    # Docker 20 ends with 0 and the error in its output, newer ones with 1.
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    setup.answer("info", {"ServerErrors": ["Cannot connect to the Docker daemon"]})
    setup.set(DOCKER_CODE=code, ENDPOINT=f"unix://{path}")
    found = silence(setup)
    assert found.sentence == f"Docker is installed, but no engine listens at unix://{path}, and kind needs one."
    assert found.hint.startswith("Start it: sudo systemctl start docker")


def test_a_socket_that_this_user_may_not_use_is_told(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: socket.socket, address: str) -> None:
        raise PermissionError(13, "Permission denied")

    # Root may use every socket, and the tests also run as root.
    monkeypatch.setattr(socket.socket, "connect", refuse)
    setup.answer("info", {"ServerErrors": ["permission denied"]})
    setup.set(ENDPOINT="unix:///var/run/docker.sock")
    found = silence(setup)
    assert found.sentence == "Docker's engine runs, but you may not use its socket /var/run/docker.sock."
    assert "sudo usermod -aG docker" in found.hint


def test_other_reasons_are_quoted(setup: Setup, tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    setup.answer("info", {})
    setup.set(DOCKER_CODE="1", INFO_SAYS="Docker Desktop is manually paused.", ENDPOINT=f"unix://{path}")
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(path))
        engine.listen()
        found = silence(setup)
    assert found.sentence == (
        f"Docker does not respond at unix://{path}, and kind needs it: Docker Desktop is manually paused."
    )


def test_an_engine_that_hangs_is_given_up(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster.kind.docker.ANSWER_SECONDS", 0.2)
    setup.put("docker", "#!/bin/bash\nread -t 30 <>/dev/udp/127.0.0.1/9\n")
    found = silence(setup)
    assert found.installed
    assert "does not respond within" in found.sentence


def test_a_snap_gets_a_folder_for_temporary_files_that_it_can_read(setup: Setup, tmp_path: Path) -> None:
    setup.set(DOCKER_DEFAULT_PLATFORM="linux/arm64")
    (setup.bin / "docker").unlink()
    setup.put("snap", "#!/bin/sh\n")
    (setup.bin / "docker").symlink_to(setup.bin / "snap")
    environ = Docker().environ()
    assert environ["TMPDIR"] == str(tmp_path / "snap" / "docker" / "common" / "urumi")
    assert Path(environ["TMPDIR"]).is_dir()
    assert "DOCKER_DEFAULT_PLATFORM" not in environ
