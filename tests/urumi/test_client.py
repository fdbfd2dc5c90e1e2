"""The HTTP client against a real server: its requests, results and errors."""

import json
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from reconciler.kube.client import CALL_SECONDS
from testing.peer.server import Peer
from testing.stores import event, make_store, provisioning
from urumi import __version__
from urumi.client import TIMEOUT_SECONDS, Client
from urumi.config import Target
from urumi.errors import ApiError, Conflict, NotFound, ProtocolError, ServerUnreachable, Unauthorized
from urumi.store import Engine, Phase
from urumi.wire import dump

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(target: Target) -> AsyncIterator[Client]:
    """A client of the peer."""
    async with Client(target) as made:
        yield made


async def test_stores_are_listed_and_filtered_by_the_server(peer: Peer, client: Client) -> None:
    peer.put(make_store("shop-1"))
    peer.put(provisioning("shop-2", engine="medusa"))
    assert {store.store_id for store in await client.list_stores()} == {"shop-1", "shop-2"}
    narrowed = await client.list_stores(phase="Provisioning", engine="medusa", text="shop-")
    assert narrowed == (provisioning("shop-2", engine="medusa"),)
    assert [line for _, line, _, _ in peer.requests] == [
        "/stores",
        "/stores?phase=Provisioning&engine=medusa&q=shop-",
    ]


async def test_every_call_sends_the_token_and_the_user_agent(peer: Peer, client: Client) -> None:
    await client.list_stores()
    headers = peer.requests[0][2]
    assert headers["authorization"] == f"Bearer {peer.token}"
    assert headers["user-agent"] == f"urumi/{__version__}"


async def test_a_store_and_its_timeline(peer: Peer, client: Client) -> None:
    store = make_store("shop-1", events=[dump(event("NamespaceReady", "there", seconds=0.2))])
    peer.put(store)
    assert await client.get_store("shop-1") == store
    assert await client.list_events("shop-1") == store.events


async def test_create_is_idempotent(peer: Peer, client: Client) -> None:
    first = await client.create_store("shop-1", Engine.MEDUSA)
    again = await client.create_store("shop-1", Engine.MEDUSA)
    assert first == again
    assert (first.phase, first.engine) == (Phase.PENDING, Engine.MEDUSA)
    assert json.loads(peer.requests[0][3]) == {"storeId": "shop-1", "engine": "medusa"}


async def test_another_engine_is_a_conflict(peer: Peer, client: Client) -> None:
    peer.put(make_store("shop-1"))
    with pytest.raises(Conflict) as caught:
        await client.create_store("shop-1", Engine.MEDUSA)
    assert caught.value.sentence() == "Store shop-1 exists with engine woocommerce. Choose another storeId."
    assert caught.value.problem["type"] == "urn:urumi:problem:conflict"


async def test_delete_sends_the_uid_and_returns_whether_the_store_existed(peer: Peer, client: Client) -> None:
    peer.put(make_store("shop-1"))
    assert (await client.delete_store("shop-1", uid="uid-of-shop-1")).deleted
    absent = await client.delete_store("shop-1")
    assert (absent.deleted, absent.reason) == (False, "NotFound")
    assert [line for _, line, _, _ in peer.requests] == ["/stores/shop-1?uid=uid-of-shop-1", "/stores/shop-1"]


async def test_retry_is_requested(peer: Peer, client: Client) -> None:
    peer.put(make_store("shop-1"))
    assert (await client.retry_store("shop-1")).store_id == "shop-1"
    assert (await client.retry_store("shop-1", uid="uid-of-shop-1")).store_id == "shop-1"
    assert [line for _, line, _, _ in peer.requests] == [
        "/stores/shop-1/retry",
        "/stores/shop-1/retry?uid=uid-of-shop-1",
    ]


async def test_credentials_are_read_by_uid_and_kept_out_of_tracebacks(peer: Peer, client: Client) -> None:
    peer.put(make_store("shop-1"))
    account = await client.read_credentials("shop-1", uid="uid-of-shop-1")
    assert (account.username, account.password) == ("admin", "password-of-shop-1")
    assert account.password not in repr(account)
    assert peer.requests[0][:2] == ("POST", "/stores/shop-1/credentials")
    assert json.loads(peer.requests[0][3]) == {"uid": "uid-of-shop-1"}


async def test_an_absent_store_is_not_found(client: Client) -> None:
    with pytest.raises(NotFound, match="'shop-1'"):
        await client.get_store("shop-1")


async def test_a_wrong_token_is_unauthorized(peer: Peer) -> None:
    async with Client(Target(peer.url, "wrong")) as client:
        with pytest.raises(Unauthorized):
            await client.list_stores()


async def test_without_a_token_none_is_sent(peer: Peer) -> None:
    async with Client(Target(peer.url, "")) as client:
        with pytest.raises(Unauthorized):
            await client.list_stores()
    assert "authorization" not in peer.requests[0][2]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(JSONResponse({"detail": "Slow down."}, 429), "Slow down.", id="problem"),
        pytest.param(JSONResponse(["odd"], 500), "Unexpected response from 127.0.0.1: HTTP 500", id="odd json"),
        pytest.param(PlainTextResponse("Bad Gateway", 502), "Unexpected response from 127.0.0.1: HTTP 502", id="proxy"),
    ],
)
async def test_an_error_has_a_message(peer: Peer, client: Client, answer: Response, message: str) -> None:
    peer.answer = answer
    with pytest.raises(ApiError) as caught:
        await client.list_stores()
    assert caught.value.sentence() == message


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(PlainTextResponse("<html>hello</html>"), id="page"),
        pytest.param(JSONResponse({"items": [{"storeId": "shop-1"}]}), id="half a store"),
        pytest.param(JSONResponse([]), id="another shape"),
        pytest.param(Response(status_code=204), id="empty"),
    ],
)
async def test_a_response_that_is_not_of_the_api_is_reported(peer: Peer, client: Client, answer: Response) -> None:
    peer.answer = answer
    with pytest.raises(ProtocolError, match="not an Urumi API response") as caught:
        await client.list_stores()
    assert peer.url in caught.value.hint


@pytest.mark.parametrize(
    ("location", "address"),
    [("https://x.example/urumi/stores?phase=", "https://x.example/urumi"), ("/login", "{url}/login")],
)
async def test_a_redirect_is_not_followed_and_its_address_is_named(
    peer: Peer, client: Client, location: str, address: str
) -> None:
    peer.answer = RedirectResponse(location)
    with pytest.raises(ProtocolError, match=f"Server {peer.url} redirects GET /stores to ") as caught:
        await client.list_stores()
    assert caught.value.hint.endswith(f": --url {address.format(url=peer.url)}")


async def test_a_response_that_cannot_be_decoded_is_reported(peer: Peer, client: Client) -> None:
    peer.answer = Response(b"no gzip", headers={"Content-Encoding": "gzip"})
    with pytest.raises(ServerUnreachable):
        await client.list_stores()


async def test_a_url_with_the_wrong_scheme_is_unreachable_with_the_cause(peer: Peer) -> None:
    async with Client(Target(peer.url.replace("http", "https"), "t")) as client:
        with pytest.raises(ServerUnreachable, match="SSL"):
            await client.list_stores()


async def test_without_a_server_the_url_and_a_hint_are_given(peer: Peer) -> None:
    peer.stop()
    async with Client(Target(peer.url, "t")) as client:
        with pytest.raises(ServerUnreachable) as caught:
            await client.list_stores()
    assert peer.url in caught.value.message
    assert "urumi serve" in caught.value.hint


@pytest.fixture
def mute_url() -> Iterator[str]:
    """A server that accepts connections and never responds."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_a_server_that_never_responds_is_unreachable(mute_url: str) -> None:
    async with Client(Target(mute_url, "t"), timeout_seconds=0.1) as client:
        with pytest.raises(ServerUnreachable, match="the request timed out"):
            await client.list_stores()


async def test_a_change_without_a_response_is_not_reported_as_undone(mute_url: str) -> None:
    async with Client(Target(mute_url, "t"), timeout_seconds=0.1) as client:
        with pytest.raises(ServerUnreachable, match="POST /stores may have taken effect") as caught:
            await client.create_store("shop-1", Engine.MEDUSA)
    assert "urumi list" in caught.value.hint


def test_the_client_waits_longer_than_the_server_waits_for_the_cluster() -> None:
    assert TIMEOUT_SECONDS > CALL_SECONDS
