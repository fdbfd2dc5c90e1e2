"""The elector over the double of the API server: how it wins, waits, renews, loses and releases the Lease.

The test sets the clock, so that nothing expires unless the test advances it. The watchdog is a double that records its
input; the real one is in test_watchdog.py.
"""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import ClassVar, Self

import pytest

from reconciler.leaderelection import elector as module
from reconciler.leaderelection.elector import Elector, LeaderTerm
from reconciler.leaderelection.lease import LEASES
from reconciler.leaderelection.watchdog import Watchdog
from testing.apiserver.server import ApiServer
from tests.reconciler.leaderelection.conftest import NAMESPACE, OtherReplica
from urumi.errors import ClusterError, ClusterUnreachable

pytestmark = pytest.mark.anyio

# The interval of renewals follows from it, in real time; expiry follows the clock of the test.
LEASE_SECONDS = 0.06
PATIENCE_SECONDS = 20.0


class Clock:
    """A clock that the test sets."""

    now = 1000.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now


class WatchdogDouble(Watchdog):
    """Records how long Helm may run, and starts no process."""

    allowed: ClassVar[list[float]] = []

    async def __aenter__(self) -> Self:
        """Start nothing."""
        return self

    async def allow(self, seconds: float) -> None:
        """Record the time."""
        self.allowed.append(seconds)


class Work:
    """What a leader does: it records its terms and works until it is cancelled."""

    def __init__(self, other: OtherReplica) -> None:
        self.terms: list[LeaderTerm] = []
        self.holders_at_end: list[str] = []
        self.error: Exception | None = None
        self._other = other

    async def lead(self, term: LeaderTerm) -> None:
        """Work, then record who holds the Lease when the work has stopped."""
        self.terms.append(term)
        try:
            if self.error is not None:
                raise self.error
            await asyncio.Event().wait()
        finally:
            self.holders_at_end.append((await self._other.read()).holder)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the elector."""
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the watchdog was sent."""
    WatchdogDouble.allowed = []
    monkeypatch.setattr(module, "Watchdog", WatchdogDouble)
    return WatchdogDouble.allowed


@pytest.fixture
def elector(clock: Clock, server: ApiServer) -> Elector:
    """The elector under test."""
    return Elector(server, NAMESPACE, LEASE_SECONDS)


@pytest.fixture
def work(other: OtherReplica) -> Work:
    """The work of the leader."""
    return Work(other)


@contextlib.asynccontextmanager
async def running(elector: Elector, lead: Callable[[LeaderTerm], Awaitable[None]]) -> AsyncIterator[asyncio.Task[None]]:
    """Run the elector; cancel it at the end."""
    task = asyncio.create_task(elector.run(lead))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.001)


def lease_calls(server: ApiServer, method: str) -> int:
    """Return how many such calls were made."""
    return sum(call[0] == method for call in server.calls)


async def test_a_free_lease_is_acquired_and_renewed(
    elector: Elector, work: Work, server: ApiServer, other: OtherReplica, allowed: list[float]
) -> None:
    async with running(elector, work.lead):
        await until(lambda: lease_calls(server, "replace") >= 3)
        record = await other.read()
        assert (record.holder, record.fencing_token) == (elector.identity, 1)
        assert elector.is_leading
        assert [term.fencing_token for term in work.terms] == [1]
    assert allowed[0] == pytest.approx(LEASE_SECONDS * 0.8)
    assert len(allowed) >= 3


async def test_a_lease_that_is_renewed_by_another_replica_is_not_acquired(
    elector: Elector, work: Work, server: ApiServer, other: OtherReplica, clock: Clock
) -> None:
    await other.take()
    async with running(elector, work.lead):
        for _ in range(3):
            await other.take()
            reads = lease_calls(server, "get")
            await until(lambda reads=reads: lease_calls(server, "get") >= reads + 2)  # type: ignore[misc]
            clock.now += 0.9
        assert not elector.is_leading
        assert elector.lease_record.holder == other.identity
    assert work.terms == []


async def test_a_lease_that_is_not_renewed_is_taken_over_with_the_next_token(
    elector: Elector, work: Work, server: ApiServer, other: OtherReplica, clock: Clock
) -> None:
    await other.take()
    async with running(elector, work.lead):
        await until(lambda: lease_calls(server, "get") >= 2)
        assert not elector.is_leading
        # The lease of the other replica is longer than the elector's own.
        clock.now += 1.01
        await until(lambda: elector.is_leading)
        assert work.terms[0].fencing_token == 2


async def test_a_lease_that_its_holder_released_is_acquired_at_once(
    elector: Elector, work: Work, other: OtherReplica
) -> None:
    await other.take()
    other.identity = ""
    await other.take()
    async with running(elector, work.lead):
        await until(lambda: elector.is_leading)
    assert [term.fencing_token for term in work.terms] == [3]


@pytest.fixture
def dead_identity() -> str:
    """The identity of a process of this machine that has ended."""
    code = "from reconciler.leaderelection.identity import new_identity; print(new_identity())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a boot id and pid namespaces")
async def test_the_lease_of_a_dead_process_of_this_machine_is_taken_over_at_once(
    elector: Elector, work: Work, other: OtherReplica, dead_identity: str
) -> None:
    await other.take(dead_identity)
    async with running(elector, work.lead):
        await until(lambda: elector.is_leading)
    assert [term.fencing_token for term in work.terms] == [2]


@pytest.mark.parametrize("method", ["create", "replace"])
async def test_a_candidate_that_loses_the_race_for_the_lease_waits(
    elector: Elector, work: Work, server: ApiServer, other: OtherReplica, clock: Clock, method: str
) -> None:
    if method == "replace":
        await other.take()
        clock.now += 5
        elector._changed_at = 0.0
        elector.lease_record = await other.read()
    server.before(method, LEASES, other.take)
    async with running(elector, work.lead):
        await until(lambda: elector.lease_record.holder == other.identity and lease_calls(server, "get") >= 3)
        assert not elector.is_leading
    assert work.terms == []


async def test_errors_during_a_campaign_are_retried(elector: Elector, work: Work, server: ApiServer) -> None:
    server.fail("get", LEASES, ClusterUnreachable("no answer"), times=2)
    server.fail("create", LEASES, ClusterError("leases is forbidden", status=403))
    async with running(elector, work.lead):
        await until(lambda: elector.is_leading)
    assert [term.fencing_token for term in work.terms] == [1]


async def test_a_leader_whose_lease_another_replica_took_stops_at_once(
    elector: Elector, work: Work, server: ApiServer, other: OtherReplica
) -> None:
    async with running(elector, work.lead):
        await until(lambda: elector.is_leading)
        server.before("replace", LEASES, other.take)
        await until(lambda: elector.leader_term is None)
        assert not work.terms[0].is_valid()
        assert elector.lease_record.holder == other.identity
    assert work.holders_at_end == [other.identity]
    assert (await other.read()).holder == other.identity, "the lease of the other replica is not released"


async def test_a_leader_whose_lease_was_deleted_stops_and_campaigns_again(
    elector: Elector, work: Work, server: ApiServer
) -> None:
    async def delete() -> None:
        await server.as_manager("kubectl").delete_all(LEASES, NAMESPACE)

    async with running(elector, work.lead):
        await until(lambda: elector.is_leading)
        server.before("replace", LEASES, delete)
        await until(lambda: len(work.terms) == 2)
    assert not work.terms[0].is_valid()


async def test_a_renewal_whose_response_was_lost_ends_no_term(
    elector: Elector, work: Work, server: ApiServer, allowed: list[float]
) -> None:
    async with running(elector, work.lead):
        await until(lambda: elector.is_leading)
        server.fail("replace", LEASES, ClusterUnreachable("no answer"), takes_effect=True)
        reads, renewals = lease_calls(server, "get"), len(allowed)
        await until(lambda: lease_calls(server, "get") > reads and len(allowed) > renewals + 2)
        assert elector.is_leading
    assert len(work.terms) == 1


async def test_a_leader_without_connection_stops_at_its_deadline_and_leads_again_later(
    elector: Elector, work: Work, server: ApiServer, clock: Clock
) -> None:
    async with running(elector, work.lead):
        await until(lambda: elector.is_leading)
        server.fail("replace", LEASES, ClusterUnreachable("no answer"), times=10_000)
        failed = lease_calls(server, "replace")
        await until(lambda: lease_calls(server, "replace") > failed + 2)
        assert elector.is_leading, "failed renewals alone end no term"
        clock.now += LEASE_SECONDS * 2 / 3
        await until(lambda: not elector.is_leading)
        await until(lambda: elector.leader_term is None)
        server.clear_faults()
        await until(lambda: elector.is_leading)
    assert [term.fencing_token for term in work.terms] == [1, 2]


async def test_a_renewal_that_gets_no_response_is_given_up_at_the_deadline(
    elector: Elector, work: Work, server: ApiServer, clock: Clock
) -> None:
    async with running(elector, work.lead):
        await until(lambda: elector.is_leading)
        hung = asyncio.Event()

        async def hang() -> None:
            hung.set()
            clock.now += LEASE_SECONDS
            await asyncio.Event().wait()

        server.before("replace", LEASES, hang)
        await until(hung.is_set)
        await until(lambda: len(work.terms) == 2)
    assert not work.terms[0].is_valid()


async def test_a_cancelled_leader_stops_its_work_before_it_releases_the_lease(
    elector: Elector, work: Work, other: OtherReplica
) -> None:
    async with running(elector, work.lead):
        await until(lambda: elector.is_leading)
    assert work.holders_at_end == [elector.identity]
    record = await other.read()
    assert (record.holder, record.fencing_token) == ("", 1)
    assert not work.terms[0].is_valid()
    assert not elector.is_leading


async def test_the_lease_is_renewed_while_the_work_stops(elector: Elector, server: ApiServer) -> None:
    stopped = asyncio.Event()

    async def lead(term: LeaderTerm) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            renewals = lease_calls(server, "replace")
            await until(lambda: lease_calls(server, "replace") > renewals)
            stopped.set()

    async with running(elector, lead):
        await until(lambda: elector.is_leading)
    assert stopped.is_set()


async def test_an_error_of_the_work_ends_the_elector_and_releases_the_lease(
    elector: Elector, work: Work, other: OtherReplica
) -> None:
    work.error = RuntimeError("a defect")
    with pytest.raises(RuntimeError, match="a defect"):
        await elector.run(work.lead)
    assert (await other.read()).holder == ""


@pytest.mark.parametrize("is_hung", [False, True])
async def test_a_lease_that_cannot_be_released_delays_no_stop(
    elector: Elector, work: Work, server: ApiServer, other: OtherReplica, monkeypatch: pytest.MonkeyPatch, is_hung: bool
) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "RELEASE_SECONDS", 0.01)
    async with running(elector, work.lead):
        await until(lambda: elector.is_leading)
        if is_hung:
            server.before("get", LEASES, hang)
        else:
            server.fail("get", LEASES, ClusterUnreachable("no answer"))
    assert (await other.read()).holder == elector.identity


async def test_a_term_counts_from_the_request_of_a_renewal(clock: Clock) -> None:
    term = LeaderTerm(7, deadline_seconds=10, kill_seconds=12, watchdog=WatchdogDouble())
    assert not term.is_valid()
    requested_at = clock.now
    clock.now += 3
    await term.extend(requested_at)
    assert WatchdogDouble.allowed == [9]
    assert term.seconds_left() == 7
    clock.now += 7
    assert not term.is_valid()
    assert term.seconds_left() == 0


async def test_a_term_that_was_ended_is_invalid(clock: Clock) -> None:
    term = LeaderTerm(7, deadline_seconds=10, kill_seconds=12, watchdog=WatchdogDouble())
    await term.extend(clock.now)
    term.end()
    assert not term.is_valid()
