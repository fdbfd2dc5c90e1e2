"""Sessions over two replicas: valid on each, ended on each at once, also for other cookies of the same name."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx2
import pytest
from starlette.requests import HTTPConnection

from reconciler.leaderelection.lease import LEASES
from server.auth.authority import SharedToken
from server.auth.ended_sessions import LEASE_NAME, PREFIX, EndedSessions
from server.auth.session_cookie import HOST_NAME, SessionCookie
from server.auth.sessions import Sessions
from server.http.problems import ProblemError
from testing.apiserver.server import ApiServer
from tests.server.inprocess import TOKEN, URL, InProcess, served
from urumi.errors import ClusterUnreachable

pytestmark = pytest.mark.anyio
NAMESPACE = "store-platform"
COOKIE = SessionCookie(HOST_NAME, "/", is_secure=True)


@dataclass
class Clock:
    """A clock that a test moves."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@contextlib.asynccontextmanager
async def replica(kube: ApiServer, clock: Callable[[], float] | None = None) -> AsyncIterator[EndedSessions]:
    """Run the record of one replica."""
    ended = EndedSessions(kube, NAMESPACE, **({"clock": clock} if clock else {}))
    running = asyncio.create_task(ended.run())
    try:
        async with asyncio.timeout(30):
            await ended.until_known()
        yield ended
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def sessions(ended: EndedSessions, token: str = TOKEN, seconds: int = 600) -> Sessions:
    """Return the sessions of a replica."""
    return Sessions(SharedToken(token), ended, seconds)


def sent(*values: str) -> HTTPConnection:
    """Return a request with these cookies."""
    cookies = "; ".join(f"{HOST_NAME}={value}" for value in values)
    return HTTPConnection({"type": "http", "scheme": "https", "headers": [(b"cookie", cookies.encode())]})


async def test_a_session_is_valid_on_every_replica_and_after_a_restart_until_it_expires() -> None:
    kube = ApiServer(NAMESPACE)
    async with replica(kube) as one, replica(kube) as two:
        value = sessions(one).begin(TOKEN, COOKIE)
        assert [each.token for each in sessions(two).of(sent(value))] == [TOKEN]
        expired = sessions(one, seconds=-1).begin(TOKEN, COOKIE)
        assert sessions(two).of(sent(expired)) == []


async def test_a_changed_cookie_or_another_token_is_no_session() -> None:
    async with replica(ApiServer(NAMESPACE)) as ended:
        value = sessions(ended).begin(TOKEN, COOKIE)
        session_id, expiry, proof = value.split(".")
        changed = [
            "", ".", "..", value[:-1], f"{session_id}.{expiry}", f"{session_id}.{int(expiry) + 1}.{proof}",
            f"{'0' * 32}.{expiry}.{proof}", f"{session_id}.{expiry}.²", f"²{session_id}.{expiry}.{proof}",
        ]  # fmt: skip
        assert sessions(ended).of(sent(*changed)) == []
        assert sessions(ended, token="another").of(sent(value)) == []


async def test_an_ended_session_is_refused_by_every_replica_and_after_a_restart() -> None:
    kube = ApiServer(NAMESPACE)
    async with replica(kube) as one, replica(kube) as two:
        value, other = (sessions(one).begin(TOKEN, COOKIE) for _ in range(2))
        (session,) = sessions(one).of(sent(value))
        waiting = asyncio.create_task(sessions(two).until_ended(session))
        await sessions(one).end(session)
        assert sessions(one).of(sent(value)) == []
        async with asyncio.timeout(30):
            await waiting
        assert sessions(two).of(sent(value)) == []
        assert len(sessions(two).of(sent(other))) == 1
    async with replica(kube) as restarted:
        assert sessions(restarted).of(sent(value)) == []


async def test_replicas_that_end_sessions_at_the_same_time_lose_none() -> None:
    kube = ApiServer(NAMESPACE)
    async with replica(kube) as one, replica(kube) as two:
        await asyncio.gather(*(each.end(f"{number:032x}", 2_000_000_000) for number, each in enumerate([one, two] * 5)))
    async with replica(kube) as three:
        assert all(f"{number:032x}" in three for number in range(10))


async def test_the_record_keeps_no_session_that_has_expired() -> None:
    kube, clock = ApiServer(NAMESPACE), Clock()
    async with replica(kube, clock) as ended:
        await ended.end("a" * 32, int(clock.now) + 10)
        clock.now += 600
        await ended.end("b" * 32, int(clock.now) + 10)
    lease = await kube.get(LEASES, LEASE_NAME, NAMESPACE)
    assert lease is not None
    assert list(lease["metadata"]["annotations"]) == [f"{PREFIX}{'b' * 32}"]


async def test_no_session_is_accepted_before_the_record_is_known() -> None:
    unknown = EndedSessions(ApiServer(NAMESPACE), NAMESPACE)
    with pytest.raises(ClusterUnreachable, match="Sessions cannot be checked yet: the server has just started"):
        sessions(unknown).of(sent("anything"))
    assert sessions(unknown).of(sent()) == []


async def test_a_sign_out_that_cannot_be_recorded_fails_and_the_session_continues() -> None:
    kube = ApiServer(NAMESPACE)
    async with replica(kube) as ended:
        value = sessions(ended).begin(TOKEN, COOKIE)
        (session,) = sessions(ended).of(sent(value))
        kube.fail("merge", LEASES, ClusterUnreachable("away"))
        with pytest.raises(ClusterUnreachable):
            await sessions(ended).end(session)
        assert len(sessions(ended).of(sent(value))) == 1


class PlainTokens(SharedToken):
    """An authority whose proof is the token, as that of a cluster."""

    def proof(self, claim: str, token: str) -> str:
        """Return the token."""
        return token


async def test_a_token_that_no_browser_keeps_in_a_cookie_is_refused_with_the_limit() -> None:
    async with replica(ApiServer(NAMESPACE)) as ended:
        begin = Sessions(PlainTokens(TOKEN), ended, 600).begin
        with pytest.raises(ProblemError) as refused:
            begin("x" * 6000, COOKIE)
        most = int(str(refused.value.errors[0]["message"]).split()[5])
        assert "it has 6000 characters, and browsers keep cookies of at most 4096 bytes" in refused.value.message
        assert most > 4000
        begin("x" * most, COOKIE)
        with pytest.raises(ProblemError):
            begin("x" * (most + 1), COOKIE)


async def sign_in(server: InProcess) -> httpx2.Response:
    """Sign in as the page does."""
    return await server.request("POST", "/session", {"token": TOKEN}, {"Origin": URL})


async def test_the_old_cookie_is_refused_after_a_sign_out() -> None:
    async with served() as server:
        cookie = (await sign_in(server)).headers["Set-Cookie"].partition(";")[0]
        server.http.cookies.clear()
        headers = {"Cookie": cookie, "Origin": URL}
        assert (await server.request("GET", "/stores", headers=headers)).status_code == 200
        signed_out = await server.request("DELETE", "/session", headers=headers)
        server.http.cookies.clear()
        assert signed_out.status_code == 204
        assert "Max-Age=0" in signed_out.headers["Set-Cookie"]
        assert (await server.request("GET", "/stores", headers=headers)).status_code == 401
        assert (await server.request("GET", "/stores")).status_code == 200


async def test_a_tossed_cookie_does_not_displace_the_session() -> None:
    async with served() as server:
        name, _, value = (await sign_in(server)).headers["Set-Cookie"].partition(";")[0].partition("=")
        server.http.cookies.clear()
        other = "0" * 32 + ".99999999999." + "0" * 64
        for order in ((other, value), (value, other)):
            cookies = "; ".join(f"{name}={each}" for each in order)
            assert (await server.request("GET", "/session", headers={"Cookie": cookies})).json() == {"user": "admin"}
