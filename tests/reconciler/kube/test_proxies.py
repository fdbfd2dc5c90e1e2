"""The Kubernetes API on this machine, or of the pod's own cluster, is called directly, whatever proxy is set."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from reconciler.helm.runner import helm_environment
from reconciler.kube.client import Kube
from reconciler.kube.resources import NAMESPACES
from testing.proxy import RefusingProxy, refusing_proxy
from urumi.errors import ClusterUnreachable


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[RefusingProxy]:
    """A proxy for everything."""
    with refusing_proxy() as made:
        for name, value in made.variables.items():
            monkeypatch.setenv(name, value)
        yield made


def kubeconfig(folder: Path, server: str) -> Path:
    """Write a kubeconfig for an API server without TLS."""
    path = folder / "kubeconfig"
    names = {"name": "x", "context": {"cluster": "x", "user": "x"}}
    clusters = [{"name": "x", "cluster": {"server": server}}]
    config = {"clusters": clusters, "users": [{"name": "x", "user": {}}], "contexts": [names], "current-context": "x"}
    path.write_text(yaml.safe_dump(config))
    return path


@asynccontextmanager
async def connected(path: Path) -> AsyncIterator[Kube]:
    """A client that is closed at the end."""
    kube = await Kube.connect(path)
    try:
        yield kube
    finally:
        await kube.close()


@pytest.mark.anyio
async def test_an_api_server_on_loopback_is_called_directly(tmp_path: Path, proxy: RefusingProxy) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = json.dumps({"kind": "Namespace", "metadata": {"name": "default"}}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, connected(kubeconfig(tmp_path, f"http://localhost:{port}")) as kube:
        namespace = await kube.get(NAMESPACES, "default")
    assert namespace is not None
    assert proxy.requests == []


@pytest.mark.anyio
async def test_another_api_server_is_called_through_the_proxy(tmp_path: Path, proxy: RefusingProxy) -> None:
    async with connected(kubeconfig(tmp_path, "https://kubernetes.example:6443")) as kube:
        with pytest.raises(ClusterUnreachable):
            await kube.get(NAMESPACES, "default")
    assert proxy.requests == ["CONNECT kubernetes.example:6443 HTTP/1.1"]


@pytest.mark.anyio
async def test_a_proxy_that_cannot_be_used_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1")
    async with connected(kubeconfig(tmp_path, "https://kubernetes.example:6443")) as kube:
        with pytest.raises(ClusterUnreachable) as failure:
            await kube.get(NAMESPACES, "default")
    assert "Cannot connect to host 127.0.0.1:1" in failure.value.message


def test_helm_gets_the_proxy_and_calls_the_pods_api_server_directly() -> None:
    environ = {"https_proxy": "http://proxy:3128", "no_proxy": "shop.example", "KUBERNETES_SERVICE_HOST": "10.96.0.1"}
    assert helm_environment({**environ, "HELM_DEBUG": "1"}) == {
        "https_proxy": "http://proxy:3128",
        "NO_PROXY": "shop.example,10.96.0.1",
        "KUBERNETES_SERVICE_HOST": "10.96.0.1",
    }
    assert helm_environment({"PATH": "/bin", "NO_PROXY": "a"}) == {"PATH": "/bin", "NO_PROXY": "a"}
    assert helm_environment({"PATH": "/bin"}) == {"PATH": "/bin"}
