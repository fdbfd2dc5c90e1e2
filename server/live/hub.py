"""The hub: every change of a store, numbered, to every subscriber, encoded once.

    Store informer --> publish (seq + 1, ring) --> outbox of each subscriber --> flush --> the line of who is up to date
                                                                                       --> the writer of who is behind

An outbox holds store ids, not frames: a store that changes again before it was sent moves to the end of the box and
is sent once, as it is by then. So a box never holds more than there are stores. One id is taken at a time, and the
first in the box has the lowest seq of all that is in it: frames leave in the order of their seq, each state once, and
the seq of the last frame sent is a place to resume from. `epoch` names this life of the hub.

What is sent is made once for everybody, down to the bytes of the WebSocket frame. Whose writer has nothing to do gets
them without a task being woken; whoever does not take them at once is the writer's business, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections import deque
from typing import TYPE_CHECKING

from server.live.connection import LineClosed, text_frame
from server.stores.representation import store_view

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.kube.resources import Object

RING_SIZE = 8192
SNAPSHOT_PART = 100
KEPT_FRAMES = 1024
BATCH_BYTES = 128 * 1024


class Forgotten(Exception):
    """Raised where a subscriber is to be told of a store that is gone for so long that nobody remembers it."""


class Outbox:
    """What one subscriber still has to be told.

    Args:
        store_ids: the stores that it asked for, None for all.
        write: takes whole frames; False where the subscriber is behind with reading, LineClosed where it is gone.
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

    def wants(self, store_id: str) -> bool:
        """Return whether the subscriber asked for this store."""
        return self._store_ids is None or store_id in self._store_ids

    def wants_all(self) -> bool:
        """Return whether the subscriber asked for every store."""
        return self._store_ids is None

    def offer(self, store_id: str) -> None:
        """Put a store in, or move it to the end."""
        if self.wants(store_id):
            self._pending.pop(store_id, None)
            self._pending[store_id] = None

    def take(self) -> str | None:
        """Take out the store that is told next."""
        store_id = self.first()
        if store_id is not None:
            del self._pending[store_id]
        return store_id

    def first(self) -> str | None:
        """Return the store that is told next."""
        return next(iter(self._pending), None)

    def clear(self) -> None:
        """Forget what is in, as a whole picture says it all."""
        self._pending.clear()

    async def wait(self, seconds: float) -> bool:
        """Leave the telling to the hub until there is something to do for the writer; False where there is not.

        Raises:
            LineClosed, Forgotten: the hub could not tell it.
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
        """Hand the telling back to the writer."""
        self.is_idle = False
        self._woken.set()

    def say_goodbye(self) -> None:
        """Tell the writer that the server stops."""
        self.goodbye = True
        self.wake()


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
        self._frames: dict[str, bytes] = {}
        self._picture: list[bytes] = []
        self._is_flushing = False

    def publish(self, before: Object | None, after: Object | None) -> None:
        """Take a change from the Store informer."""
        changed = after or before
        if changed is None:
            return
        store_id = changed["metadata"]["name"]
        self.seq += 1
        self._remember(store_id, changed["metadata"]["uid"])
        self._frames.pop(store_id, None)
        self._picture = []
        for outbox in self.outboxes:
            outbox.offer(store_id)
        if self.outboxes and not self._is_flushing:
            # Not at once: what else changes in this turn of the loop leaves with it.
            self._is_flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

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

    def snapshot(self, outbox: Outbox) -> list[bytes]:
        """Return the frames of a whole picture as of now; the outbox goes on from there."""
        outbox.clear()
        if not outbox.wants_all():
            return self._snapshot([store for store in self._stores() if outbox.wants(store["metadata"]["name"])])
        if not self._picture:
            self._picture = self._snapshot(self._stores())
        return self._picture

    def reached(self, outbox: Outbox) -> int:
        """Return the seq up to which a subscriber has been told everything."""
        first = outbox.first()
        return self.seq if first is None else self._latest.get(first, (1, ""))[0] - 1

    def next_frames(self, outbox: Outbox) -> bytes:
        """Take as many changes out of a box as make a good batch, empty where there are none.

        Raises:
            Forgotten: the subscriber has to start over.
        """
        frames: list[bytes] = []
        size = 0
        while size < BATCH_BYTES and (store_id := outbox.take()) is not None:
            frames.append(self.delta(store_id))
            size += len(frames[-1])
        return frames[0] if len(frames) == 1 else b"".join(frames)

    def delta(self, store_id: str) -> bytes:
        """Return the frame that says how a store is now, the same object for every subscriber.

        Raises:
            Forgotten: nobody remembers the store.
        """
        frame = self._frames.get(store_id)
        if frame is None:
            if store_id not in self._latest:
                raise Forgotten
            if len(self._frames) >= KEPT_FRAMES:
                self._frames.clear()
            frame = self._frames[store_id] = text_frame(json.dumps(self._delta(store_id)))
        return frame

    def remind(self) -> None:
        """Have every subscriber told now how old its picture is."""
        for outbox in self.outboxes:
            outbox.wake()

    def say_goodbye(self) -> None:
        """Tell every subscriber that the server stops."""
        for outbox in self.outboxes:
            outbox.say_goodbye()

    def _flush(self) -> None:
        self._is_flushing = False
        for outbox in self.outboxes:
            if outbox.is_idle and outbox:
                self._hand_over(outbox)

    def _hand_over(self, outbox: Outbox) -> None:
        try:
            while outbox and not outbox.is_behind:
                outbox.is_behind = not outbox.write(self.next_frames(outbox))
        except (LineClosed, Forgotten) as error:
            outbox.failure = error
        if outbox.is_behind or outbox.failure:
            outbox.wake()

    def _snapshot(self, stores: list[Object]) -> list[bytes]:
        parts = [stores[start : start + SNAPSHOT_PART] for start in range(0, len(stores), SNAPSHOT_PART)] or [[]]
        head = {"type": "snapshot", "epoch": self.epoch, "seq": self.seq}
        frames = [
            {**head, "stores": [store_view(store) for store in part], "last": part is parts[-1]} for part in parts
        ]
        return [text_frame(json.dumps(frame)) for frame in frames]

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
