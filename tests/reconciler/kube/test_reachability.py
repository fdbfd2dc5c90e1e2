"""From when on an outage of the API server is told, and when it is over; what makes one is in test_kube.py."""

import asyncio

import pytest

from reconciler.kube import reachability as module
from reconciler.kube.reachability import TOLD_AFTER_SECONDS, UNHEARD_SECONDS, Outage

pytestmark = pytest.mark.anyio


class Clock:
    """A clock that is set by hand."""

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


async def test_a_moment_is_not_told_and_what_lasts_is(clock: Clock) -> None:
    outage = Outage("https://k:6443")
    outage.unanswered("refused")
    clock.now += TOLD_AFTER_SECONDS - 0.1
    outage.unanswered("reset")
    assert outage.told() == ""
    clock.now += 0.1
    assert outage.told() == "reset"
    outage.answered()
    assert outage.told() == ""


async def test_a_call_that_waits_alone_is_told_and_giving_it_up_makes_nothing_better(clock: Clock) -> None:
    outage = Outage("https://k:6443")
    outage.asked()
    clock.now += UNHEARD_SECONDS
    assert outage.told() == "The Kubernetes API at https://k:6443 does not answer: nothing for 6 s."
    outage.asked()
    assert outage.told() == "The Kubernetes API at https://k:6443 does not answer: nothing for 6 s."
    outage.unanswered("TimeoutError")
    assert outage.told() == "TimeoutError", "the next call is as good as the first"
    outage.answered()
    assert outage.told() == ""


async def test_an_answer_to_any_call_ends_the_wait(clock: Clock) -> None:
    outage = Outage("https://k:6443")
    outage.asked()
    clock.now += UNHEARD_SECONDS - 0.1
    outage.answered()
    outage.asked()
    clock.now += UNHEARD_SECONDS - 0.1
    assert outage.told() == ""


async def test_its_end_calls_who_waits(clock: Clock) -> None:
    outage = Outage("https://k:6443")
    await outage.over()
    outage.unanswered("refused")
    waiting = asyncio.create_task(outage.over())
    await asyncio.sleep(0)
    assert not waiting.done()
    outage.answered()
    await waiting
