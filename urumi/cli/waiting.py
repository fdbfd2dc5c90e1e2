"""Waiting until a store is Ready or gone, while its timeline is reported on standard error."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from urumi.cli.connection import store_events
from urumi.cli.store_lines import event_line, unseen
from urumi.cli.terminal import report
from urumi.cli.tracking import TrackedStore
from urumi.errors import UrumiError
from urumi.store import Phase
from urumi.text import error_text, printable, progress_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from urumi.config import Target
    from urumi.wire import Store


class AwaitedStoreError(UrumiError):
    """Raised when the awaited store failed, was deleted, or the timeout elapsed; its reconciliation continues."""

    exit_code = 7


async def until_ready(target: Target, store: Store, timeout_seconds: float) -> Store:
    """Return the store once it is Ready or Failed.

    Raises:
        AwaitedStoreError: if it is being deleted, or the timeout elapsed.
    """

    def is_decided(tracked: TrackedStore) -> bool:
        if tracked.is_gone or tracked.store.phase is Phase.DELETING:
            raise AwaitedStoreError(f"Store {store.store_id} was deleted while waiting for it.")
        return tracked.is_seen and tracked.store.phase in (Phase.READY, Phase.FAILED)

    tracked = TrackedStore(store, is_seen=False)
    await _until(is_decided, tracked, _TimelineReporter(), target, "Ready", timeout_seconds)
    return tracked.store


async def until_gone(target: Target, store: Store, timeout_seconds: float) -> None:
    """Return once nothing of the store is left.

    Raises:
        AwaitedStoreError: if the timeout elapsed.
    """
    tracked, reporter = TrackedStore(store, is_seen=True), _TimelineReporter()
    unseen(store.events, reporter.reported_events)
    await _until(lambda tracked: tracked.is_gone, tracked, reporter, target, "gone", timeout_seconds)


def failure(store: Store) -> AwaitedStoreError:
    """Return the error that states why a store is not Ready."""
    if store.last_error is None:
        hint = f"Run `urumi get {store.store_id}` for details."
        return AwaitedStoreError(f"Store {store.store_id} is {store.phase}.", hint=hint)
    cause = printable(error_text(store.last_error)).rstrip(".")
    hint = printable(store.last_error.hint) or f"Run `urumi retry {store.store_id}` to try again."
    return AwaitedStoreError(f"Store {store.store_id} is {store.phase}: {cause}.", hint=hint)


async def _until(
    is_reached: Callable[[TrackedStore], bool],
    tracked: TrackedStore,
    reporter: _TimelineReporter,
    target: Target,
    goal: str,
    timeout_seconds: float,
) -> None:
    try:
        async with (
            asyncio.timeout(timeout_seconds),
            aclosing(store_events(target, (tracked.store.store_id,))) as events,
        ):
            async for event in events:
                if tracked.apply(event):
                    reporter.store_changed(tracked.store)
                if is_reached(tracked):
                    return
    except TimeoutError:
        store = tracked.store
        state = ", ".join(filter(None, (store.phase.value, printable(progress_text(store)).rstrip("."))))
        raise AwaitedStoreError(
            f"Store {store.store_id} is not {goal} after {timeout_seconds:g} s: {state}.",
            hint=f"Run `urumi get {store.store_id}` for details; the operation continues.",
        ) from None


class _TimelineReporter:
    """Reports new events of a store's timeline, and its progress between them."""

    def __init__(self) -> None:
        self.reported_events: set[tuple[object, ...]] = set()
        self._reported_progress = ""

    def store_changed(self, store: Store) -> None:
        """Report what is new."""
        events = unseen(store.events, self.reported_events)
        for event in events:
            report(event_line(event))
        progress = progress_text(store)
        if progress and not events and progress != self._reported_progress:
            report(f"  {printable(progress)}")
        self._reported_progress = progress
