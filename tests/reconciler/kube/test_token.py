"""The token: reloaded when it is old or refused, kept if its source cannot be read."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from cluster.local.cluster import ClusterInfo
from reconciler.kube.client import Kube
from reconciler.kube.resources import NAMESPACES
from reconciler.kube.token import Token, kubeconfig_token
from testing.faults.proxy import write_kubeconfig
from testing.kubectl import Kubectl

pytestmark = pytest.mark.anyio


class Source:
    """A source of tokens that counts its reads."""

    def __init__(self) -> None:
        self.value = "Bearer first"
        self.error: Exception | None = None
        self.reads = 0

    async def read(self, force: bool) -> str:
        """Return the token."""
        self.reads += 1
        if self.error is not None:
            raise self.error
        return self.value


class Configuration:
    """The part of a client configuration that a token needs."""

    def __init__(self) -> None:
        self.api_key: dict[str, str] = {}


@pytest.fixture
def is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every token is old enough to be reloaded."""
    monkeypatch.setattr("reconciler.kube.token.RELOAD_SECONDS", -1.0)
    monkeypatch.setattr("reconciler.kube.token.MIN_RELOAD_SECONDS", -1.0)


async def test_a_fresh_token_is_not_reloaded() -> None:
    source = Source()
    token = Token("Bearer first", source.read)
    source.value = "Bearer second"
    assert await token.current() == "Bearer first"
    assert source.reads == 0


@pytest.mark.usefixtures("is_old")
async def test_an_old_token_is_reloaded() -> None:
    source = Source()
    token = Token("Bearer first", source.read)
    source.value = "Bearer second"
    assert await token.current() == "Bearer second"


@pytest.mark.usefixtures("is_old")
@pytest.mark.parametrize("error", [OSError("gone"), ValueError("half of it"), RuntimeError("a plugin failed")])
async def test_the_last_token_stays_in_use_if_the_source_cannot_be_read(error: Exception) -> None:
    source = Source()
    source.error = error
    assert await Token("Bearer first", source.read).current() == "Bearer first"


async def test_one_reload_is_enough_for_all_refused_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source()
    token = Token("Bearer first", source.read)
    assert not await token.renew("Bearer first")
    assert source.reads == 0, "it was read a moment ago"
    monkeypatch.setattr("reconciler.kube.token.MIN_RELOAD_SECONDS", -1.0)
    source.value = "Bearer second"
    assert [await token.renew("Bearer first") for _ in range(3)] == [True, True, True]
    assert source.reads == 1


@pytest.mark.usefixtures("is_old")
async def test_a_token_file_is_reloaded_without_its_newline(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1", {"tokenFile": str(file)})
    token = await kubeconfig_token(tmp_path / "config", Configuration())
    file.write_text("second\n")
    assert await token.current() == "Bearer second"
    file.unlink()
    assert await token.current() == "Bearer second"


@pytest.mark.usefixtures("is_old")
async def test_a_rewritten_kubeconfig_is_reloaded_when_its_token_is_refused(tmp_path: Path) -> None:
    write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1", {"token": "first"})
    token = await kubeconfig_token(tmp_path / "config", Configuration())
    write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1", {"token": "second"})
    assert await token.renew("Bearer first")
    assert await token.current() == "Bearer second"


@pytest.mark.usefixtures("is_old")
async def test_a_service_account_token_is_reloaded_inside_a_cluster(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config: Any = json.loads(kubectl.run("config", "view", "--raw", "-o", "json"))
    authority, file = tmp_path / "ca.crt", tmp_path / "token"
    authority.write_bytes(b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]))
    file.write_text("not one that anybody knows")
    host, port = local_cluster.server.removeprefix("https://").split(":")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    monkeypatch.setattr("kubernetes_asyncio.config.incluster_config.SERVICE_TOKEN_FILENAME", str(file))
    monkeypatch.setattr("kubernetes_asyncio.config.incluster_config.SERVICE_CERT_FILENAME", str(authority))
    kube = await Kube.connect()
    try:
        file.write_text(config["users"][0]["user"]["token"])
        assert await kube.get(NAMESPACES, "default")
    finally:
        await kube.close()
