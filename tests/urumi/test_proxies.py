"""A proxy in the environment: never used for this machine's own addresses, and named when it is in the way."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from testing.peer.server import Peer
from testing.proxy import RefusingProxy, refusing_proxy
from testing.stores import make_store
from tests.urumi.command import Command
from urumi.client import Client
from urumi.config import Target, find_target
from urumi.errors import ConfigError, ServerUnreachable
from urumi.live import ConnectionState, LiveFeed
from urumi.proxies import is_direct, proxy_for, without_password

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start without the proxies of the machine that runs the test."""
    for name in NAMES:
        for case in (name, name.lower()):
            monkeypatch.delenv(case, raising=False)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[RefusingProxy]:
    """A proxy for everything."""
    with refusing_proxy() as made:
        for name, value in made.variables.items():
            monkeypatch.setenv(name, value)
        yield made


DIRECT = "127.0.0.1 127.8.0.1 localhost LOCALHOST. shop-a.localhost ::1 [::1] ::ffff:127.0.0.1 0.0.0.0 :: 10.96.0.1"


@pytest.mark.parametrize("host", DIRECT.split())
def test_this_machine_and_the_pods_api_server_are_direct(host: str) -> None:
    assert is_direct(host, {"KUBERNETES_SERVICE_HOST": "10.96.0.1"})


@pytest.mark.parametrize("host", ["10.96.0.1", "shop.example", "localhost.example", "128.0.0.1", ""])
def test_another_host_is_not_direct(host: str) -> None:
    assert not is_direct(host, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"})


@pytest.mark.parametrize(
    ("variables", "url", "expected"),
    [
        ({}, "http://shop.example", None),
        ({"HTTP_PROXY": "proxy:3128"}, "http://shop.example", "http://proxy:3128"),
        ({"http_proxy": "http://proxy:3128"}, "http://shop.example", "http://proxy:3128"),
        ({"HTTP_PROXY": "http://proxy:3128"}, "https://shop.example", None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "https://shop.example", "http://proxy:3128"),
        ({"ALL_PROXY": "socks5://proxy:1080"}, "https://shop.example", "socks5://proxy:1080"),
        ({"ALL_PROXY": "http://a", "HTTPS_PROXY": "http://b"}, "https://shop.example", "http://b"),
        ({"HTTP_PROXY": "http://proxy", "NO_PROXY": "shop.example"}, "http://www.shop.example:8780", None),
        ({"HTTP_PROXY": "http://proxy", "NO_PROXY": "shop.example:8780"}, "http://shop.example:8780", None),
        ({"HTTP_PROXY": "http://proxy", "NO_PROXY": "*"}, "http://shop.example", None),
        ({"HTTP_PROXY": "http://proxy", "ALL_PROXY": "http://proxy"}, "http://127.0.0.1:8780", None),
    ],
)
def test_the_proxy_of_a_url(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, expected: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == expected


def test_a_password_of_a_proxy_is_not_repeated() -> None:
    assert without_password("http://ada:secret@proxy:3128/") == "http://proxy:3128/"


@pytest.mark.anyio
async def test_a_call_on_loopback_does_not_use_the_proxy(peer: Peer, target: Target, proxy: RefusingProxy) -> None:
    peer.put(make_store("shop-1"))
    async with Client(target) as client:
        assert [store.store_id for store in await client.list_stores()] == ["shop-1"]
    assert proxy.requests == []


@pytest.mark.anyio
async def test_the_live_feed_on_loopback_does_not_use_the_proxy(target: Target, proxy: RefusingProxy) -> None:
    async with asyncio.timeout(10), aclosing(LiveFeed(target).events()) as events:
        states = [await anext(events), await anext(events)]
    assert [state.state for state in states if isinstance(state, ConnectionState)] == ["connecting", "live"]
    assert proxy.requests == []


@pytest.mark.anyio
async def test_an_unusable_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://ada:secret@127.0.0.1:1")
    async with Client(Target("http://urumi.example", "")) as client:
        with pytest.raises(ServerUnreachable) as failure:
            await client.list_stores()
    assert failure.value.sentence() == (
        "Server http://urumi.example unreachable through the proxy http://127.0.0.1:1: Connection refused."
        " Check the proxy in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY, or add the server's host to NO_PROXY."
    )


@pytest.mark.anyio
async def test_a_proxy_that_refuses_is_named_by_the_live_feed(proxy: RefusingProxy) -> None:
    async with asyncio.timeout(10), aclosing(LiveFeed(Target("http://urumi.example", "")).events()) as events:
        await anext(events)
        lost = await anext(events)
    assert isinstance(lost, ConnectionState)
    assert f"server http://urumi.example unreachable through the proxy {proxy.url}" in lost.detail
    assert proxy.requests == ["CONNECT urumi.example:80 HTTP/1.1"]


def test_a_proxy_of_another_kind_is_refused_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://ada:secret@proxy:1080")
    with pytest.raises(ConfigError) as failure:
        find_target("http://urumi.example:8780", "t")
    assert failure.value.sentence() == (
        "The proxy socks5://proxy:1080 for http://urumi.example:8780 is not an HTTP proxy; other kinds are"
        " not supported. Set HTTP_PROXY or HTTPS_PROXY to an HTTP proxy, or NO_PROXY=urumi.example."
    )
    assert find_target("http://localhost:8780", "t").url == "http://localhost:8780"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_the_command_lists_the_stores_of_this_machine(urumi: Command, peer: Peer, kind: str) -> None:
    peer.put(make_store("shop-1"))
    with refusing_proxy() as proxy:
        variables = {name: value.replace("http:", f"{kind}:") for name, value in proxy.variables.items()}
        done = urumi("list", **variables)
        assert (done.code, proxy.requests) == (0, [])
    assert "shop-1" in done.out
