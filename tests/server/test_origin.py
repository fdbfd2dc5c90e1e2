"""Which origins are the page's own, and what a refusal says; nothing makes an absolute URL from a request."""

from ipaddress import ip_network
from typing import Any

import pytest

from server.http.origin import is_same_origin
from tests.server.inprocess import TOKEN, served

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://x", "x:443"),
        ("https://x", "x:80"),
        ("https://x", "x"),
        ("http://x", "x:80"),
        ("https://X.example", "x.EXAMPLE:443"),
        ("https://x:8443", "x:8443"),
        ("http://127.0.0.1:8780", "127.0.0.1:8780"),
        ("http://[::1]:8780", "[::1]:8780"),
        ("https://[2001:db8::5]", "[2001:DB8::5]:443"),
    ],
)
def test_the_own_origin_is_recognized(origin: str, host: str) -> None:
    assert is_same_origin(origin, "http", host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "x"),
        ("https://x.evil.example", "x"),
        ("https://x", "x:8443"),
        ("https://x:8443", "x"),
        ("https://x:8443", "x:443"),
        ("http://127.0.0.1:8781", "127.0.0.1:8780"),
        ("null", "x"),
        ("https://", ""),
        ("https://x:port", "x"),
        ("https://x", "x:port"),
        ("https://[::1", "[::1"),
        ("ftp://x", "x"),
        ("https://x@evil.example", "x"),
    ],
)
def test_another_origin_is_not(origin: str, host: str) -> None:
    assert not is_same_origin(origin, "http", host)


def test_a_page_over_http_is_another_origin_than_a_page_over_https() -> None:
    assert is_same_origin("https://x", "https", "x")
    assert not is_same_origin("http://x", "https", "x")
    assert not is_same_origin("http://x", "wss", "x")


async def sign_in(headers: dict[str, str], **settings: Any) -> Any:
    """Sign in with these headers, and return the response."""
    async with served(**settings) as server:
        return await server.request("POST", "/session", {"token": TOKEN}, headers)


@pytest.fixture
def trusting() -> dict[str, Any]:
    """Settings that trust a proxy on loopback."""
    return {"trusted_proxies": (ip_network("127.0.0.0/8"),)}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "internal", "X-Forwarded-Host": "x"},
        {"Host": "internal", "X-Forwarded-Host": "x:443", "X-Forwarded-Proto": "https"},
        {"Host": "internal", "X-Forwarded-Host": "x", "X-Forwarded-Port": "443"},
        {"Host": "internal", "Forwarded": "for=203.0.113.9;host=x;proto=https"},
        {"Host": "x:443"},
    ],
)
async def test_the_page_behind_a_trusted_proxy_signs_in(headers: dict[str, str], trusting: dict[str, Any]) -> None:
    assert (await sign_in({"Origin": "https://x", **headers}, **trusting)).status_code == 204


async def test_a_refusal_names_an_untrusted_proxy() -> None:
    refused = await sign_in({"Origin": "https://x", "Host": "internal", "X-Forwarded-Host": "x"})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:urumi:problem:forbidden")
    assert refused.json()["detail"] == (
        "Request from another origin refused: Origin is 'https://x', Host is 'internal'; "
        "x-forwarded-host 'x' from 127.0.0.1 is not trusted."
    )
    assert "add it to URUMI_TRUSTED_PROXIES" in refused.json()["hint"]


async def test_a_refusal_says_what_a_proxy_has_to_send(trusting: dict[str, Any]) -> None:
    for settings in ({}, trusting):
        refused = (await sign_in({"Origin": "https://x", "Host": "internal"}, **settings)).json()
        assert refused["detail"] == "Request from another origin refused: Origin is 'https://x', Host is 'internal'."
        assert "passes on the Host header, or sends X-Forwarded-Host" in refused["hint"]


@pytest.mark.parametrize("path", ["/stores/", "/session/", "/docs/", "/static/", "/static", "/stores/x-1/"])
async def test_a_slash_at_the_end_is_no_redirect(path: str) -> None:
    async with served() as server:
        answer = await server.request("GET", path)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:urumi:problem:not-found")
    assert "Location" not in answer.headers
    if path == "/stores/":
        assert answer.json()["hint"] == "Remove the slash at the end: /stores"


async def test_a_socket_address_without_an_upgrade_says_so() -> None:
    async with served() as server:
        answer = await server.request("GET", "/ws")
    assert answer.status_code == 404
    assert "headers Upgrade and Connection" in answer.json()["hint"]


@pytest.mark.parametrize("path", ["/urumi/stores", "/stores"])
async def test_a_prefix_is_in_the_location_of_a_new_store(path: str) -> None:
    async with served(root_path="/urumi") as server:
        body, token = {"storeId": "shop-1", "engine": "medusa"}, {"Authorization": f"Bearer {TOKEN}"}
        created = await server.request("POST", path, body, token)
    assert (created.status_code, created.headers["Location"]) == (202, "/urumi/stores/shop-1")


@pytest.mark.parametrize("path", ["/urumi", "/urumi/", "/"])
async def test_the_page_below_a_known_prefix_has_it_in_its_addresses(path: str) -> None:
    async with served(root_path="/urumi") as server:
        page = await server.request("GET", path)
        script = await server.request("GET", "/urumi/static/main.js")
    assert '<script type="module" src="/urumi/static/main.js">' in page.text
    assert (page.status_code, script.status_code) == (200, 200)


async def test_the_page_without_a_prefix_has_relative_addresses() -> None:
    async with served() as server:
        page, docs = await server.request("GET", "/"), await server.request("GET", "/urumi/stores")
    assert '<script type="module" src="static/main.js">' in page.text
    assert docs.status_code == 404
