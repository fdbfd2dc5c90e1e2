"""The HTTP client against a real server: what it sends, what it returns, what it raises."""

import json
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from testing.peer import Peer
from testing.stores import event, make_store, provisioning
from urumi import __version__
from urumi.client import Client
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


async def test_stores_are_listed_and_narrowed_by_the_server(peer: Peer, client: Client) -> None:
    peer.put(make_store("shop-1"))
    peer.put(provisioning("shop-2", engine="medusa"))
    assert {store.store_id for store in await client.list_stores()} == {"shop-1", "shop-2"}
    narrowed = await client.list_stores(phase="Provisioning", engine="medusa", text="shop-")
    assert narrowed == (provisioning("shop-2", engine="medusa"),)
    assert [line for _, line, _, _ in peer.requests] == [
        "/stores",
        "/stores?phase=Provisioning&engine=medusa&q=shop-",
    ]


async def test_every_call_carries_the_token_and_the_program_s_name(peer: Peer, client: Client) -> None:
    await client.list_stores()
    headers = peer.requests[0][2]
    assert headers["authorization"] == f"Bearer {peer.token}"
    assert headers["user-agent"] == f"urumi/{__version__}"


async def test_a_store_and_its_timeline(peer: Peer, client: Client) -> None:
    store = make_store("shop-1", events=[dump(event("NamespaceReady", "there", seconds=0.2))])
    peer.put(store)
    assert await client.get_store("shop-1") == store
    assert await client.list_events("shop-1") == store.events


async def test_create_asks_again_for_free(peer: Peer, client: Client) -> None:
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


async def test_delete_names_the_uid_and_says_what_was_there(peer: Peer, client: Client) -> None:
    peer.put(make_store("shop-1"))
    assert (await client.delete_store("shop-1", uid="uid-of-shop-1")).deleted
    absent = await client.delete_store("shop-1")
    assert (absent.deleted, absent.reason) == (False, "NotFound")
    assert [line for _, line, _, _ in peer.requests] == ["/stores/shop-1?uid=uid-of-shop-1", "/stores/shop-1"]


async def test_retry_is_asked_for(peer: Peer, client: Client) -> None:
    peer.put(make_store("shop-1"))
    assert (await client.retry_store("shop-1")).store_id == "shop-1"
    assert (await client.retry_store("shop-1", uid="uid-of-shop-1")).store_id == "shop-1"
    assert [line for _, line, _, _ in peer.requests] == [
        "/stores/shop-1/retry",
        "/stores/shop-1/retry?uid=uid-of-shop-1",
    ]


async def test_an_admin_account_is_read_of_that_very_store_and_kept_out_of_tracebacks(
    peer: Peer, client: Client
) -> None:
    peer.put(make_store("shop-1"))
    account = await client.read_credentials("shop-1", uid="uid-of-shop-1")
    assert (account.username, account.password) == ("admin", "password-of-shop-1")
    assert account.password not in repr(account)
    assert peer.requests[0][:2] == ("POST", "/stores/shop-1/credentials")
    assert json.loads(peer.requests[0][3]) == {"uid": "uid-of-shop-1"}


async def test_an_absent_store_is_not_found(client: Client) -> None:
    with pytest.raises(NotFound, match="There is no store 'shop-1'"):
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
    ("answer", "sentence"),
    [
        pytest.param(JSONResponse({"detail": "Slow down."}, 429), "Slow down.", id="problem"),
        pytest.param(JSONResponse(["odd"], 500), "HTTP 500 from 127.0.0.1, not of the API", id="odd json"),
        pytest.param(PlainTextResponse("Bad Gateway", 502), "HTTP 502 from 127.0.0.1, not of the API", id="proxy"),
    ],
)
async def test_an_error_becomes_a_sentence(peer: Peer, client: Client, answer: Response, sentence: str) -> None:
    peer.answer = answer
    with pytest.raises(ApiError) as caught:
        await client.list_stores()
    assert caught.value.sentence() == sentence


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(PlainTextResponse("<html>hello</html>"), id="page"),
        pytest.param(JSONResponse({"items": [{"storeId": "shop-1"}]}), id="half a store"),
        pytest.param(JSONResponse([]), id="another shape"),
        pytest.param(RedirectResponse("/login"), id="redirect"),
        pytest.param(Response(status_code=204), id="empty"),
    ],
)
async def test_an_answer_that_is_not_of_the_api_is_told(peer: Peer, client: Client, answer: Response) -> None:
    peer.answer = answer
    with pytest.raises(ProtocolError, match="not of the API") as caught:
        await client.list_stores()
    assert peer.url in caught.value.hint


async def test_an_answer_that_cannot_be_decoded_is_told(peer: Peer, client: Client) -> None:
    peer.answer = Response(b"no gzip", headers={"Content-Encoding": "gzip"})
    with pytest.raises(ServerUnreachable):
        await client.list_stores()


async def test_without_a_server_the_address_and_the_way_out_are_named(peer: Peer) -> None:
    peer.stop()
    async with Client(Target(peer.url, "t")) as client:
        with pytest.raises(ServerUnreachable) as caught:
            await client.list_stores()
    assert peer.url in caught.value.message
    assert "urumi serve" in caught.value.hint


@pytest.fixture
def mute_url() -> Iterator[str]:
    """A server that takes connections and never says anything."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_a_server_that_never_answers_is_unreachable_in_words(mute_url: str) -> None:
    async with Client(Target(mute_url, "t"), timeout_seconds=0.1) as client:
        with pytest.raises(ServerUnreachable, match="it took too long"):
            await client.list_stores()
