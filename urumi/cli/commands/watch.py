"""`urumi watch`: every change of every store as a plain line, which a screen reader can follow.

It starts with a line for each existing store. A change that would repeat the store's previous line is omitted; with
--json every change is written. After a reconnection only differences are written.
"""

from __future__ import annotations

import time
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from urumi.cli.connection import store_events
from urumi.cli.store_lines import change_line
from urumi.cli.terminal import report, write, write_json
from urumi.config import find_target
from urumi.live import StoreSnapshot
from urumi.store import Phase
from urumi.store_cache import StoreCache
from urumi.text import SIMULATED, progress_text
from urumi.timestamps import format_timestamp
from urumi.wire import dump

if TYPE_CHECKING:
    import argparse

    from urumi.wire import Store


async def run(args: argparse.Namespace) -> int:
    """Print changes until interrupted."""
    target = find_target(args.url, args.token)
    store_ids = tuple(dict.fromkeys(args.store_ids)) or None
    cache = StoreCache(time.monotonic)
    writer = _ChangeWriter(as_json=args.json)
    is_first = True
    async with aclosing(store_events(target, store_ids)) as events:
        async for event in events:
            known = dict(cache.stores)
            for store_id in sorted(cache.apply(event)):
                writer.write_change(store_id, known.get(store_id), cache.stores.get(store_id))
            if isinstance(event, StoreSnapshot) and is_first:
                is_first = False
                missing = [store_id for store_id in store_ids or () if store_id not in cache.stores]
                if missing:
                    report(f"Not found yet: {', '.join(missing)}.")
                noun = "store" if len(cache.stores) == 1 else "stores"
                report(f"Watching {len(cache.stores)} {noun}. Press ctrl-c to stop.")
                if any(store.simulated for store in cache.stores.values()):
                    report(SIMULATED)
    return 0


class _ChangeWriter:
    """Writes changes, and keeps the contents of each store's previous line."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._written: dict[str, tuple[str, ...]] = {}

    def write_change(self, store_id: str, before: Store | None, after: Store | None) -> None:
        """Write a change of a store; `after` is None if it was deleted."""
        now = datetime.now(UTC)
        time_text = format_timestamp(now, "seconds")
        if self._as_json:
            known = after or before
            change: dict[str, object] = {
                "time": time_text,
                "op": "upsert" if after else "delete",
                "storeId": store_id,
                "uid": known.uid if known else "",
                "phase": (after.phase if after else Phase.DELETED).value,
                "message": progress_text(after) if after else "",
            }
            write_json({**change, "store": dump(after)} if after else change, lines=True)
        elif after is None:
            self._written.pop(store_id, None)
            write(f"{time_text}  {store_id}  {Phase.DELETED}")
        else:
            contents = (after.uid, after.phase.value, progress_text(after), after.url)
            if self._written.get(store_id) != contents:
                write(change_line(after, now))
            self._written[store_id] = contents
