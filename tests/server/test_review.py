"""The cache of reviews: how long, how many, and how often a review is requested."""

import asyncio

import pytest

from server.auth.token_review import ReviewCache
from urumi.errors import ClusterUnreachable

pytestmark = pytest.mark.anyio
KEY = ("a-token", "list")


class Answers:
    """Completes a review on request, and counts the reviews."""

    def __init__(self, answer: bool | None = True) -> None:
        self.answer = answer
        self.count = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self) -> bool | None:
        self.count += 1
        await self.may_answer.wait()
        return self.answer


async def test_a_review_is_requested_once_while_it_is_cached() -> None:
    memory: ReviewCache[bool] = ReviewCache(600, 600)
    answers = Answers()
    assert [await memory.get(KEY, answers) for _ in range(5)] == [True] * 5
    assert answers.count == 1


async def test_an_expired_review_is_requested_again() -> None:
    memory: ReviewCache[bool] = ReviewCache(0.0, 0.0)
    answers = Answers()
    for _ in range(3):
        await memory.get(KEY, answers)
    assert answers.count == 3


async def test_a_refusal_counts_for_a_shorter_time() -> None:
    memory: ReviewCache[bool] = ReviewCache(600, 0.0)
    refused, allowed = Answers(None), Answers(True)
    for _ in range(2):
        assert await memory.get(KEY, refused) is None
        assert await memory.get(("another", "list"), allowed) is True
    assert (refused.count, allowed.count) == (2, 1)


async def test_concurrent_callers_share_a_review_and_may_be_cancelled() -> None:
    memory: ReviewCache[bool] = ReviewCache(600, 600)
    answers = Answers()
    answers.may_answer.clear()
    waiting = [asyncio.create_task(memory.get(KEY, answers)) for _ in range(10)]
    while not answers.count:
        await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    answers.may_answer.set()
    assert await asyncio.gather(*waiting[1:]) == [True] * 9
    assert answers.count == 1


async def test_an_error_reaches_every_caller_and_is_not_cached() -> None:
    memory: ReviewCache[bool] = ReviewCache(600, 600)

    async def unreachable() -> bool | None:
        await asyncio.sleep(0)
        raise ClusterUnreachable("away")

    results = await asyncio.gather(*[memory.get(KEY, unreachable) for _ in range(3)], return_exceptions=True)
    assert [type(result) for result in results] == [ClusterUnreachable] * 3
    assert await memory.get(KEY, Answers()) is True


async def test_the_number_of_cached_answers_is_limited() -> None:
    memory: ReviewCache[bool] = ReviewCache(600, 600, size=8)
    answers = Answers()
    for number in range(100):
        await memory.get((f"token-{number}", "list"), answers)
    assert len(memory) == 8
