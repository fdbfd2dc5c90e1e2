"""What counts as the client behind proxies: its address, scheme, host and prefix, from trusted proxies only."""

from ipaddress import ip_network

import pytest
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from server.http.forwarded import Client, ForwardedHeaders, seen_through
from server.settings import server_settings_from
from urumi.errors import ConfigError

TRUSTED = (ip_network("10.42.0.0/16"), ip_network("fd00::/8"))
PROXY = "10.42.0.7"


def seen(peer: str, *headers: tuple[str, str]) -> Client:
    """Return the client as the server determines it; the peer sent these headers over http to `internal`."""
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return seen_through(peer, Client(peer, "http", "internal"), Headers(raw=raw), TRUSTED)


def forwarded_for(*values: str) -> list[tuple[str, str]]:
    """Return headers."""
    return [("x-forwarded-for", value) for value in values]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        pytest.param("192.0.2.1", ("203.0.113.9",), "192.0.2.1", id="anybody-can-send-the-header"),
        pytest.param(PROXY, ("203.0.113.9",), "203.0.113.9", id="one-proxy"),
        pytest.param(PROXY, ("203.0.113.9, 10.42.3.3",), "203.0.113.9", id="two-proxies"),
        pytest.param(PROXY, ("203.0.113.9", "10.42.3.3"), "203.0.113.9", id="two-headers"),
        pytest.param(PROXY, ("1.1.1.1, 203.0.113.9",), "203.0.113.9", id="what-the-client-claimed"),
        pytest.param(PROXY, (), PROXY, id="the-proxy-itself"),
        pytest.param(PROXY, ("nonsense",), PROXY, id="nonsense"),
        pytest.param(PROXY, ("203.0.113.9, <script>",), PROXY, id="nonsense-last"),
        pytest.param(PROXY, ("203.0.113.9:4711",), "203.0.113.9", id="with-a-port"),
        pytest.param("::ffff:10.42.0.7", ("203.0.113.9",), "203.0.113.9", id="mapped-peer"),
        pytest.param("fd00::1", ("[2001:db8::5]:443",), "2001:db8::5", id="version-6"),
        pytest.param(PROXY, ("10.42.9.9",), "10.42.9.9", id="client-inside-the-network"),
        pytest.param("unix", ("203.0.113.9",), "unix", id="no-address"),
    ],
)
def test_the_client_is_the_last_address_that_no_trusted_proxy_has(
    peer: str, forwarded: tuple[str, ...], client: str
) -> None:
    assert seen(peer, *forwarded_for(*forwarded)).ip == client


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        pytest.param("for=203.0.113.9;proto=https;host=x", Client("203.0.113.9", "https", "x"), id="one-proxy"),
        pytest.param(
            'For="[2001:db8::5]:443";Proto=HTTPS;Host="x:8443"', Client("2001:db8::5", "https", "x:8443"), id="quoted"
        ),
        pytest.param(
            "for=203.0.113.9;proto=https;host=x, for=10.42.3.3;proto=http;host=inner",
            Client("203.0.113.9", "https", "x"),
            id="two-proxies",
        ),
        pytest.param(
            "for=1.1.1.1;host=evil.example;proto=http, for=203.0.113.9;proto=https;host=x",
            Client("203.0.113.9", "https", "x"),
            id="what-the-client-claimed",
        ),
        pytest.param('for="_hidden, 1.1.1.1";host=evil.example', Client(PROXY, "http", "internal"), id="obfuscated"),
        pytest.param("for=unknown", Client(PROXY, "http", "internal"), id="unknown"),
        pytest.param('for="unclosed', Client(PROXY, "http", "internal"), id="nonsense"),
    ],
)
def test_the_standard_header_counts_like_the_others(forwarded: str, client: Client) -> None:
    assert seen(PROXY, ("forwarded", forwarded)) == client
    assert seen("192.0.2.1", ("forwarded", forwarded)) == Client("192.0.2.1", "http", "internal")


def test_the_standard_header_of_a_client_cannot_override_the_headers_of_its_proxy() -> None:
    spoofed = ("forwarded", "for=1.1.1.1;host=evil.example;proto=http")
    trusted = [*forwarded_for("203.0.113.9"), ("x-forwarded-proto", "https")]
    assert seen(PROXY, spoofed, *trusted) == Client("203.0.113.9", "https", "internal")


@pytest.mark.parametrize(
    ("peer", "proto", "scheme"),
    [
        (PROXY, "https", "https"),
        (PROXY, "HTTPS, http", "https"),
        (PROXY, "gopher", "http"),
        (PROXY, "", "http"),
        ("192.0.2.1", "https", "http"),
    ],
)
def test_the_scheme_counts_from_a_trusted_proxy_only(peer: str, proto: str, scheme: str) -> None:
    assert seen(peer, ("x-forwarded-proto", proto)).scheme == scheme


@pytest.mark.parametrize(
    ("peer", "host", "port", "expected"),
    [
        pytest.param(PROXY, "x", "", "x", id="name"),
        pytest.param(PROXY, "x, inner", "", "x", id="two-proxies"),
        pytest.param(PROXY, "[2001:db8::5]:8443", "443", "[2001:db8::5]:8443", id="version-6"),
        pytest.param(PROXY, "x", "8443", "x:8443", id="port"),
        pytest.param(PROXY, "", "8443", "internal:8443", id="port-without-host"),
        pytest.param(PROXY, "x:9443", "8443", "x:9443", id="port-in-the-host-wins"),
        pytest.param(PROXY, "x", "80", "x", id="port-of-an-inner-connection"),
        pytest.param(PROXY, "x/../y", "", "internal", id="nonsense"),
        pytest.param("192.0.2.1", "x", "8443", "internal", id="anybody-can-send-the-header"),
    ],
)
def test_the_host_counts_from_a_trusted_proxy_only(peer: str, host: str, port: str, expected: str) -> None:
    assert seen(peer, ("x-forwarded-host", host), ("x-forwarded-port", port)).host == expected


@pytest.mark.parametrize(
    ("peer", "prefix", "expected"),
    [
        (PROXY, "/urumi", "/urumi"),
        (PROXY, "/urumi/", "/urumi"),
        (PROXY, "/tools, /urumi", "/tools/urumi"),
        (PROXY, '/"><script>', ""),
        (PROXY, "//evil.example", ""),
        ("192.0.2.1", "/urumi", ""),
    ],
)
def test_the_prefix_counts_from_a_trusted_proxy_only(peer: str, prefix: str, expected: str) -> None:
    assert seen(peer, ("x-forwarded-prefix", prefix)).prefix == expected


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("peer", "client"), [("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8::5", "2001:db8::5"), ("192.0.2.1", "192.0.2.1")]
)
async def test_a_socket_for_both_families_shows_the_address_that_people_know(peer: str, client: str) -> None:
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)

    scope = {"type": "http", "client": (peer, 4711), "scheme": "http", "path": "/", "headers": []}
    await ForwardedHeaders(app, ())(scope, None, None)  # type: ignore[arg-type]
    assert scopes[0]["client"] == (client, 4711)


def test_networks_are_read_from_the_environment() -> None:
    settings = server_settings_from({"URUMI_TRUSTED_PROXIES": "10.42.0.0/16 fd00::/8"})
    assert settings.trusted_proxies == TRUSTED


@pytest.mark.parametrize("wrong", ["traefik", "10.42.0.0/99", "10.42.0.1/16", "10.0.0.0/8,fd00::/8"])
def test_an_invalid_network_is_named_at_startup(wrong: str) -> None:
    with pytest.raises(ConfigError, match="TRUSTED_PROXIES must be networks"):
        server_settings_from({"URUMI_TRUSTED_PROXIES": wrong})


@pytest.mark.parametrize(("given", "root"), [("/urumi/", "/urumi"), ("/tools/urumi", "/tools/urumi"), ("/", "")])
def test_the_path_prefix_is_read_from_the_environment(given: str, root: str) -> None:
    assert server_settings_from({"URUMI_ROOT_PATH": given}).root_path == root


@pytest.mark.parametrize("wrong", ["urumi", "https://x/urumi", "/a b", "/a//b"])
def test_an_invalid_path_prefix_is_named_at_startup(wrong: str) -> None:
    with pytest.raises(ConfigError, match="URUMI_ROOT_PATH must be a path such as /urumi"):
        server_settings_from({"URUMI_ROOT_PATH": wrong})
