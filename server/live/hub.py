"""The hub: every change of a store gets a number and goes to every subscriber, encoded once.

    Store informer --> publish (seq + 1, ring) --> outbox of each subscriber --> flush --> connection, if up to date
                                                                                       --> writer task, if behind

`epoch` identifies this run of the hub; a position to resume from is an epoch and a seq. Frames are encoded once for all
subscribers, as the bytes of the WebSocket frame. A subscriber whose writer is idle gets them without a task switch; one
that does not read them at once is left to its writer, and no other subscriber waits for it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from typing import TYPE_CHECKING

from reconciler.store.object import StoreObject
from server.live.connection import ConnectionEnded, text_frame
from server.stores.representation import store_view

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reconciler.kube.resources import Object
    from server.live.outbox import Outbox

RING_SIZE = 8192
SNAPSHOT_PART = 100
CACHED_FRAMES = 1024
BATCH_BYTES = 128 * 1024


class TooFarBehind(Exception):
    """Raised when a subscriber needs the deletion of a store that the hub no longer remembers."""


class Hub:
    """Numbers the changes of stores and passes them to subscribers; use from one event loop."""

    def __init__(self, find: Callable[[str], StoreObject | None], stores: Callable[[], list[StoreObject]]) -> None:
        self.epoch = secrets.token_hex(8)
        self.seq = 0
        self.outboxes: set[Outbox] = set()
        self._find = find
        self._stores = stores
        self._ring: deque[tuple[int, str]] = deque(maxlen=RING_SIZE)
        # The seq of the last change and the uid, by store id.
        self._latest: dict[str, tuple[int, str]] = {}
        self._frames: dict[str, bytes] = {}
        self._snapshot: list[bytes] = []
        self._is_flushing = False

    def publish(self, before: Object | None, after: Object | None) -> None:
        """Number a change from the Store informer and enqueue it for every subscriber."""
        raw = after or before
        if raw is None:
            return
        store = StoreObject(raw)
        store_id = store.name
        self.seq += 1
        self._remember(store_id, store.uid)
        self._frames.pop(store_id, None)
        self._snapshot = []
        for outbox in self.outboxes:
            outbox.enqueue(store_id)
        if self.outboxes and not self._is_flushing:
            # Not at once: the other changes of this turn of the event loop are sent together with it.
            self._is_flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def subscribe(self, outbox: Outbox, epoch: str, seq: int) -> bool:
        """Add a subscriber; return False if it needs a snapshot: the ring lacks its position."""
        self.outboxes.add(outbox)
        oldest = self._ring[0][0] if self._ring else self.seq + 1
        if epoch != self.epoch or not oldest - 1 <= seq <= self.seq:
            return False
        for changed_seq, store_id in self._ring:
            if changed_seq > seq:
                outbox.enqueue(store_id)
        return True

    def snapshot(self, outbox: Outbox) -> list[bytes]:
        """Return the frames of a snapshot as of now, and empty the outbox."""
        outbox.clear()
        if not outbox.has_all_stores:
            return self._snapshot_frames([store for store in self._stores() if outbox.subscribes_to(store.name)])
        if not self._snapshot:
            self._snapshot = self._snapshot_frames(self._stores())
        return self._snapshot

    def position(self, outbox: Outbox) -> int:
        """Return the seq up to which a subscriber has received every change."""
        first = outbox.first()
        return self.seq if first is None else self._latest.get(first, (1, ""))[0] - 1

    def next_frames(self, outbox: Outbox) -> bytes:
        """Dequeue up to one batch of changes and return their frames, empty if there are none.

        Raises:
            TooFarBehind: the subscriber has to start over.
        """
        frames: list[bytes] = []
        size = 0
        while size < BATCH_BYTES and (store_id := outbox.dequeue()) is not None:
            frames.append(self.delta(store_id))
            size += len(frames[-1])
        return frames[0] if len(frames) == 1 else b"".join(frames)

    def delta(self, store_id: str) -> bytes:
        """Return the frame with the current state of a store, the same object for every subscriber.

        Raises:
            TooFarBehind: the hub no longer remembers the store.
        """
        frame = self._frames.get(store_id)
        if frame is not None:
            return frame
        if store_id not in self._latest:
            raise TooFarBehind
        seq, uid = self._latest[store_id]
        store = self._find(store_id)
        delta: dict[str, Any] = {"type": "delta", "seq": seq, "op": "delete", "storeId": store_id, "uid": uid}
        if store is not None:
            delta |= {"op": "upsert", "store": store_view(store)}
        if len(self._frames) >= CACHED_FRAMES:
            self._frames.clear()
        frame = self._frames[store_id] = text_frame(json.dumps(delta))
        return frame

    def notify_all(self) -> None:
        """Send every subscriber a bookmark now, with the current age of the data."""
        for outbox in self.outboxes:
            outbox.wake()

    def say_goodbye(self) -> None:
        """Send every subscriber a goodbye frame, because the server stops."""
        for outbox in self.outboxes:
            outbox.say_goodbye()

    def _flush(self) -> None:
        self._is_flushing = False
        for outbox in self.outboxes:
            if not outbox.is_idle or not outbox:
                continue
            try:
                while outbox and not outbox.is_behind:
                    outbox.is_behind = not outbox.write(self.next_frames(outbox))
            except (ConnectionEnded, TooFarBehind) as error:
                outbox.failure = error
            if outbox.is_behind or outbox.failure:
                outbox.wake()

    def _snapshot_frames(self, stores: list[StoreObject]) -> list[bytes]:
        parts = [stores[start : start + SNAPSHOT_PART] for start in range(0, len(stores), SNAPSHOT_PART)] or [[]]
        head = {"type": "snapshot", "epoch": self.epoch, "seq": self.seq}
        frames = [
            {**head, "stores": [store_view(store) for store in part], "last": part is parts[-1]} for part in parts
        ]
        return [text_frame(json.dumps(frame)) for frame in frames]

    def _remember(self, store_id: str, uid: str) -> None:
        if len(self._ring) == RING_SIZE:
            seq, oldest = self._ring[0]
            # The last change of a deleted store leaves the ring, so nothing can be resumed from before it.
            if self._latest.get(oldest, (0, ""))[0] == seq and self._find(oldest) is None:
                del self._latest[oldest]
                self._frames.pop(oldest, None)
        self._ring.append((self.seq, store_id))
        self._latest[store_id] = (self.seq, uid)
