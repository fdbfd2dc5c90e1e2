"""When an outage of the API server is reported and when it ends; what causes one is in test_client.py."""

import asyncio

import pytest

from reconciler.kube import reachability as module
from reconciler.kube.reachability import NO_RESPONSE_SECONDS, REPORTED_AFTER_SECONDS, Outage

pytestmark = pytest.mark.anyio


class Clock:
    """A clock that the test sets."""

    now = 1000.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the module."""
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


async def test_a_short_outage_is_not_reported_and_a_longer_one_is(clock: Clock) -> None:
    outage = Outage("https://k:6443")
    outage.call_failed("refused")
    clock.now += REPORTED_AFTER_SECONDS - 0.1
    outage.call_failed("reset")
    assert outage.message() == ""
    clock.now += 0.1
    assert outage.message() == "reset"
    outage.call_succeeded()
    assert outage.message() == ""


async def test_a_pending_call_is_reported_and_its_timeout_does_not_end_the_outage(clock: Clock) -> None:
    outage = Outage("https://k:6443")
    outage.call_started()
    clock.now += NO_RESPONSE_SECONDS
    assert outage.message() == "The Kubernetes API at https://k:6443 does not answer: no response for 6 s."
    outage.call_started()
    assert outage.message() == "The Kubernetes API at https://k:6443 does not answer: no response for 6 s."
    outage.call_failed("TimeoutError")
    assert outage.message() == "TimeoutError"
    outage.call_succeeded()
    assert outage.message() == ""


async def test_a_response_to_any_call_ends_the_wait(clock: Clock) -> None:
    outage = Outage("https://k:6443")
    outage.call_started()
    clock.now += NO_RESPONSE_SECONDS - 0.1
    outage.call_succeeded()
    outage.call_started()
    clock.now += NO_RESPONSE_SECONDS - 0.1
    assert outage.message() == ""


async def test_the_end_of_an_outage_wakes_waiters(clock: Clock) -> None:
    outage = Outage("https://k:6443")
    await outage.ended()
    outage.call_failed("refused")
    waiting = asyncio.create_task(outage.ended())
    await asyncio.sleep(0)
    assert not waiting.done()
    outage.call_succeeded()
    await waiting
