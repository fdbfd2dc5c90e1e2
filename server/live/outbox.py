"""The outbox of one subscriber: the ids of the stores whose current state it has not been sent yet.

It holds store ids, not frames: a store that changes again before it was sent moves to the end and is sent once, in its
newest state. So an outbox never holds more entries than there are stores. Ids leave one at a time, and the first id has
the lowest seq of all that are in the outbox: frames are sent in the order of their seq, each state once, and the seq of
the last frame is a position to resume from.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Outbox:
    """The pending changes of one subscriber.

    Args:
        store_ids: the stores of its subscription, None for all.
        write: writes whole frames; returns False if the subscriber is behind, raises ConnectionEnded if it is gone.
    """

    def __init__(self, store_ids: frozenset[str] | None, write: Callable[[bytes], bool]) -> None:
        self.goodbye = False
        self.is_behind = False
        self.is_idle = False
        self.failure: Exception | None = None
        self.write = write
        self._store_ids = store_ids
        self._pending: dict[str, None] = {}
        self._woken = asyncio.Event()

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def has_all_stores(self) -> bool:
        """Return whether the subscription has every store."""
        return self._store_ids is None

    def subscribes_to(self, store_id: str) -> bool:
        """Return whether the subscription has this store."""
        return self._store_ids is None or store_id in self._store_ids

    def enqueue(self, store_id: str) -> None:
        """Add a store, or move it to the end."""
        if self.subscribes_to(store_id):
            self._pending.pop(store_id, None)
            self._pending[store_id] = None

    def dequeue(self) -> str | None:
        """Remove and return the first store."""
        store_id = self.first()
        if store_id is not None:
            del self._pending[store_id]
        return store_id

    def first(self) -> str | None:
        """Return the store that is sent next."""
        return next(iter(self._pending), None)

    def clear(self) -> None:
        """Drop all entries, because a snapshot contains them."""
        self._pending.clear()

    async def wait(self, seconds: float) -> bool:
        """Let the hub send the changes until the writer has something to do; return False if the time passed.

        Raises:
            ConnectionEnded, TooFarBehind: the hub could not send a change.
        """
        if not self._pending and not self.goodbye:
            self.is_idle = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._woken.wait()
            self.is_idle = False
        self._woken.clear()
        if self.failure is not None:
            raise self.failure
        return self.is_behind or self.goodbye or bool(self._pending)

    def wake(self) -> None:
        """Return the sending to the writer."""
        self.is_idle = False
        self._woken.set()

    def say_goodbye(self) -> None:
        """Make the writer send a goodbye frame, because the server stops."""
        self.goodbye = True
        self.wake()
