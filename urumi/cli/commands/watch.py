"""`urumi watch`: every change of every store as a plain line, which a screen reader can follow.

It begins with a line for each store as it is. A change that would read the same as the line before is left out; with
--json every change is printed. After a lost connection only what is different is told.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from urumi.cli.connection import news
from urumi.cli.store_lines import change_line
from urumi.cli.terminal import give, give_json, say
from urumi.config import find_target
from urumi.live import StoreSnapshot
from urumi.store_cache import StoreCache
from urumi.text import SIMULATED, progress_text
from urumi.timestamps import format_timestamp
from urumi.wire import dump

if TYPE_CHECKING:
    import argparse

    from urumi.wire import Store


def watch_stores(args: argparse.Namespace) -> int:
    """Print changes until interrupted."""
    asyncio.run(_watch(args))
    return 0


async def _watch(args: argparse.Namespace) -> None:
    target = find_target(args.url, args.token)
    store_ids = tuple(dict.fromkeys(args.store_ids)) or None
    cache = StoreCache(time.monotonic)
    teller = _Teller(as_json=args.json)
    is_first = True
    async with aclosing(news(target, store_ids)) as events:
        async for event in events:
            known = dict(cache.stores)
            for store_id in sorted(cache.apply(event)):
                teller.tell(store_id, known.get(store_id), cache.stores.get(store_id))
            if isinstance(event, StoreSnapshot) and is_first:
                is_first = False
                _introduce(cache.stores, store_ids)


def _introduce(stores: dict[str, Store], store_ids: tuple[str, ...] | None) -> None:
    missing = [store_id for store_id in store_ids or () if store_id not in stores]
    if missing:
        say(f"Not there yet: {', '.join(missing)}.")
    count = len(stores)
    say(f"Live: {count} {'store' if count == 1 else 'stores'}. Changes follow; ctrl-c ends.")
    if any(store.simulated for store in stores.values()):
        say(SIMULATED)


class _Teller:
    """Prints changes, and remembers what each store's last line said."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._told: dict[str, tuple[str, ...]] = {}

    def tell(self, store_id: str, before: Store | None, after: Store | None) -> None:
        """Print a change of a store."""
        now = datetime.now(UTC)
        if self._as_json:
            give_json(_change(store_id, before, after, now), lines=True)
        elif after is None:
            self._told.pop(store_id, None)
            give(f"{format_timestamp(now, 'seconds')}  {store_id}  Deleted")
        else:
            words = (after.uid, after.phase.value, progress_text(after), after.url)
            if self._told.get(store_id) != words:
                give(change_line(after, now))
            self._told[store_id] = words


def _change(store_id: str, before: Store | None, after: Store | None, now: datetime) -> dict[str, object]:
    known = after or before
    change: dict[str, object] = {
        "time": format_timestamp(now, "seconds"),
        "op": "upsert" if after else "delete",
        "storeId": store_id,
        "uid": known.uid if known else "",
        "phase": after.phase.value if after else "Deleted",
        "message": progress_text(after) if after else "",
    }
    return {**change, "store": dump(after)} if after else change
