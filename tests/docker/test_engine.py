"""The engine is a machine of its own: the real one is not changed, and nothing is left of it."""

import subprocess
from pathlib import Path

import psutil
import pytest

from cluster.node.cgroups import mounts
from testing.docker.engine import Engine
from testing.docker.errors import DockerError

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


def rules() -> str:
    """Return the packet filter of the real machine."""
    return subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout


def traces(folder: Path) -> list[str]:
    """Return the processes of an engine, and the control groups of containers."""
    commands = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    groups = [path for point, _, _ in mounts() for path in Path(point).glob("urumi-docker-*/*")]
    return [each for each in commands if str(folder) in each] + list(map(str, groups))


def test_an_engine_uses_its_own_network_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("URUMI_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path_factory.mktemp("docker")
    before = rules()
    with Engine(folder, print) as engine:
        assert "DOCKER" in engine.run("nft", "list", "ruleset")
        assert rules() == before
        assert engine.run("getent", "ahostsv4", "shop-a.localhost").startswith("127.0.0.1")
        assert traces(folder)
        with pytest.raises(DockerError, match=r"^sh -c .* ended with 3:\nno such image"):
            engine.run("sh", "-c", "echo no such image >&2; exit 3")
    assert traces(folder) == []
    assert not folder.exists()
