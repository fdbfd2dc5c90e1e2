"""The hub: every change of a store, numbered, to every subscriber, encoded once.

    Store informer --> publish (seq + 1, ring) --> outbox of each subscriber --> its socket's writer

An outbox holds store ids, not frames: a store that changes again before it was sent moves to the end of the box and
is sent once, as it is by then. So a box never holds more than there are stores, frames leave in the order of their
seq, and the seq of the last frame sent is a place to resume from. `epoch` names this life of the hub.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections import deque
from typing import TYPE_CHECKING

from server.view import store_view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.resources import Object

RING_SIZE = 8192
SNAPSHOT_PART = 100


class Outbox:
    """What one subscriber still has to be told."""

    def __init__(self, store_ids: frozenset[str] | None) -> None:
        self.goodbye = False
        self._store_ids = store_ids
        self._pending: dict[str, None] = {}
        self._filled = asyncio.Event()

    def wants(self, store_id: str) -> bool:
        """Return whether the subscriber asked for this store."""
        return self._store_ids is None or store_id in self._store_ids

    def offer(self, store_id: str) -> None:
        """Put a store in, or move it to the end."""
        if self.wants(store_id):
            self._pending.pop(store_id, None)
            self._pending[store_id] = None
            self._filled.set()

    def say_goodbye(self) -> None:
        """Tell the writer that the server stops."""
        self.goodbye = True
        self._filled.set()

    async def drain(self, seconds: float) -> list[str]:
        """Wait until something is in, at most some seconds, and take it all out."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._filled.wait()
        self._filled.clear()
        store_ids, self._pending = list(self._pending), {}
        return store_ids

    def first(self) -> str | None:
        """Return the store that is told next."""
        return next(iter(self._pending), None)


class Hub:
    """Numbers the changes of stores and hands them to subscribers; use from one event loop."""

    def __init__(self, find: Callable[[str], Object | None], stores: Callable[[], list[Object]]) -> None:
        self.epoch = secrets.token_hex(8)
        self.seq = 0
        self.outboxes: set[Outbox] = set()
        self._find = find
        self._stores = stores
        self._ring: deque[tuple[int, str]] = deque(maxlen=RING_SIZE)
        self._latest: dict[str, tuple[int, str]] = {}
        self._frames: dict[str, str] = {}

    def publish(self, before: Object | None, after: Object | None) -> None:
        """Take a change from the Store informer."""
        changed = after or before
        if changed is None:
            return
        store_id = changed["metadata"]["name"]
        self.seq += 1
        self._remember(store_id, changed["metadata"]["uid"])
        self._frames.pop(store_id, None)
        for outbox in self.outboxes:
            outbox.offer(store_id)

    def subscribe(self, outbox: Outbox, epoch: str, seq: int) -> bool:
        """Add a subscriber; True where the ring fills it up from its place, False where it needs a snapshot."""
        self.outboxes.add(outbox)
        oldest = self._ring[0][0] if self._ring else self.seq + 1
        if epoch != self.epoch or not oldest - 1 <= seq <= self.seq:
            return False
        for changed_seq, store_id in self._ring:
            if changed_seq > seq:
                outbox.offer(store_id)
        return True

    def snapshot(self, outbox: Outbox) -> Iterator[str]:
        """Yield the frames of a whole picture; take them at once, before anything else may change."""
        stores = [store for store in self._stores() if outbox.wants(store["metadata"]["name"])]
        parts = [stores[start : start + SNAPSHOT_PART] for start in range(0, len(stores), SNAPSHOT_PART)] or [[]]
        for number, part in enumerate(parts, start=1):
            frame = {
                "type": "snapshot",
                "epoch": self.epoch,
                "seq": self.seq,
                "stores": [store_view(store) for store in part],
                "last": number == len(parts),
            }
            yield json.dumps(frame)

    def reached(self, outbox: Outbox) -> int:
        """Return the seq up to which a subscriber has been told everything."""
        first = outbox.first()
        return self.seq if first is None else self._latest.get(first, (1, ""))[0] - 1

    def delta(self, store_id: str) -> str | None:
        """Return the frame that says how a store is now, the same object for every subscriber.

        None where the store is gone for so long that nobody remembers; such a subscriber has to start over.
        """
        frame = self._frames.get(store_id)
        if frame is None and store_id in self._latest:
            frame = self._frames[store_id] = json.dumps(self._delta(store_id))
        return frame

    def say_goodbye(self) -> None:
        """Tell every subscriber that the server stops."""
        for outbox in self.outboxes:
            outbox.say_goodbye()

    def _delta(self, store_id: str) -> Object:
        seq, uid = self._latest[store_id]
        store = self._find(store_id)
        frame: Object = {"type": "delta", "seq": seq, "op": "delete", "storeId": store_id, "uid": uid}
        return frame if store is None else {**frame, "op": "upsert", "store": store_view(store)}

    def _remember(self, store_id: str, uid: str) -> None:
        if len(self._ring) == RING_SIZE:
            self._forget(*self._ring[0])
        self._ring.append((self.seq, store_id))
        self._latest[store_id] = (self.seq, uid)

    def _forget(self, seq: int, store_id: str) -> None:
        if self._latest.get(store_id, (0, ""))[0] == seq and self._find(store_id) is None:
            del self._latest[store_id]
            self._frames.pop(store_id, None)
