"""Waiting for a store to become Ready, or to be gone, while its timeline is told on standard error."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from urumi.cli.connection import news
from urumi.cli.store_lines import event_line, unseen
from urumi.cli.terminal import say
from urumi.cli.tracking import OneStore
from urumi.errors import UrumiError
from urumi.store import Phase
from urumi.text import error_text, printable, progress_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from urumi.config import Target
    from urumi.wire import Store


class AwaitedStoreError(UrumiError):
    """Raised when the awaited store Failed, went away, or time ran out; the store goes on by itself."""

    exit_code = 7


async def until_ready(target: Target, store: Store, timeout_seconds: float) -> Store:
    """Return the store once it is Ready or Failed.

    Raises:
        AwaitedStoreError: where it is being deleted, or time ran out.
    """
    awaited = OneStore(store, is_seen=False)
    await _until(_is_decided, awaited, _Narrator(), target, "Ready", timeout_seconds)
    return awaited.store


async def until_gone(target: Target, store: Store, timeout_seconds: float) -> None:
    """Return once nothing of the store is left.

    Raises:
        AwaitedStoreError: where time ran out.
    """
    awaited = OneStore(store, is_seen=True)
    narrator = _Narrator()
    unseen(store.events, narrator.told_events)
    await _until(lambda one: one.is_gone, awaited, narrator, target, "gone", timeout_seconds)


def failure(store: Store) -> AwaitedStoreError:
    """Return the error that says why a store is not Ready."""
    if store.last_error is None:
        return AwaitedStoreError(f"Store {store.store_id} is {store.phase}.", hint=_look(store))
    words = printable(error_text(store.last_error)).rstrip(".")
    hint = printable(store.last_error.hint) or f"Try again: urumi retry {store.store_id}"
    return AwaitedStoreError(f"Store {store.store_id} is {store.phase}: {words}.", hint=hint)


async def _until(
    is_reached: Callable[[OneStore], bool],
    awaited: OneStore,
    narrator: _Narrator,
    target: Target,
    wish: str,
    timeout_seconds: float,
) -> None:
    try:
        async with (
            asyncio.timeout(timeout_seconds),
            aclosing(news(target, (awaited.store.store_id,))) as events,
        ):
            async for event in events:
                if awaited.apply(event):
                    narrator.tell(awaited.store)
                if is_reached(awaited):
                    return
    except TimeoutError:
        raise _out_of_time(awaited.store, wish, timeout_seconds) from None


class _Narrator:
    """Tells what is new of a store: events of its timeline, and between them what it is at."""

    def __init__(self) -> None:
        self.told_events: set[tuple[object, ...]] = set()
        self._told_standing = ""

    def tell(self, store: Store) -> None:
        """Say what was not said yet."""
        events = unseen(store.events, self.told_events)
        for event in events:
            say(event_line(event))
        words = progress_text(store)
        if not events and words != self._told_standing:
            say(f"  {printable(words)}")
        self._told_standing = words


def _is_decided(awaited: OneStore) -> bool:
    if awaited.is_gone or awaited.store.phase in (Phase.DELETING, Phase.DELETED):
        raise AwaitedStoreError(f"Store {awaited.store.store_id} was deleted while it was waited for.")
    return awaited.is_seen and awaited.store.phase in (Phase.READY, Phase.FAILED)


def _out_of_time(store: Store, wish: str, timeout_seconds: float) -> AwaitedStoreError:
    words = ", ".join(filter(None, (store.phase.value, printable(progress_text(store)).rstrip("."))))
    return AwaitedStoreError(
        f"Store {store.store_id} is not {wish} after {timeout_seconds:g} s; it is {words}.",
        hint=f"It goes on by itself. {_look(store)}",
    )


def _look(store: Store) -> str:
    return f"Look: urumi get {store.store_id}"
