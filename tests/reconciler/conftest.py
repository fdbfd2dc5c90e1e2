"""Platforms in this process for the tests of steps."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from reconciler.helm.runner import Helm
from tests.reconciler.harness import Harness

MakeHarness = Callable[..., AbstractAsyncContextManager[Harness]]


@pytest.fixture
def make_harness(monkeypatch: pytest.MonkeyPatch) -> MakeHarness:
    """Return how to start a platform with its own settings.

    Informers count as current immediately, because a reconcile of the harness waits for them; Helm is a fake.
    """
    monkeypatch.setattr("reconciler.reconcile.term_state.SETTLE_SECONDS", 0.0)

    @contextlib.asynccontextmanager
    async def started_harness(**settings: Any) -> AsyncIterator[Harness]:
        harness = Harness(**settings)
        monkeypatch.setattr(Helm, "install", lambda _, *arguments: harness.helm.install(*arguments))
        monkeypatch.setattr(Helm, "uninstall", lambda _, *arguments: harness.helm.uninstall(*arguments))
        await harness.start()
        try:
            yield harness
        finally:
            await harness.close()

    return started_harness


@pytest.fixture
async def harness(make_harness: MakeHarness) -> AsyncIterator[Harness]:
    """A running platform with default settings."""
    async with make_harness() as harness:
        yield harness
