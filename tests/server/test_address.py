"""Which forwarded addresses and schemes count as those of the client."""

from ipaddress import ip_network

import pytest
from starlette.datastructures import Headers

from server.http.client_address import ClientAddress, client_address
from server.settings import server_settings_from
from urumi.errors import ConfigError

TRUSTED = (ip_network("10.42.0.0/16"), ip_network("fd00::/8"))


def seen(peer: str, *forwarded: str, proto: str = "") -> ClientAddress:
    """Return the client address as the server determines it."""
    raw = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    return client_address(peer, "http", Headers(raw=[*raw, (b"x-forwarded-proto", proto.encode())]), TRUSTED)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        pytest.param("192.0.2.1", ("203.0.113.9",), "192.0.2.1", id="anybody-can-send-the-header"),
        pytest.param("10.42.0.7", ("203.0.113.9",), "203.0.113.9", id="one-proxy"),
        pytest.param("10.42.0.7", ("203.0.113.9, 10.42.3.3",), "203.0.113.9", id="two-proxies"),
        pytest.param("10.42.0.7", ("203.0.113.9", "10.42.3.3"), "203.0.113.9", id="two-headers"),
        pytest.param("10.42.0.7", ("1.1.1.1, 203.0.113.9",), "203.0.113.9", id="what-the-client-claimed"),
        pytest.param("10.42.0.7", (), "10.42.0.7", id="the-proxy-itself"),
        pytest.param("10.42.0.7", ("nonsense",), "10.42.0.7", id="nonsense"),
        pytest.param("10.42.0.7", ("203.0.113.9, <script>",), "10.42.0.7", id="nonsense-last"),
        pytest.param("10.42.0.7", ("203.0.113.9:4711",), "203.0.113.9", id="with-a-port"),
        pytest.param("::ffff:10.42.0.7", ("203.0.113.9",), "203.0.113.9", id="mapped-peer"),
        pytest.param("fd00::1", ("[2001:db8::5]:443",), "2001:db8::5", id="version-6"),
        pytest.param("10.42.0.7", ("10.42.9.9",), "10.42.9.9", id="client-inside-the-network"),
        pytest.param("unix", ("203.0.113.9",), "unix", id="no-address"),
    ],
)
def test_the_client_is_the_last_address_that_no_trusted_proxy_has(
    peer: str, forwarded: tuple[str, ...], client: str
) -> None:
    assert seen(peer, *forwarded).ip == client


@pytest.mark.parametrize(
    ("peer", "proto", "scheme"),
    [
        ("10.42.0.7", "https", "https"),
        ("10.42.0.7", "HTTPS, http", "https"),
        ("10.42.0.7", "gopher", "http"),
        ("10.42.0.7", "", "http"),
        ("192.0.2.1", "https", "http"),
    ],
)
def test_the_scheme_counts_from_a_trusted_proxy_only(peer: str, proto: str, scheme: str) -> None:
    assert seen(peer, proto=proto).scheme == scheme


def test_networks_are_read_from_the_environment() -> None:
    settings = server_settings_from({"URUMI_TRUSTED_PROXIES": "10.42.0.0/16 fd00::/8"})
    assert settings.trusted_proxies == TRUSTED


@pytest.mark.parametrize("wrong", ["traefik", "10.42.0.0/99", "10.42.0.1/16", "10.0.0.0/8,fd00::/8"])
def test_an_invalid_network_is_named_at_startup(wrong: str) -> None:
    with pytest.raises(ConfigError, match="TRUSTED_PROXIES must be networks"):
        server_settings_from({"URUMI_TRUSTED_PROXIES": wrong})
