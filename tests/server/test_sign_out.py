"""Signing out of whole servers: open sockets, the old cookie and the other replica, in both authentication modes."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from testing.replicas import TOKEN, Replicas
from urumi.wire import SUBPROTOCOL

USERS = {TOKEN: "ada"}


@pytest.fixture(scope="module", params=["token", "kubernetes"])
def replicas(request: pytest.FixtureRequest) -> Iterator[Replicas]:
    """Two servers of one platform."""
    with Replicas("127.0.0.1", "127.0.0.1", users=USERS, auth_mode=request.param) as replicas:
        yield replicas


def session_of(replicas: Replicas) -> str:
    """Sign in at the first replica, and return the value of the cookie."""
    url = replicas.urls[0]
    answer = httpx2.post(f"{url}/session", json={"token": TOKEN}, headers={"Origin": url}, timeout=30)
    assert answer.status_code == 204
    return str(answer.headers["Set-Cookie"].partition(";")[0].partition("=")[2])


def headers_of(replicas: Replicas, place: int, session: str) -> dict[str, str]:
    """Return what a page of this replica sends with a session; over http, the name of the cookie has the port."""
    return {"Cookie": f"urumi_session_{replicas.ports[place]}={session}"}


@contextmanager
def listening(replicas: Replicas, place: int, headers: dict[str, str]) -> Iterator[ClientConnection]:
    """Open a live socket and wait until it is live."""
    url = replicas.urls[place]
    with connect(
        url.replace("http", "ws") + "/ws",
        additional_headers=headers,
        origin=Origin(url),
        subprotocols=[Subprotocol(SUBPROTOCOL)],
    ) as socket:
        socket.send(json.dumps({"type": "subscribe"}))
        while json.loads(socket.recv(30))["type"] != "bookmark":
            pass
        yield socket


def close_code(socket: ClientConnection) -> int:
    """Read until the server closes."""
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(30)
    return closed.value.rcvd.code if closed.value.rcvd else 0


def status_of(replicas: Replicas, place: int, session: str) -> int:
    """Return the status of a call with a session."""
    headers = headers_of(replicas, place, session)
    return httpx2.get(f"{replicas.urls[place]}/stores", headers=headers, timeout=30).status_code


def test_a_sign_out_closes_the_sockets_of_its_session_on_every_replica_and_no_others(replicas: Replicas) -> None:
    session, other = session_of(replicas), session_of(replicas)
    with ExitStack() as opened:
        ended = [
            opened.enter_context(listening(replicas, place, headers_of(replicas, place, session))) for place in (0, 1)
        ]
        kept = [
            opened.enter_context(listening(replicas, 1, headers))
            for headers in (headers_of(replicas, 1, other), {"Authorization": f"Bearer {TOKEN}"})
        ]
        headers = {**headers_of(replicas, 0, session), "Origin": replicas.urls[0]}
        assert httpx2.delete(f"{replicas.urls[0]}/session", headers=headers, timeout=30).status_code == 204
        assert status_of(replicas, 0, session) == 401
        assert [close_code(socket) for socket in ended] == [4401, 4401]
        assert [status_of(replicas, place, session) for place in (0, 1)] == [401, 401]
        assert [status_of(replicas, place, other) for place in (0, 1)] == [200, 200]
        replicas.create_store(f"shop-{replicas.ports[0]}")
        assert [json.loads(socket.recv(30))["type"] for socket in kept] == ["delta", "delta"]


def test_an_ended_session_stays_ended_after_a_restart_and_another_does_not_end(replicas: Replicas) -> None:
    session, other = session_of(replicas), session_of(replicas)
    headers = {**headers_of(replicas, 1, session), "Origin": replicas.urls[1]}
    assert httpx2.delete(f"{replicas.urls[1]}/session", headers=headers, timeout=30).status_code == 204
    replicas.restart()
    assert [status_of(replicas, place, session) for place in (0, 1)] == [401, 401]
    assert [status_of(replicas, place, other) for place in (0, 1)] == [200, 200]
