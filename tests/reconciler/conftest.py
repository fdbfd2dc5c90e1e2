"""Platforms in this process for the tests of steps."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from reconciler.helm.runner import Helm
from tests.reconciler.harness import Scene

Scenes = Callable[..., AbstractAsyncContextManager[Scene]]


@pytest.fixture
def scenes(monkeypatch: pytest.MonkeyPatch) -> Scenes:
    """Return how to start a platform with its own settings.

    Informers are trusted at once, because a reconcile of the scene waits for them; Helm is the scene's stand-in.
    """
    monkeypatch.setattr("reconciler.reconcile.term_state.SETTLE_SECONDS", 0.0)

    @contextlib.asynccontextmanager
    async def scene_with(**settings: Any) -> AsyncIterator[Scene]:
        scene = Scene(**settings)
        monkeypatch.setattr(Helm, "install", lambda _, *arguments: scene.helm.install(*arguments))
        monkeypatch.setattr(Helm, "uninstall", lambda _, *arguments: scene.helm.uninstall(*arguments))
        await scene.start()
        try:
            yield scene
        finally:
            await scene.close()

    return scene_with


@pytest.fixture
async def scene(scenes: Scenes) -> AsyncIterator[Scene]:
    """A running platform with default settings."""
    async with scenes() as scene:
        yield scene
