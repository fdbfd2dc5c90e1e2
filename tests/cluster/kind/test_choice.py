"""When kind is the cluster of a first run, what is said if it is not, and what the doctor reports."""

import pytest

from cluster.kind.choice import docker_check, kind_is_default
from tests.cluster.kind.conftest import Setup


def test_kind_is_the_default_if_docker_responds(setup: Setup) -> None:
    assert kind_is_default(setup.place) == (True, "")


def test_a_machine_without_docker_uses_the_local_cluster_without_a_word(setup: Setup) -> None:
    (setup.bin / "docker").unlink()
    assert kind_is_default(setup.place) == (False, "")


def test_an_engine_that_cannot_run_kind_is_not_the_default_and_says_why(setup: Setup) -> None:
    setup.set(DOCKER_HOST="tcp://10.0.0.5:2375")
    is_default, sentence = kind_is_default(setup.place)
    assert not is_default
    assert sentence.startswith("Docker's engine is at tcp://10.0.0.5:2375, not on this machine")
    assert "Using the local cluster, whose containers are simulated. For kind: Run ./setup.sh there" in sentence
    assert sentence.endswith("Then run ./setup.sh down and ./setup.sh --cluster kind.")


def test_a_client_without_an_engine_is_not_the_default_and_says_why(setup: Setup) -> None:
    setup.answer("info", {})
    setup.set(DOCKER_CODE="1")
    is_default, sentence = kind_is_default(setup.place)
    assert (is_default, sentence) == (
        False,
        "Docker is installed, but no engine listens at unix:///nowhere.sock, and kind needs one."
        " Using the local cluster, whose containers are simulated. For kind: Start it: sudo systemctl start docker, or"
        " Docker Desktop. Then run ./setup.sh down and ./setup.sh --cluster kind.",
    )


def test_a_taken_port_does_not_select_another_cluster(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster.kind.troubles.ports.something_listens", lambda port: True)
    assert kind_is_default(setup.place) == (True, "")


def test_the_doctor_reports_the_engine_and_its_troubles(setup: Setup) -> None:
    engine, *others = docker_check(setup.place)
    assert engine.sentence == "Docker 28.2.2 responds at unix:///nowhere.sock, with cgroup v2."
    assert [finding for finding in others if finding.level == "problem"] == []
    setup.set(DOCKER_HOST="tcp://10.0.0.5:2375")
    assert [finding.level for finding in docker_check(setup.place)] == ["note"]
    setup.set(DOCKER_HOST="", HTTPS_PROXY="http://127.0.0.1:3128")
    assert "problem" in [finding.level for finding in docker_check(setup.place)]
    setup.set(URUMI_HTTP_PORT="x")
    assert [finding.level for finding in docker_check(setup.place)] == ["problem"]
    (setup.bin / "docker").unlink()
    setup.set(URUMI_HTTP_PORT="8080")
    assert [finding.level for finding in docker_check(setup.place)] == ["ok"]
