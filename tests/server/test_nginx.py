"""The nginx examples of docs/proxies.md with whole servers behind them: pages, clients, sockets, long tokens."""

import asyncio
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from server.auth.token_review import MAX_TOKEN_LENGTH
from testing.front import Front, OpenFront
from testing.front import open_front as open_front
from testing.replicas import TOKEN, Replicas
from urumi.client import Client
from urumi.config import Target
from urumi.live import LiveFeed, StoreSnapshot
from urumi.wire import SUBPROTOCOL

LOOPBACK = (ip_network("127.0.0.0/8"),)
BEARER = {"Authorization": f"Bearer {TOKEN}"}
LONG = "x" * MAX_TOKEN_LENGTH


@pytest.fixture(scope="module")
def replicas() -> Iterator[Replicas]:
    """Two servers with a store; the second listens on both families."""
    with Replicas("127.0.0.1", "::", trusted_proxies=LOOPBACK) as replicas:
        replicas.create_store("shop-1")
        yield replicas


@pytest.fixture(scope="module")
def front(replicas: Replicas, open_front: OpenFront) -> Iterator[Front]:
    """The proxy."""
    with open_front(replicas) as front:
        yield front


@pytest.fixture(params=["", "/urumi"], ids=["root", "prefix"])
def prefix(request: pytest.FixtureRequest) -> str:
    """The path prefix of the page."""
    return str(request.param)


def call(front: Front, method: str, path: str, **request: Any) -> httpx2.Response:
    """Call over https, and follow no redirect."""
    return httpx2.request(
        method, f"https://127.0.0.1:{front.tls_port}{path}", verify=front.context, timeout=30, **request
    )


def sign_in(front: Front, prefix: str) -> str:
    """Sign in as the page does, and return the header of the cookie."""
    origin = {"Origin": f"https://127.0.0.1:{front.tls_port}"}
    answer = call(front, "POST", f"{prefix}/session", json={"token": TOKEN}, headers=origin)
    assert answer.status_code == 204, answer.text
    return str(answer.headers["Set-Cookie"])


def listen(address: str, cookie: str, origin: str, tls: ssl.SSLContext | None = None) -> ClientConnection:
    """Open a live socket with a session."""
    return connect(
        address,
        ssl=tls,
        additional_headers={"Cookie": cookie},
        origin=Origin(origin),
        subprotocols=[Subprotocol(SUBPROTOCOL)],
    )


def test_the_page_signs_in_and_its_cookie_is_for_its_own_address_only(front: Front, prefix: str) -> None:
    cookie = sign_in(front, prefix)
    name = "__Secure-urumi_session" if prefix else "__Host-urumi_session"
    assert cookie.startswith(f"{name}=")
    assert {"Secure", "HttpOnly", f"Path={prefix}/"} <= set(cookie.split("; "))
    who = call(front, "GET", f"{prefix}/session", headers={"Cookie": cookie.partition(";")[0]})
    assert who.json() == {"user": "admin"}


def test_the_page_and_its_files_are_there(front: Front, prefix: str) -> None:
    page = call(front, "GET", f"{prefix}/")
    assert f'src="{prefix or "."}/static/main.js"'.replace("./", "") in page.text
    for path in ("/static/main.js", "/docs", "/static/docs.css", "/openapi.json"):
        assert call(front, "GET", prefix + path).status_code == 200, path


def test_the_live_socket_of_the_page_opens_and_that_of_another_page_does_not(front: Front, prefix: str) -> None:
    cookie = sign_in(front, prefix).partition(";")[0]
    address = f"wss://127.0.0.1:{front.tls_port}{prefix}/ws"
    own = f"https://127.0.0.1:{front.tls_port}"
    with listen(address, cookie, own, front.context) as socket:
        socket.send(json.dumps({"type": "subscribe"}))
        assert json.loads(socket.recv(30))["type"] == "snapshot"
    with pytest.raises(InvalidStatus) as denied:
        listen(address, cookie, "https://evil.example", front.context)
    assert denied.value.response.status_code == 403


def test_a_slash_at_the_end_leads_to_no_redirect_over_http(front: Front, prefix: str) -> None:
    answer = call(front, "GET", f"{prefix}/stores/", headers=BEARER)
    assert (answer.status_code, answer.headers.get("Location")) == (404, None)


def test_the_clients_take_an_address_with_a_prefix(front: Front, prefix: str) -> None:
    target = Target(f"http://localhost:{front.port}{prefix}", TOKEN)
    assert asyncio.run(stores_over_rest_and_live(target)) == ("shop-1", "shop-1")


def test_the_command_takes_an_address_with_a_prefix(front: Front) -> None:
    command = [sys.executable, "-m", "urumi.cli.main", "list", "--url", f"http://localhost:{front.port}/urumi/"]
    done = subprocess.run([*command, "--token", TOKEN], capture_output=True, text=True, check=False)
    assert (done.returncode, "shop-1" in done.stdout) == (0, True), done.stderr


def test_the_clients_take_an_address_in_brackets(replicas: Replicas) -> None:
    target = Target(f"http://[::1]:{replicas.ports[1]}", TOKEN)
    assert asyncio.run(stores_over_rest_and_live(target)) == ("shop-1", "shop-1")


async def stores_over_rest_and_live(target: Target) -> tuple[str, str]:
    """Return the id of the one store, as both clients receive it."""
    async with Client(target) as client:
        (listed,) = await client.list_stores()
    async with asyncio.timeout(30):
        async for event in LiveFeed(target).events():
            if isinstance(event, StoreSnapshot):
                (shown,) = event.stores
                return listed.store_id, shown.store_id
    raise AssertionError("the feed ended")


def test_a_long_token_is_asked_over_rest_and_websocket(open_front: OpenFront) -> None:
    with (
        Replicas(users={LONG: "ada"}, auth_mode="kubernetes", trusted_proxies=LOOPBACK) as replicas,
        open_front(replicas) as front,
    ):
        bearer = {"Authorization": f"Bearer {LONG}"}
        assert call(front, "GET", "/session", headers=bearer).json() == {"user": "ada"}
        target = Target(f"http://localhost:{front.port}", LONG)
        replicas.create_store("shop-1")
        assert asyncio.run(stores_over_rest_and_live(target)) == ("shop-1", "shop-1")


def test_a_proxy_that_is_not_trusted_is_named_for_calls_and_sockets(open_front: OpenFront) -> None:
    with Replicas() as replicas, open_front(replicas) as front:
        origin = f"https://127.0.0.1:{front.tls_port}"
        refused = call(front, "POST", "/session", json={"token": TOKEN}, headers={"Origin": origin})
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:urumi:problem:forbidden")
        assert f"Origin is '{origin}', Host is '127.0.0.1:{replicas.ports[0]}'" in refused.json()["detail"]
        assert f"x-forwarded-host '127.0.0.1:{front.tls_port}' from 127.0.0.1" in refused.json()["detail"]

        own = httpx2.post(f"{replicas.urls[0]}/session", json={"token": TOKEN}, headers={"Origin": replicas.urls[0]})
        with pytest.raises(InvalidStatus) as denied:
            listen(
                f"wss://127.0.0.1:{front.tls_port}/ws",
                own.headers["Set-Cookie"].partition(";")[0],
                origin,
                front.context,
            )
        assert json.loads(denied.value.response.body or b"")["detail"] == refused.json()["detail"]
